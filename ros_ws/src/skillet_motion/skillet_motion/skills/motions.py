"""Moves that several skills share: straight ones, retreats, and what keeps them safe."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from skillet_core.errors import PlanningError
from skillet_core.geometry import Array, Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest
from skillet_core.robot_interface import Robot
from skillet_core.scene import Box
from skillet_core.trajectory import JointTrajectory
from skillet_motion.skills.carrying import held_object
from skillet_motion.skills.skill import FAILURES, INTERRUPTIONS, PhaseCallback, SkillFailure

FREE_SPEED, CARRY_SPEED, LINEAR_SPEED, CONTACT_SPEED = 0.6, 0.4, 0.25, 0.15
"""Shares of the velocity limits: empty-handed, carrying, straight, and while pushing or pulling."""
RELEASE_FORCE, GRASP_FORCE = 20.0, 40.0
"""Forces of the fingers when they open and when they close [N]."""
RETREAT_DISTANCE = 0.10
"""Length of the straight way out, where there is room for it [m]."""
RETREAT_SHARES = (1.0, 0.75, 0.5, 0.25)
"""Shares of it that are tried, where the room is less."""
RECOVERY_LEAD = 1.0
"""Time in which an arm that was blocked is led back to where it is [s]."""


def raised(pose: Pose, height: float) -> Pose:
    """Return the pose moved up along the world's z by a height [m]."""
    return Pose(pose.position + np.array([0.0, 0.0, height]), pose.rotation)


def corners(bounds: Box, pose: Pose) -> Array:
    """Return a box's corners, shape (8, 3), in the frame that its own frame's pose is given in [m]."""
    axes = zip(bounds.lower, bounds.upper, strict=True)
    return pose.apply(np.array(np.meshgrid(*axes)).reshape(3, -1).T)


def backed(pose: Pose, distance: float) -> Pose:
    """Return the pose moved back along its own z by a distance [m]."""
    return pose @ Pose(np.array([0.0, 0.0, -distance]))


def held_set(name: str | None) -> frozenset[str]:
    """Return the name as a set: empty for None."""
    return frozenset() if name is None else frozenset({name})


def straight_to(
    robot: Robot,
    waypoints: Sequence[Pose],
    *,
    start: Array | None = None,
    speed: float = LINEAR_SPEED,
    carried: str | None = None,
    touching: Iterable[str] = (),
) -> JointTrajectory:
    """Plan the grasp frame through poses in the world frame on straight lines.

    Raises:
        PlanningError: with the reason.
    """
    return robot.plan(
        PlanRequest(
            CartesianGoal(tuple(waypoints)),
            velocity_scaling=speed,
            attached=held_set(carried),
            touching=frozenset(touching),
            start=start,
        )
    )


def follow_until(robot: Robot, trajectory: JointTrajectory, reached: Callable[[], bool]) -> bool:
    """Follow a trajectory and stop where something is reached.

    Args:
        robot: moves.
        trajectory: what to follow.
        reached: asked some ten times a second, and at the end.

    Returns:
        Whether it was reached.

    Raises:
        ExecutionError, CancelledError, StaleStateError: as for `Robot.follow`.
    """

    def watch() -> None:
        if reached():
            raise _Reached

    try:
        robot.follow(trajectory, watch)
    except _Reached:
        return True
    return reached()


class _Reached(Exception):  # noqa: N818 - no error: it ends a motion early
    """What `follow_until` waits for has come about."""


def close_fingers(robot: Robot) -> None:
    """Close the empty fingers, to push with them; at home where something is between them.

    Raises:
        PlanningError: something is between them and there is no way home.
        SkillFailure: something stays between them.
        ExecutionError, CancelledError: as for `Robot.grip`.
    """
    if robot.grip(0.0, RELEASE_FORCE).reached:
        return
    robot.grip(robot.description.gripper.max_opening, RELEASE_FORCE)
    home = PlanRequest(JointGoal(robot.description.home), velocity_scaling=FREE_SPEED)
    robot.follow(robot.plan(home))
    result = robot.grip(0.0, RELEASE_FORCE)
    if not result.reached:
        robot.grip(robot.description.gripper.max_opening, RELEASE_FORCE)
        raise SkillFailure(f"the fingers do not close: they stopped at {1e3 * result.opening:.0f} mm")


def retreat(robot: Robot, touching: Iterable[str], *, lead: float = 0.0) -> bool:
    """Move straight back along the fingers, or else straight up, as far as there is room.

    Args:
        robot: moves.
        touching: objects that the gripper may touch on the way.
        lead: time to come from where the arm was commanded to where it is [s]; needed where it was
            blocked on its way.

    Returns:
        Whether it moved at all.

    Raises:
        ExecutionError: the motion was aborted.
        CancelledError: `Robot.cancel` was called.
        StaleStateError: the robot fell silent.
    """
    here, near = robot.grasp_pose(), frozenset(touching)
    distances = [share * RETREAT_DISTANCE for share in RETREAT_SHARES]
    # Upwards comes last: what the open fingers stand around may be in their way.
    for target in (*(backed(here, d) for d in distances), *(raised(here, d) for d in distances)):
        with contextlib.suppress(PlanningError):
            motion = straight_to(robot, [target], touching=near)
            robot.follow(replace(motion, times=motion.times + lead))
            return True
    return False


@contextlib.contextmanager
def safely(robot: Robot, phase: PhaseCallback, touching: Iterable[str]) -> Iterator[None]:
    """Bring the arm to safety when what is done inside fails.

    What the gripper still carries it keeps, standing still; an empty gripper opens and moves away. A
    cancelled robot, or one that fell silent, is left alone.
    """
    try:
        yield
    except INTERRUPTIONS:
        raise
    except FAILURES:
        phase("retreat")
        if held_object(robot) is None:
            _escape(robot, touching)
        raise


def _escape(robot: Robot, touching: Iterable[str]) -> None:
    """Open the fingers and move away; what cannot be done is left undone."""
    try:
        robot.grip(robot.description.gripper.max_opening, RELEASE_FORCE)
        retreat(robot, touching, lead=RECOVERY_LEAD)
    except INTERRUPTIONS:
        raise
    except FAILURES:
        return
