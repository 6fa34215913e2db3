"""Moves that several skills share, and what they ask about the thing in the gripper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skillet_core.errors import CancelledError, ExecutionError, PlanningError, StaleStateError
from skillet_core.evaluation import is_grasped
from skillet_core.geometry import Pose
from skillet_core.motion import CartesianGoal, PlanRequest, PoseGoal
from skillet_core.robot_interface import Robot
from skillet_core.trajectory import JointTrajectory

FREE_SPEED, CARRY_SPEED, LINEAR_SPEED = 0.6, 0.4, 0.25
"""Shares of the velocity limits, for empty-handed, carrying and straight motions."""
RELEASE_FORCE = 20.0
"""Force for opening the fingers [N]."""


@dataclass(frozen=True, eq=False)
class Approach:
    """A free motion to above a pose, the straight one down to it, and the pose."""

    there: JointTrajectory
    down: JointTrajectory
    pose: Pose


def raised(pose: Pose, height: float) -> Pose:
    """Return the pose moved up along the world's z by a height [m]."""
    return Pose(pose.position + np.array([0.0, 0.0, height]), pose.rotation)


def held_object(robot: Robot) -> str | None:
    """Return the object between the fingers, or None."""
    scene = robot.scene()
    for name in robot.task.objects:
        if robot.task.object(name).kind == "movable" and is_grasped(name, scene, robot.description.gripper):
            return name
    return None


def approach(
    robot: Robot,
    options: Sequence[Sequence[Pose]],
    *,
    height: float,
    attached: str | None = None,
    touching: frozenset[str] = frozenset(),
    seed: int = 0,
) -> Approach:
    """Plan a free motion to above a target and a straight one down to it, before anything moves.

    Args:
        robot: plans.
        options: targets by falling preference; each is a set of poses of the grasp frame in the world
            frame, of which the one nearest in joint space is taken.
        height: of the straight part [m].
        attached: object that the gripper carries.
        touching: objects that the gripper may touch on the straight part.
        seed: of the planner.

    Returns:
        Both motions, the second beginning where the first ends.

    Raises:
        PlanningError: no option is possible; the reason is that of the first.
    """
    speed = FREE_SPEED if attached is None else CARRY_SPEED
    reasons = []
    # Where the nearest posture above cannot come straight down, that of another pose often can: each
    # pose gets its own try, but only after every option had one.
    alone = [(pose,) for option in options for pose in option if len(option) > 1]
    for choice in (*map(tuple, options), *alone):
        try:
            above = PoseGoal(tuple(raised(pose, height) for pose in choice))
            there = robot.plan(PlanRequest(above, velocity_scaling=speed, attached=frozenset({attached} if attached else ()), seed=seed))
            end = there.positions[-1]
            reached = robot.grasp_pose(end)
            target = min(choice, key=lambda pose: reached.distance_to(raised(pose, height))[1])
            down = robot.plan(
                PlanRequest(
                    CartesianGoal((target,)),
                    velocity_scaling=LINEAR_SPEED,
                    attached=frozenset({attached} if attached else ()),
                    touching=touching,
                    start=end,
                    seed=seed,
                )
            )
        except PlanningError as error:
            reasons.append(str(error))
        else:
            return Approach(there, down, target)
    raise PlanningError(reasons[0])


def back_off(robot: Robot, height: float, touching: frozenset[str]) -> None:
    """Rise straight up as far as there is room, after a failure: what cannot be done is left undone.

    Args:
        robot: moves.
        height: how far at most [m].
        touching: objects that the gripper may touch on the way.

    Raises:
        CancelledError: `Robot.cancel` was called.
        StaleStateError: the robot fell silent.
    """
    for share in (1.0, 0.5, 0.25):
        try:
            goal = CartesianGoal((raised(robot.grasp_pose(), share * height),))
            robot.follow(robot.plan(PlanRequest(goal, velocity_scaling=LINEAR_SPEED, touching=touching)))
        except (CancelledError, StaleStateError):
            raise
        except (PlanningError, ExecutionError):
            continue
        return
