"""Antipodal grasp candidates: two surface points that face each other, and a way for the fingers to them.

Two contacts with friction hold an object when the line between them lies in both friction cones
(Nguyen, "Constructing Force-Closure Grasps", 1988). Everything here is in the object's frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skillet_core.geometry import Array
from skillet_core.manipulation import GraspMode, Surface
from skillet_motion.grasping.hand import PadTable

FRICTION = 0.5
"""Assumed between pad and object; rubber on most things has more."""
SQUEEZE_MARGIN = 0.003
"""The object must be narrower than the widest opening by this [m]."""
THINNEST = 0.002
"""Thinner things slip out between the pads [m]."""
ANGLE_STEP, WIDEST_ANGLE = np.deg2rad(15.0), np.deg2rad(90.0)
"""Grid of the approach directions about the closing axis, from the preferred one."""
PALM_GAP = 0.004
"""Gap kept between palm and object [m]."""
_LEVEL = np.sin(np.deg2rad(20.0))
_PREFERENCE = 1.0
_SHARPNESS = 6
_BESIDE = 0.003
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Possible grasps in the object's frame, k of them.

    Attributes:
        positions: of the grasp frame, shape (k, 3) [m].
        axes: its x, y, z axes as columns, shape (k, 3, 3).
        widths: of the object between the pads, shape (k,) [m].
        depths: how far the object's surface reaches in between the fingers, shape (k,) [m].
        antipodality: 0 to 1, how squarely the surface faces the pads where they touch, shape (k,).
        pairs: how many pairs of opposite points there were, before any was drawn.
        too_wide: how many more there would be with a wider gripper.
    """

    positions: Array
    axes: Array
    widths: Array
    depths: Array
    antipodality: Array
    pairs: int
    too_wide: int

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.positions)

    def chosen(self, index: Indices) -> Candidates:
        """Return some of them, in the order of the indices."""
        return Candidates(
            self.positions[index],
            self.axes[index],
            self.widths[index],
            self.depths[index],
            self.antipodality[index],
            self.pairs,
            self.too_wide,
        )


def sample(
    surface: Surface,
    toward: Array,
    pads: PadTable,
    count: int,
    rng: np.random.Generator,
    *,
    mode: GraspMode = "6dof",
) -> Candidates:
    """Draw candidates and place the fingers at them.

    Args:
        surface: of the object.
        toward: preferred direction to approach in, unit, shape (3,): down, for what lies on a table.
        pads: of the gripper.
        count: how many to draw.
        rng: draws them.
        mode: ``planar``: approach along ``toward`` alone and close across it.

    Returns:
        At most ``count``, fewer where the pads would have nothing between them.
    """
    widest = float(pads.openings[-1]) - SQUEEZE_MARGIN
    first, second, sharpness, too_wide = _opposite(surface, widest)
    if mode == "planar" and len(first):
        across = surface.normals[second] - surface.normals[first]
        level = np.abs(across @ toward) < _LEVEL * np.linalg.norm(across, axis=1)
        first, second, sharpness = first[level], second[level], sharpness[level]
    if len(first) == 0:
        return _none(too_wide)
    weights = sharpness**_SHARPNESS
    drawn = rng.choice(len(first), size=count, p=weights / weights.sum())
    first, second = first[drawn], second[drawn]
    closing = surface.normals[second] - surface.normals[first]
    if mode == "planar":
        closing -= np.outer(closing @ toward, toward)
    closing = _unit(closing)
    approach = _approaches(closing, toward, rng, mode)
    axes = np.stack([np.cross(closing, approach), closing, approach], axis=2)
    middle = (surface.points[first] + surface.points[second]) / 2
    gap = np.linalg.norm(surface.points[second] - surface.points[first], axis=1)
    fitted = _fit(surface, middle, axes, gap, pads)
    return Candidates(*fitted, pairs=len(weights), too_wide=too_wide)


def _opposite(surface: Surface, widest: float) -> tuple[Indices, Indices, Array, int]:
    """Return indices of points that face away from each other, and how squarely, 0 to 1."""
    points, normals = surface.points, surface.normals
    # Distances and angles of all pairs by matrix products: memory stays at a few (k, k) tables.
    along = normals @ points.T
    own = np.einsum("ki,ki->k", normals, points)
    squares = np.einsum("ki,ki->k", points, points)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * points @ points.T, 1e-12))
    leaving = (along - own[:, None]) / distance
    # row i: cosine between i's outward normal and the direction away from j
    cosine = np.minimum(-leaving, -leaving.T)
    square = (cosine > np.cos(np.arctan(FRICTION))) & (distance > THINNEST)
    square = np.triu(square, 1)
    fits = square & (distance < widest)
    first, second = np.nonzero(fits)
    return first, second, cosine[first, second], int(square.sum()) - len(first)


