"""Approaches: a free motion to before a pose, a straight one to it, and what is to be done from there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from skillet_core.errors import PlanningError
from skillet_core.geometry import Array, Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_core.robot_interface import Robot
from skillet_core.trajectory import JointTrajectory
from skillet_motion.skills.motions import CARRY_SPEED, FREE_SPEED, LINEAR_SPEED, held_set

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
