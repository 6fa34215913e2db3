"""Move to: bring the grasp frame to a pose, with whatever is in the gripper."""

from __future__ import annotations

from typing import Self

import numpy as np
import pydantic

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Pose
from skillet_core.model import DataModel
from skillet_core.motion import CartesianGoal, PlanRequest, PoseGoal
from skillet_core.robot_interface import Robot
from skillet_motion.skills.carrying import carry, held_object
from skillet_motion.skills.motions import CARRY_SPEED, FREE_SPEED, LINEAR_SPEED, held_set
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillFailure

WORLD = "world"
"""Name of the world frame, which is the robot's base frame."""
ARRIVED, TURNED = 0.01, 0.05
"""How far from the goal the arm may come to stand [m], [rad]."""


class MoveToArguments(DataModel):
    """Where to move the grasp frame."""

    x: float = pydantic.Field(description="[m]")
    y: float = pydantic.Field(description="[m]")
    z: float = pydantic.Field(description="[m]")
    qx: float | None = pydantic.Field(default=None, description="quaternion; all four or none: as it is now")
    qy: float | None = pydantic.Field(default=None, description="quaternion")
    qz: float | None = pydantic.Field(default=None, description="quaternion")
    qw: float | None = pydantic.Field(default=None, description="quaternion")
    frame: str = pydantic.Field(default=WORLD, description="world, the robot's base frame, or an object")
    straight: bool = pydantic.Field(default=False, description="on a straight line")

    @pydantic.model_validator(mode="after")
    def _is_a_rotation(self) -> Self:
        parts = (self.qx, self.qy, self.qz, self.qw)
        given = [part for part in parts if part is not None]
        if given and len(given) < len(parts):
            raise ValueError("qx, qy, qz and qw belong together: give all four or none")
        if given:
            Pose.from_quaternion((0.0, 0.0, 0.0), given)
        return self

    def pose(self, current: Pose) -> Pose:
        """Return the goal in its frame; ``current``, in the same frame, has the orientation to keep."""
        position = np.array([self.x, self.y, self.z])
        if self.qx is None or self.qy is None or self.qz is None or self.qw is None:
            return Pose(position, current.rotation)
        return Pose.from_quaternion(position, (self.qx, self.qy, self.qz, self.qw))


def _check(robot: Robot, arguments: MoveToArguments) -> None:
    """Refuse frames that there are not."""
    fixed = {WORLD, robot.description.base_frame}
    if arguments.frame not in fixed | robot.task.objects.keys():
        raise UnknownNameError("frame", arguments.frame, fixed | robot.task.objects.keys())


def _run(robot: Robot, arguments: MoveToArguments, phase: PhaseCallback) -> None:
    phase("plan")
    held = held_object(robot)
    world_from_frame = Pose.identity()
    if arguments.frame in robot.task.objects:
        world_from_frame = robot.scene().object(arguments.frame).pose
    goal = world_from_frame @ arguments.pose(world_from_frame.inverse() @ robot.grasp_pose())
    speed = CARRY_SPEED if held else FREE_SPEED
    request = PlanRequest(
        CartesianGoal((goal,)) if arguments.straight else PoseGoal((goal,)),
        velocity_scaling=LINEAR_SPEED if arguments.straight else speed,
        attached=held_set(held),
    )
    motion = robot.plan(request)
    phase("move")
    carry(robot, motion, held)
    distance, angle = robot.grasp_pose().distance_to(goal)
    if distance > ARRIVED or angle > TURNED:
        raise SkillFailure(f"the arm stands {1e3 * distance:.0f} mm and {angle:.2f} rad from the goal")


MOVE_TO = Skill("move_to", "Bring the gripper to a pose, with what it holds.", MoveToArguments, _run, _check)
