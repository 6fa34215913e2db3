"""MuJoCo behind the contract of the real robots and cameras.

`compose_urdf` makes a robot's URDF, `build_model` puts the robot into a task's scene, `World` steps
it, `MujocoArm` lets controllers drive it, `CameraRenderer` sees it. Nothing here knows of ROS.
"""
