"""MoveIt 2 as the planner: what is said to it and what it answers, as data, without MoveIt.

`planner.MoveItPlanner` is a `skillet_core.motion.MotionPlanner` over a `planner.MoveIt`, of which
``moveit_planner_node`` has two: ``moveit_py`` in this process, and a ``move_group`` behind its actions
and services.
"""
