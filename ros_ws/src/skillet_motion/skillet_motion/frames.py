"""Where a named frame is now: the world, the robot's base, an object or a link of the robot."""

from __future__ import annotations

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import UnknownNameError
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Pose
from skillet_core.scene import SceneState
from skillet_core.trajectory import RobotState
from skillet_motion.planning_scene import PlanningScene

WORLD = "world"
"""Name of the world frame, which is the robot's base frame."""


def frame_pose(name: str, known: PlanningScene, state: RobotState, scene: SceneState) -> Pose:
    """Return where a frame is in the world frame.

    Args:
        name: ``world``, the robot's base frame, an object, or a link of the robot; empty: the world.
        known: has the robot's model.
        state: of the robot, now.
        scene: where the objects are now, those that only the planning scene knows included.

    Raises:
        UnknownNameError: there is no such frame; the message lists the nearest.
    """
    fixed = {WORLD, known.robot.base_frame}
    if not name or name in fixed:
        return Pose.identity()
    if name in scene.objects:
        return scene.objects[name].pose
    body = mujoco.mj_name2id(known.model, mujoco.mjtObj.mjOBJ_BODY, ROBOT_PREFIX + name)
    if body < 0:
        bodies = (known.model.body(index).name for index in range(known.model.nbody))
        links = {body.removeprefix(ROBOT_PREFIX) for body in bodies if body.startswith(ROBOT_PREFIX)}
        raise UnknownNameError("frame", name, fixed | scene.objects.keys() | links)
    data = mujoco.MjData(known.model)
    for joint, position in _joints(known, state).items():
        data.qpos[known.model.joint(ROBOT_PREFIX + joint).qposadr[0]] = position
    mujoco.mj_kinematics(known.model, data)
    return Pose(data.xpos[body], Rotation.from_quat(np.roll(data.xquat[body], -1)))


def _joints(known: PlanningScene, state: RobotState) -> dict[str, float]:
    """Return the positions of the arm's and the gripper's joints by name."""
    gripper = known.robot.gripper
    driven = gripper.joint_position(state.opening)
    arm = dict(zip(known.robot.joint_names, map(float, state.positions), strict=True))
    return arm | {gripper.joint: driven} | {name: factor * driven for name, factor in gripper.mimic.items()}
