"""Straight lines of the grasp frame: continuation of the inverse kinematics, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Array, Pose
from skillet_motion.collision import CollisionWorld, listed
from skillet_motion.kinematics import ArmKinematics

STEP, TURN_STEP = 0.01, 0.05
"""Largest move [m] and turn [rad] of the grasp frame between two solutions on the line."""
JUMP = 0.25
"""Largest change of a joint between two solutions [rad]; more is a jump through a singularity."""
STRAIGHTNESS = 1e-3
"""How far the frame may be from the line halfway between two solutions [m]; in rad: `JUMP` / 10."""
DRIFT = 0.02
"""How far each spare joint may drift towards its rest for each `STEP` [rad], twice."""
CORNER = np.deg2rad(30.0)
"""Sharpest change of direction that a motion passes without coming to rest [rad]."""
_NOTHING = 1e-6
_SHORTEST = 3e-5, 3e-4
"""Shorter lines [m], [rad] are within the accuracy of the solutions: following them moves nothing."""


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
class _Line:
    """A way on which position moves linearly and orientation turns about one fixed axis, in step.

    Attributes:
        twist: direction and size in multiples of `STEP` and `TURN_STEP`, shape (6,).
        targets: for each step, where it is half done and where it ends: positions and quaternions
            x, y, z, w, shape (k, 2, 7).
        label: for people.
    """

    twist: Array
    targets: Array
    label: str


def cartesian_path(
    kinematics: ArmKinematics, world: CollisionWorld, start: Array, waypoints: Sequence[Pose]
) -> CartesianPath:
    """Follow straight lines from where the frame is at ``start`` through poses in order.

    Args:
        kinematics: of the frame.
        world: asked whether the way is free.
        start: arm positions, shape (n,) [rad].
        waypoints: poses of the frame in the world frame. An arc is many of them, closely spaced.

    Raises:
        PlanningError: says how far along which line. `GOAL_UNREACHABLE`: it leaves the arm's reach or
            passes a singularity, through which the arm would jump or leave the line.
            `GOAL_IN_COLLISION`: the last pose is blocked. `NO_PATH`: the way to it is.
    """
    lines = _lines([kinematics.forward(start), *waypoints])
    points, stops = [start], []
    for number, line in enumerate(lines):
        if number and _angle(lines[number - 1].twist, line.twist) > CORNER:
            stops.append(len(points) - 1)
        _follow(line, points, kinematics, world, is_last=number == len(lines) - 1)
    return CartesianPath(np.array(points), tuple(stops))


def _lines(poses: Sequence[Pose]) -> list[_Line]:
    """Return the lines between poses that differ; all at once, because single rotations cost most."""
    positions = np.array([pose.position for pose in poses])
    rotations = Rotation.from_quat([pose.quaternion for pose in poses])
    moves, turns = np.diff(positions, axis=0), (rotations[1:] * rotations[:-1].inv()).as_rotvec()
    sizes = np.column_stack([np.linalg.norm(moves, axis=1), np.linalg.norm(turns, axis=1)])
    kept = np.flatnonzero((sizes > _SHORTEST).any(axis=1))
    if not len(kept):
        return []
    counts = np.ceil((sizes[kept] / (STEP, TURN_STEP)).max(axis=1) - _NOTHING).astype(int)
    shares = np.concatenate([np.arange(1, 2 * count + 1) / (2 * count) for count in counts])[:, np.newaxis]
    index = np.repeat(kept, 2 * counts)
    turned = Rotation.from_rotvec(shares * turns[index]) * rotations[index]
    targets = np.hstack([positions[index] + shares * moves[index], turned.as_quat()])
    lines = []
    for line, part in zip(kept, np.split(targets.reshape(-1, 2, 7), np.cumsum(counts)[:-1]), strict=True):
        distance, angle = sizes[line]
        label = f"{distance:.3f} m" if distance > _NOTHING else f"{angle:.3f} rad"
        if len(moves) > 1:
            label += f" to waypoint {line + 1} of {len(moves)}"
        lines.append(_Line(np.concatenate([moves[line] / STEP, turns[line] / TURN_STEP]), part, label))
    return lines


def _follow(
    line: _Line, points: list[Array], kinematics: ArmKinematics, world: CollisionWorld, *, is_last: bool
) -> None:
    """Append the solutions along a line; the descent to each starts at the one before."""
    count = len(line.targets)
    drift = DRIFT * min(1.0, float(np.linalg.norm(line.twist)) / count)
    for step, (halfway, target) in enumerate(line.targets):
        before = points[-1]
        where = f"at {100 * step / count:.0f} % of the {line.label}"
        solution = kinematics.solve(target, before, drift=drift)
        if solution is None:
            raise PlanningError(
                f"the straight line leaves the arm's reach {where}", PlanningFailure.GOAL_UNREACHABLE
            )
        if _jumps(kinematics, before, solution, halfway):
            raise PlanningError(
                f"the straight line passes too close to a singularity {where}",
                PlanningFailure.GOAL_UNREACHABLE,
            )
        if not world.segment_is_free(before, solution):
            at_end = world.overlaps(solution)
            overlaps = at_end or world.overlaps((solution + before) / 2)
            raise PlanningError(
                f"the straight line is blocked {where}: {listed(overlaps) or 'between two steps'}",
                PlanningFailure.GOAL_IN_COLLISION
                if at_end and is_last and step == count - 1
                else PlanningFailure.NO_PATH,
            )
        points.append(solution)


def _jumps(kinematics: ArmKinematics, before: Array, after: Array, halfway: Array) -> bool:
    """Whether the arm would leave the line between two solutions on it."""
    if float(np.abs(after - before).max()) > JUMP:
        return True
    distance, angle = kinematics.deviation((before + after) / 2, halfway)
    return distance > STRAIGHTNESS or angle > JUMP / 10


def _angle(first: Array, second: Array) -> float:
    cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))
