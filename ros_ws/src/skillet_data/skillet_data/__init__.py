"""Episodes as rosbags, data sets as zarr, reports.

The way of a recording: `recorder` → `episode_writer` → a rosbag2 folder → `bag_reader` → `columns` and
`observations` → `bag_to_zarr`. The live policy shares `observations` with the converter.
"""
