"""Controllers, and the safety filter that stands between them and every hardware.

A host reads and writes an `ArmHardware`; a `ControllerManager` decides what is written. Nothing here
knows ROS but the files named ``*_node.py``.
"""
