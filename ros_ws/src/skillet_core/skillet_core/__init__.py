"""Skillet's vocabulary: poses, robots, tasks, trajectories, task trees, conditions.

Every other package speaks in these types; this one depends on no other and knows nothing of ROS.
Units are SI and radians; quaternions are ordered x, y, z, w; frames follow REP-103 and REP-105.
"""