def _approaches(closing: Array, toward: Array, rng: np.random.Generator, mode: GraspMode) -> Array:
    """Return a unit approach direction across each closing direction, shape (k, 3)."""
    if mode == "planar":
        return np.broadcast_to(toward, closing.shape).copy()
    base = toward - (closing @ toward)[:, None] * closing
    # A vertical closing direction leaves no preference: any direction across it will do.
    spare = np.cross(closing, np.eye(3)[np.argmin(np.abs(closing), axis=1)])
    vertical = np.linalg.norm(base, axis=1) < _LEVEL
    base = _unit(np.where(vertical[:, None], spare, base))
    steps = round(WIDEST_ANGLE / ANGLE_STEP)
    grid = np.arange(-steps, steps + 1) * ANGLE_STEP
    weights = np.exp(-_PREFERENCE * np.abs(grid))
    angles = rng.choice(grid, size=len(closing), p=weights / weights.sum())
    free = rng.uniform(-np.pi, np.pi, len(closing))
    angles = np.where(vertical, free, angles)[:, None]
    return np.asarray(base * np.cos(angles) + np.cross(closing, base) * np.sin(angles))


def _fit(
    surface: Surface, middle: Array, axes: Array, gap: Array, pads: PadTable
) -> tuple[Array, Array, Array, Array, Array]:
    """Push the pads in over the surface and centre them on it: position, axes, width, depth, antipodality."""
    # One matrix product an axis: coordinates of every point in every candidate's frame.
    x, y, z = (
        axis @ surface.points.T - np.einsum("ki,ki->k", axis, middle)[:, None]
        for axis in np.moveaxis(axes, 2, 0)
    )
    lower, upper, palm = (np.interp(gap, pads.openings, row) for row in (pads.lower, pads.upper, pads.palm))
    column = (np.abs(x) < pads.half_width) & (np.abs(y) < gap[:, None] / 2 + _BESIDE)
    near = np.where(column, z, np.inf).min(axis=1)
    far = np.where(column, z, -np.inf).max(axis=1)
    shift = _push(near, far, lower, upper, palm)
    window = column & (z > (shift + lower)[:, None]) & (z < (shift + upper)[:, None])
    top = np.where(window, y, -np.inf).max(axis=1)
    bottom = np.where(window, y, np.inf).min(axis=1)
    facing = axes[:, :, 1] @ surface.normals.T
    right = window & (y > top[:, None] - _BESIDE) & (facing > 0.0)
    left = window & (y < bottom[:, None] + _BESIDE) & (facing < 0.0)
    sides = [(_mean(side, np.abs(facing)), _mean(side, x)) for side in (right, left)]
    antipodality = np.minimum(sides[0][0], sides[1][0])
    touched = right.any(axis=1) & left.any(axis=1)
    top, bottom = np.where(touched, top, 0.0), np.where(touched, bottom, 0.0)
    # The pads touch where the surface stands out: over the middle of both patches.
    offset = np.stack([(sides[0][1] + sides[1][1]) / 2, (top + bottom) / 2, shift], axis=1)
    positions = middle + np.einsum("kij,kj->ki", axes, offset)
    widths, depths = top - bottom, shift + upper - near
    limit = pads.openings[-1] - SQUEEZE_MARGIN
    keep = touched & (widths > THINNEST) & (widths < limit)
    return positions[keep], axes[keep], widths[keep], depths[keep], antipodality[keep]


def _push(near: Array, far: Array, lower: Array, upper: Array, palm: Array) -> Array:
    """Return how far to move the grasp frame along the approach from the pair's middle, shape (k,) [m].

    The pads' middle comes over the pair, but not so near the object's edge that only a sliver of the
    pad would touch, and the palm stays clear of the object.
    """
    half = (upper - lower) / 2
    reach = np.minimum(half, (far - near) / 2)
    wanted = np.clip(0.0, near + reach, far - reach) - (upper + lower) / 2
    return np.asarray(np.minimum(wanted, near - palm - PALM_GAP))


def _mean(mask: Array, values: Array) -> Array:
    return np.asarray(np.where(mask, values, 0.0).sum(axis=1) / np.maximum(mask.sum(axis=1), 1))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _none(too_wide: int) -> Candidates:
    empty = np.zeros(0)
    return Candidates(np.zeros((0, 3)), np.zeros((0, 3, 3)), empty, empty, empty, 0, too_wide)
