"""Geometry of parts that move on a joint: where a pose on them goes, and how to push it there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.geometry import Array, Pose
from skillet_core.scene import Articulation, Box
from skillet_motion.grasping.search import APPROACH_DISTANCE
from skillet_motion.skills.approach import Option
from skillet_motion.skills.motions import backed

ARC_STEP = 0.1
"""Largest turn between two waypoints on an arc [rad]: at 0.35 m the chord leaves the arc by 0.4 mm."""
TILTS = (0.0, 0.4, 0.8, 1.2)
"""How far closed fingers may point further down than they push [rad]."""
ROLLS = tuple(np.arange(8) * np.pi / 4)
"""Turns of closed fingers about themselves that are tried [rad]."""


def moved(pose: Pose, joint: Articulation, part: Pose, by: float, *, turn: float = 1.0) -> Pose:
    """Return where a pose on a part goes when its joint moves.

    Args:
        pose: in the world frame.
        joint: of the part.
        part: the part's frame in the world frame, before.
        by: how far the joint moves [m or rad].
        turn: share of the rotation that the pose takes part in; its position takes part in all of it.
    """
    axis = part.rotation.apply(np.array(joint.axis))
    if joint.kind == "prismatic":
        return Pose(pose.position + by * axis, pose.rotation)
    centre = part.apply(np.array(joint.origin))
    position = centre + Rotation.from_rotvec(by * axis).apply(pose.position - centre)
    return Pose(position, Rotation.from_rotvec(turn * by * axis) * pose.rotation)


def path(pose: Pose, joint: Articulation, part: Pose, by: float, *, turn: float = 1.0) -> list[Pose]:
    """Return waypoints of a pose while the joint moves by so much, the end included; see `moved`."""
    count = 1 if joint.kind == "prismatic" else max(1, int(np.ceil(abs(by) / ARC_STEP)))
    return [moved(pose, joint, part, by * (step + 1) / count, turn=turn) for step in range(count)]


def direction(point: Array, joint: Articulation, part: Pose, sign: float) -> Array:
    """Return the unit direction in the world frame in which a point on the part starts to move.

    Args:
        point: shape (3,), world frame [m].
        joint: of the part.
        part: the part's frame in the world frame.
        sign: of the joint's motion.
    """
    small = 1e-6 * np.sign(sign)
    step = moved(Pose(point), joint, part, small).position - point
    return np.asarray(step / np.linalg.norm(step), dtype=np.float64)


def outermost(box: Box, part: Pose, outward: Array) -> Array:
    """Return the point where a ray from a box's centre leaves it, shape (3,), world frame [m].

    Args:
        box: in the part's frame.
        part: its frame in the world frame.
        outward: unit direction, shape (3,), world frame.
    """
    local = part.rotation.inv().apply(outward)
    half = np.array(box.size) / 2
    reach = float(np.min(half / np.maximum(np.abs(local), 1e-9)))
    return np.asarray(part.apply(np.array(box.center)) + reach * outward, dtype=np.float64)


def fingertip_options(
    point: Array,
    along: Array,
    fingertip: float,
    *,
    tilts: Sequence[float] = TILTS,
    distance: float = APPROACH_DISTANCE,
) -> list[Option]:
    """Return ways to bring closed fingertips to a point, pointing along a direction or further down.

    Args:
        point: shape (3,), world frame [m].
        along: unit direction, shape (3,), world frame.
        fingertip: how far closed fingers reach past the grasp frame [m].
        tilts: turns towards straight down [rad].
        distance: of the straight part of the approach [m].
    """
    down = np.array([0.0, 0.0, -1.0])
    axis = np.cross(along, down)
    length = float(np.linalg.norm(axis))
    if length < 1e-3:  # noqa: PLR2004 - it points down already
        axis, length, tilts = np.array([1.0, 0.0, 0.0]), 1.0, (0.0,)
    lean = float(np.arctan2(length, along @ down))
    options = []
    for tilt in tilts:
        if tilt > lean:
            continue
        z = Rotation.from_rotvec(tilt * axis / length).apply(along)
        aligned, _ = Rotation.align_vectors([z], [[0.0, 0.0, 1.0]])
        for roll in ROLLS:
            rotation = aligned * Rotation.from_euler("z", roll)
            at = Pose(point - fingertip * z, rotation)
            options.append(Option(backed(at, distance), at))
    return options
