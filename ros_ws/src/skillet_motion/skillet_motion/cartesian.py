"""Straight lines of the grasp frame: continuation of the inverse kinematics, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Array, Pose
from skillet_motion.collision import CollisionWorld, listed
from skillet_motion.kinematics import ArmKinematics
from skillet_motion.search import segment_is_free

STEP, TURN_STEP = 0.01, 0.05
"""Largest move [m] and turn [rad] of the grasp frame between two solutions on the line."""
JUMP = 0.25
"""Largest change of a joint between two solutions [rad]; more is a jump through a singularity."""
STRAIGHTNESS = 1e-3
"""How far the frame may be from the line halfway between two solutions [m]; in rad: `JUMP` / 10."""
CORNER = np.deg2rad(30.0)
"""Sharpest change of direction that a motion passes without coming to rest [rad]."""
_NOTHING = 1e-6


@dataclass(frozen=True, eq=False)
class CartesianPath:
    """What `cartesian_path` found.

    Attributes:
        points: arm positions, shape (k, n) [rad], the start first; k = 1: it is already there.
        stops: indices of points at which the direction changes sharply, rising, neither end among them.
            There the motion has to come to rest to keep to the lines.
    """

    points: Array
    stops: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Leg:
    """The way from one pose to the next; position moves linearly, orientation about one fixed axis."""

    start: Pose
    move: Array  # shape (3,) [m]
    turn: Array  # rotation vector in the world frame, shape (3,) [rad]
    label: str

    @property
    def twist(self) -> Array:
        """Direction and size in multiples of `STEP` and `TURN_STEP`, shape (6,)."""
        return np.concatenate([self.move / STEP, self.turn / TURN_STEP])

    def poses(self, fractions: Array) -> list[Pose]:
        """Return the poses at shares of the way, shape (k,)."""
        shares = fractions[:, np.newaxis]
        rotations = Rotation.from_rotvec(shares * self.turn) * self.start.rotation
        return [Pose(*pair) for pair in zip(self.start.position + shares * self.move, rotations, strict=True)]


def cartesian_path(
    kinematics: ArmKinematics,
    world: CollisionWorld,
    start: Array,
    waypoints: Sequence[Pose],
    *,
    lower: Array,
    upper: Array,
) -> CartesianPath:
    """Follow straight lines from where the frame is at ``start`` through poses in order.

    Args:
        kinematics: of the frame.
        world: asked whether the way is free.
        start: arm positions, shape (n,) [rad].
        waypoints: poses of the frame in the world frame. An arc is many of them, closely spaced.
        lower: position limits, shape (n,) [rad].
        upper: position limits, shape (n,) [rad].

    Raises:
        PlanningError: says how far along which line. `GOAL_UNREACHABLE`: it leaves the arm's reach or
            passes a singularity, through which the arm would jump or leave the line.
            `GOAL_IN_COLLISION`: the last pose is blocked. `NO_PATH`: the way to it is.
    """
    legs = list(_legs(kinematics.forward(start), waypoints))
    points, stops = [start], []
    for number, leg in enumerate(legs):
        if number and _angle(legs[number - 1].twist, leg.twist) > CORNER:
            stops.append(len(points) - 1)
        _follow(leg, points, kinematics, world, (lower, upper), is_last=number == len(legs) - 1)
    return CartesianPath(np.array(points), tuple(stops))


def straight_line(
    kinematics: ArmKinematics,
    world: CollisionWorld,
    start: Array,
    target: Pose,
    *,
    lower: Array,
    upper: Array,
) -> Array:
    """Follow one line: see `cartesian_path`, which replaces this."""
    return cartesian_path(kinematics, world, start, (target,), lower=lower, upper=upper).points


def _legs(pose: Pose, waypoints: Sequence[Pose]) -> Iterator[_Leg]:
    """Yield the ways between poses that differ."""
    for number, target in enumerate(waypoints, start=1):
        move = target.position - pose.position
        turn = (target.rotation * pose.rotation.inv()).as_rotvec()
        distance, angle = float(np.linalg.norm(move)), float(np.linalg.norm(turn))
        if distance < _NOTHING and angle < _NOTHING:
            continue
        size = f"{distance:.3f} m" if distance > _NOTHING else f"{angle:.3f} rad"
        which = f" to waypoint {number} of {len(waypoints)}" if len(waypoints) > 1 else ""
        yield _Leg(pose, move, turn, f"{size}{which}")
        pose = target


def _follow(
    leg: _Leg,
    points: list[Array],
    kinematics: ArmKinematics,
    world: CollisionWorld,
    limits: tuple[Array, Array],
    *,
    is_last: bool,
) -> None:
    """Append the solutions along a way; each is the start of the search for the next."""
    count = int(np.ceil(max(np.linalg.norm(leg.twist[:3]), np.linalg.norm(leg.twist[3:]))))
    # Twice as fine: every other pose is the halfway point at which straightness is looked at.
    poses = leg.poses(np.arange(1, 2 * count + 1) / (2 * count))
    for step, (halfway, pose) in enumerate(zip(poses[::2], poses[1::2], strict=True)):
        before = points[-1]
        # The next step resembles the last: extrapolating starts the descent closer to its end.
        guess = before if len(points) == 1 else np.clip(2 * before - points[-2], *limits)
        where = f"at {100 * step / count:.0f} % of the {leg.label}"
        solution = kinematics.solve(pose, guess)
        if solution is None:
            raise PlanningError(
                f"the straight line leaves the arm's reach {where}", PlanningFailure.GOAL_UNREACHABLE
            )
        if _jumps(kinematics, before, solution, halfway):
            raise PlanningError(
                f"the straight line passes too close to a singularity {where}",
                PlanningFailure.GOAL_UNREACHABLE,
            )
        if not segment_is_free(before, solution, world.is_free):
            at_end = world.overlaps(solution)
            overlaps = at_end or world.overlaps((solution + before) / 2)
            raise PlanningError(
                f"the straight line is blocked {where}: {listed(overlaps) or 'between two steps'}",
                PlanningFailure.GOAL_IN_COLLISION
                if at_end and is_last and step == count - 1
                else PlanningFailure.NO_PATH,
            )
        points.append(solution)


def _jumps(kinematics: ArmKinematics, before: Array, after: Array, halfway: Pose) -> bool:
    """Whether the arm would leave the line between two solutions on it."""
    if float(np.abs(after - before).max()) > JUMP:
        return True
    distance, angle = kinematics.deviation((before + after) / 2, halfway)
    return distance > STRAIGHTNESS or angle > JUMP / 10


def _angle(first: Array, second: Array) -> float:
    cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))
