"""Reorient: tilt what the gripper holds, keep it so for a while, and turn it back, as one pours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pydantic
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError
from skillet_core.geometry import Array, Pose
from skillet_core.model import DataModel
from skillet_core.motion import PlanRequest, PoseGoal
from skillet_core.robot_interface import Robot
from skillet_core.trajectory import JointTrajectory
from skillet_motion.skills.carrying import carry, require_held
from skillet_motion.skills.checks import require_kind
from skillet_motion.skills.motions import CARRY_SPEED, held_set, raised, straight_to
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillFailure

STEP = 0.1
"""Largest turn between two waypoints [rad]."""
TILT_TOLERANCE = 0.1
"""How far from the wished tilt it may be [rad]."""
RISES = (0.0, 0.1, 0.2)
"""How much higher it is tilted where there is no room [m]."""
OVER = 0.08
"""Gap between a container's rim and what is poured over it, however turned [m]."""
TURNS = tuple(np.arange(8) * np.pi / 4)
"""Turns about the vertical with which it may be brought over the container [rad]."""


class ReorientArguments(DataModel):
    """What to tilt, how far and for how long."""

    object: str = pydantic.Field(description="name of the object in the gripper")
    tilt: float = pydantic.Field(gt=0.0, le=np.pi, description="how far [rad]")
    hold: float = pydantic.Field(default=1.0, ge=0.0, le=60.0, description="how long it is kept tilted [s]")
    over: str | None = pydantic.Field(default=None, description="name of a container to tilt it over")


@dataclass(frozen=True, eq=False)
class Pour:
    """A motion to the tilted pose and back; the first part, if any, brings the object there."""

    rise: JointTrajectory
    tilt: JointTrajectory
    back: JointTrajectory


def _check(robot: Robot, arguments: ReorientArguments) -> None:
    """Refuse what is not in the scene."""
    require_kind(robot, arguments.object, ("movable",), "cannot be carried")
    if arguments.over is not None:
        require_kind(robot, arguments.over, ("container",), "nothing can be poured into it")


def _run(robot: Robot, arguments: ReorientArguments, phase: PhaseCallback) -> None:
    name = arguments.object
    require_held(robot, name)
    if arguments.over is not None:
        phase("carry")
        carry(robot, _plan_over(robot, name, arguments.over), name)
    phase("plan")
    before = robot.scene().object(name).pose.rotation
    pour = _plan(robot, name, arguments.tilt)
    phase("rise")
    carry(robot, pour.rise, name)
    phase("tilt")
    carry(robot, pour.tilt, name)
    tilted = _tilt(before, robot.scene().object(name).pose.rotation)
    phase("hold")
    robot.wait(arguments.hold)
    phase("back")
    carry(robot, pour.back, name)
    if abs(tilted - arguments.tilt) > TILT_TOLERANCE:
        raise SkillFailure(f"{name} was tilted by {tilted:.2f} rad instead of {arguments.tilt:.2f} rad")


def _tilt(before: Rotation, after: Rotation) -> float:
    """Return the angle between what was upward and where that points after [rad]."""
    up = (after * before.inv()).apply([0.0, 0.0, 1.0])
    return float(np.arccos(np.clip(up[2], -1.0, 1.0)))


def _plan(robot: Robot, name: str, tilt: float) -> Pour:
    """Find an axis and a height with which there is room to tilt.

    Raises:
        PlanningError: there is none.
    """
    here, reasons = robot.grasp_pose(), []
    for rise in RISES:
        up = raised(here, rise)
        for axis in _axes(here):
            there = _turned(up, axis, tilt)
            try:
                return _plan_about(robot, name, up, there)
            except PlanningError as error:
                reasons.append(error)
    raise PlanningError(f"there is no way to tilt {name} by {tilt:.2f} rad: {reasons[0]}", reasons[0].failure)


def _plan_about(robot: Robot, name: str, up: Pose, there: list[Pose]) -> Pour:
    """Plan to a pose, through the turned ones and back."""
    rise = straight_to(robot, [up], carried=name)
    tilt = straight_to(robot, there, start=rise.positions[-1], carried=name)
    way_back = [*reversed(there[:-1]), up]
    back = straight_to(robot, way_back, start=tilt.positions[-1], carried=name)
    return Pour(rise, tilt, back)


def _axes(pose: Pose) -> list[Array]:
    """Return horizontal axes to tilt about: along the fingers' closing direction first, then across."""
    closing = pose.rotation.as_matrix()[:, 1] * np.array([1.0, 1.0, 0.0])
    if float(np.linalg.norm(closing)) < 0.5:  # noqa: PLR2004 - the fingers close nearly vertically
        closing = pose.rotation.as_matrix()[:, 0] * np.array([1.0, 1.0, 0.0])
    closing /= np.linalg.norm(closing)
    across = np.cross([0.0, 0.0, 1.0], closing)
    return [closing, -closing, across, -across]


def _turned(pose: Pose, axis: Array, angle: float) -> list[Pose]:
    """Return waypoints of a turn about an axis through the pose's origin."""
    count = max(1, int(np.ceil(angle / STEP)))
    turns = angle * (np.arange(count) + 1) / count
    return [Pose(pose.position, Rotation.from_rotvec(turn * axis) * pose.rotation) for turn in turns]


def _plan_over(robot: Robot, name: str, over: str) -> JointTrajectory:
    """Plan the object to above the middle of a container.

    Raises:
        PlanningError: it cannot be brought there.
    """
    task, scene = robot.task, robot.scene()
    bounds, rim = task.object(name).bounds, task.object(over).bounds
    target, here = scene.object(over).pose, robot.grasp_pose()
    middle = scene.object(name).pose.apply(np.array(bounds.center))
    goal = target.apply(np.array([*rim.center[:2], float(rim.upper[2])]))
    goal = goal + np.array([0.0, 0.0, OVER + float(np.linalg.norm(bounds.size)) / 2])
    poses = []
    for angle in TURNS:
        turn = Rotation.from_euler("z", angle)
        poses.append(Pose(goal + turn.apply(here.position - middle), turn * here.rotation))
    request = PlanRequest(PoseGoal(tuple(poses)), velocity_scaling=CARRY_SPEED, attached=held_set(name))
    return robot.plan(request)


REORIENT = Skill(
    "reorient",
    "Tilt what the gripper holds, as one pours, and turn it back.",
    ReorientArguments,
    _run,
    _check,
)
