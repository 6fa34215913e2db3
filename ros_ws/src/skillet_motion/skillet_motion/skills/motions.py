"""Moves that several skills share: free and straight ones, approaches, retreats."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from skillet_core.errors import PlanningError
from skillet_core.geometry import Array, Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_core.robot_interface import Robot
from skillet_core.scene import Box
from skillet_core.trajectory import JointTrajectory
from skillet_motion.skills.carrying import held_object
from skillet_motion.skills.skill import FAILURES, INTERRUPTIONS, PhaseCallback, SkillFailure

FREE_SPEED, CARRY_SPEED, LINEAR_SPEED, CONTACT_SPEED = 0.6, 0.4, 0.25, 0.15
"""Shares of the velocity limits: empty-handed, carrying, straight, and while pushing or pulling."""
RELEASE_FORCE, GRASP_FORCE = 20.0, 40.0
"""Forces of the fingers when they open and when they close [N]."""
APPROACH_DISTANCE = 0.09
"""Length of the straight part of an approach [m]."""
RETREAT_DISTANCE = 0.10
"""Length of the straight way out, where there is room for it [m]."""
RETREAT_SHARES = (1.0, 0.75, 0.5, 0.25)
"""Shares of it that are tried, where the room is less."""
RECOVERY_LEAD = 1.0
"""Time in which an arm that was blocked is led back to where it is [s]."""
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
    """The motions of an approach, each beginning where the one before ends.

    Attributes:
        there: the free motion to before the option's pose.
        straight: from there to the pose.
        onward: what is to be done from there; stands still where nothing was asked for.
        option: which of the options it is.
    """

    there: JointTrajectory
    straight: JointTrajectory
    onward: JointTrajectory
    option: Option


@dataclass(frozen=True, eq=False)
class Onward:
    """What follows an approach, planned with it so that no approach ends where it cannot go on.

    Attributes:
        waypoints: of the grasp frame in the world frame, from the pose where the approach ends.
        speed: share of the velocity limits.
        allowed: pairs of bodies that may touch meanwhile.
    """

    waypoints: Callable[[Pose], Sequence[Pose]]
    speed: float
    allowed: frozenset[tuple[str, str]] = frozenset()


def _nowhere(pose: Pose) -> Sequence[Pose]:
    return (pose,)


NOTHING = Onward(_nowhere, 1.0)
"""An approach is all that there is to do."""


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


@dataclass(frozen=True, eq=False)
class _Templates:
    """Requests of an approach's parts, whose goals are still to be put in."""

    free: PlanRequest
    straight: PlanRequest
    onward: Onward

    @classmethod
    def of(cls, carried: str | None, touching: Iterable[str], seed: int, onward: Onward) -> _Templates:
        fast = FREE_SPEED if carried is None else CARRY_SPEED
        free = PlanRequest(PoseGoal(()), velocity_scaling=fast, attached=held_set(carried), seed=seed)
        straight = replace(free, velocity_scaling=LINEAR_SPEED, touching=frozenset(touching))
        return cls(free, straight, onward)

    def from_before(self, robot: Robot, there: JointTrajectory, option: Option) -> Approach:
        """Plan the straight part and what follows."""
        goal = CartesianGoal((option.at,))
        straight = robot.plan(replace(self.straight, goal=goal, start=there.positions[-1]))
        follows = replace(
            self.straight,
            goal=CartesianGoal(tuple(self.onward.waypoints(option.at))),
            start=straight.positions[-1],
            velocity_scaling=self.onward.speed,
            allowed_contacts=self.onward.allowed,
        )
        return Approach(there, straight, robot.plan(follows), option)


def approach(
    robot: Robot,
    options: Sequence[Option],
    *,
    carried: str | None = None,
    touching: Iterable[str] = (),
    onward: Onward = NOTHING,
    tries: int = STRAIGHT_TRIES,
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
        onward: what the approach is for, planned along with it.
        tries: how many options may be left out.
        seed: of the planner.

    Returns:
        The motions, each beginning where the one before ends.

    Raises:
        PlanningError: no option is possible; the reason is that of the first.
    """
    templates = _Templates.of(carried, touching, seed, onward)
    left, reasons = list(options), list[PlanningError]()
    while left and len(reasons) < tries:
        goal = PoseGoal(tuple(option.before for option in left))
        try:
            there = robot.plan(replace(templates.free, goal=goal))
        except PlanningError as error:
            reasons.append(error)
            break
        option = _nearest(robot.grasp_pose(there.positions[-1]), left)
        try:
            return templates.from_before(robot, there, option)
        except PlanningError as error:
            reasons.append(error)
            left.remove(option)
    for option in options:
        with contextlib.suppress(PlanningError):
            return _in_posture(robot, option, templates)
    raise reasons[0]


def _nearest(reached: Pose, options: Sequence[Option]) -> Option:
    """Return the option that begins at a pose."""

    def gap(option: Option) -> float:
        distance, angle = reached.distance_to(option.before)
        return distance + 0.1 * angle

    return min(options, key=gap)


def _in_posture(robot: Robot, option: Option, templates: _Templates) -> Approach:
    """Plan an approach that ends in the option's own posture: back from there, then to where that began.

    Raises:
        PlanningError: there is none, or the posture is unknown.
    """
    if option.positions is None:
        raise PlanningError("no posture is known for this pose")
    goal = CartesianGoal((option.before,))
    back = robot.plan(replace(templates.straight, goal=goal, start=option.positions))
    there = robot.plan(replace(templates.free, goal=JointGoal(back.positions[-1])))
    return templates.from_before(robot, there, option)


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
