"""Moves that several skills share: free and straight ones, approaches, retreats."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from skillet_core.errors import CancelledError, ExecutionError, PlanningError, StaleStateError
from skillet_core.geometry import Array, Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_core.robot_interface import Robot
from skillet_core.trajectory import JointTrajectory
from skillet_motion.skills.carrying import held_object
from skillet_motion.skills.skill import PhaseCallback, SkillFailure

FREE_SPEED, CARRY_SPEED, LINEAR_SPEED, CONTACT_SPEED = 0.6, 0.4, 0.25, 0.1
"""Shares of the velocity limits: empty-handed, carrying, straight, and while pushing or pulling."""
RELEASE_FORCE, GRASP_FORCE = 20.0, 40.0
"""Forces of the fingers when they open and when they close [N]."""
APPROACH_DISTANCE = 0.09
"""Length of the straight part of an approach [m]."""
RETREAT_DISTANCE = 0.10
"""Length of the straight way out, where there is room for it [m]."""
STRAIGHT_TRIES = 6
"""How many straight parts are tried before the remaining options get their own postures."""


@dataclass(frozen=True, eq=False)
class Option:
    """One way to come to a pose of the grasp frame, world frame.

    Attributes:
        before: where the straight part begins.
        at: where it ends.
        positions: of the arm at the end, shape (n,) [rad]; None: unknown.
    """

    before: Pose
    at: Pose
    positions: Array | None = None


@dataclass(frozen=True, eq=False)
class Approach:
    """A free motion to before a pose, the straight one to it, and which of the options it is."""

    there: JointTrajectory
    straight: JointTrajectory
    option: Option


def raised(pose: Pose, height: float) -> Pose:
    """Return the pose moved up along the world's z by a height [m]."""
    return Pose(pose.position + np.array([0.0, 0.0, height]), pose.rotation)


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


def approach(
    robot: Robot,
    options: Sequence[Option],
    *,
    carried: str | None = None,
    touching: Iterable[str] = (),
    speed: float = LINEAR_SPEED,
    seed: int = 0,
) -> Approach:
    """Plan a free motion to before a pose and a straight one to it, without moving.

    The option that is nearest in joint space is taken. Where its posture cannot go straight on, it is
    left out; when too many were, each gets a try with the posture that is known to reach its end.

    Args:
        robot: plans.
        options: by falling preference.
        carried: object that the gripper carries.
        touching: objects that the gripper may touch on the straight part.
        speed: share of the velocity limits of the straight part.
        seed: of the planner.

    Returns:
        Both motions, the second beginning where the first ends.

    Raises:
        PlanningError: no option is possible; the reason is that of the first.
    """
    free, straight = _templates(carried, touching, speed, seed)
    left, reasons = list(options), list[PlanningError]()
    while left and len(reasons) < STRAIGHT_TRIES:
        goal = PoseGoal(tuple(option.before for option in left))
        try:
            there = robot.plan(replace(free, goal=goal))
        except PlanningError as error:
            reasons.append(error)
            break
        end = there.positions[-1]
        option = _nearest(robot.grasp_pose(end), left)
        try:
            down = robot.plan(replace(straight, goal=CartesianGoal((option.at,)), start=end))
        except PlanningError as error:
            reasons.append(error)
            left.remove(option)
        else:
            return Approach(there, down, option)
    for option in options:
        with contextlib.suppress(PlanningError):
            return _in_posture(robot, option, free, straight)
    raise reasons[0]


def approach_in_posture(
    robot: Robot, option: Option, *, touching: Iterable[str] = (), speed: float = LINEAR_SPEED, seed: int = 0
) -> Approach:
    """Plan as `approach` does, but so that the arm ends in the option's own posture.

    Raises:
        PlanningError: it cannot, or the option has none.
    """
    return _in_posture(robot, option, *_templates(None, touching, speed, seed))


def _templates(
    carried: str | None, touching: Iterable[str], speed: float, seed: int
) -> tuple[PlanRequest, PlanRequest]:
    """Return requests of the free and the straight part, whose goals are still to be put in."""
    fast = FREE_SPEED if carried is None else CARRY_SPEED
    free = PlanRequest(PoseGoal(()), velocity_scaling=fast, attached=held_set(carried), seed=seed)
    return free, replace(free, velocity_scaling=speed, touching=frozenset(touching))


def _nearest(reached: Pose, options: Sequence[Option]) -> Option:
    """Return the option that begins at a pose."""

    def gap(option: Option) -> float:
        distance, angle = reached.distance_to(option.before)
        return distance + 0.1 * angle

    return min(options, key=gap)


def _in_posture(robot: Robot, option: Option, free: PlanRequest, straight: PlanRequest) -> Approach:
    """Plan an approach that ends in the option's own posture: back from there, then to where that began.

    Raises:
        PlanningError: there is none, or the posture is unknown.
    """
    if option.positions is None:
        raise PlanningError("no posture is known for this pose")
    back = robot.plan(replace(straight, goal=CartesianGoal((option.before,)), start=option.positions))
    begin = back.positions[-1]
    there = robot.plan(replace(free, goal=JointGoal(begin)))
    down = robot.plan(replace(straight, goal=CartesianGoal((option.at,)), start=begin))
    return Approach(there, down, option)


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
    """Close the empty fingers, to push with them.

    Raises:
        SkillFailure: something is between them.
        ExecutionError, CancelledError: as for `Robot.grip`.
    """
    result = robot.grip(0.0, RELEASE_FORCE)
    if not result.reached:
        raise SkillFailure(f"the fingers do not close: they stopped at {1e3 * result.opening:.0f} mm")


def retreat(robot: Robot, touching: Iterable[str], distance: float = RETREAT_DISTANCE) -> bool:
    """Move straight back along the fingers, or else straight up, as far as there is room.

    Args:
        robot: moves.
        touching: objects that the gripper may touch on the way.
        distance: how far at most [m].

    Returns:
        Whether it moved at all.

    Raises:
        ExecutionError: the motion was aborted.
        CancelledError: `Robot.cancel` was called.
        StaleStateError: the robot fell silent.
    """
    here, near = robot.grasp_pose(), frozenset(touching)
    for share in (1.0, 0.5, 0.25):
        for target in (backed(here, share * distance), raised(here, share * distance)):
            with contextlib.suppress(PlanningError):
                motion = straight_to(robot, [target], touching=near)
                robot.follow(motion)
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
    except (CancelledError, StaleStateError):
        raise
    except (SkillFailure, PlanningError, ExecutionError):
        phase("retreat")
        if held_object(robot) is None:
            _escape(robot, touching)
        raise


def _escape(robot: Robot, touching: Iterable[str]) -> None:
    """Open the fingers and move away; what cannot be done is left undone."""
    try:
        robot.grip(robot.description.gripper.max_opening, RELEASE_FORCE)
        retreat(robot, touching)
    except (CancelledError, StaleStateError):
        raise
    except ExecutionError:
        return
