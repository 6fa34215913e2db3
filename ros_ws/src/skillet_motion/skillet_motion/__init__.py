"""From a goal to a motion: inverse kinematics, collision checks, path planning, timing, and skills.

Skills (`skillet_motion.skills`) are written against `skillet_core.motion.Robot` alone. The planner
(`skillet_motion.planning.OmplPlanner`) and the robot that steps the simulator directly
(`skillet_motion.direct_robot.DirectRobot`) are two of the parts that can stand behind it.
"""
