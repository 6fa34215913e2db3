"""Where on a floor an outline has room: free places among the outlines of other things."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from skillet_core.geometry import Array, Pose
from skillet_core.scene import Box

SPACING = 0.03
"""Between neighbouring spots [m]."""
WALL_GAP = 0.004
"""Kept between an outline and the floor's edge [m]."""
FARTHEST = 0.4
"""Spots farther from the wish are not looked at [m]."""
_DENSE = 0.01


@dataclass(frozen=True, eq=False)
class Outline:
    """A convex outline seen from above.

    Attributes:
        points: along its edge, no further apart than a centimetre, shape (k, 2) [m].
        edges: outward unit normal and offset of each side: ``n @ p + d <= 0`` inside, shape (m, 3).
    """

    points: Array
    edges: Array

    @classmethod
    def of(cls, vertices: Array) -> Outline:
        """Return the outline of points, shape (k, 2 or 3) [m]."""
        hull = ConvexHull(vertices[:, :2])
        corners = vertices[hull.vertices, :2]
        sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
        dense = [
            np.linspace(a, b, 1 + int(np.ceil(np.linalg.norm(b - a) / _DENSE)), endpoint=False)
            for a, b in sides
        ]
        return cls(np.concatenate(dense), hull.equations)

    @property
    def circle(self) -> tuple[Array, float]:
        """Centre, shape (2,), and radius of a circle around it [m]."""
        center = (self.points.min(axis=0) + self.points.max(axis=0)) / 2
        return center, float(np.linalg.norm(self.points - center, axis=1).max())

    def room(self, other: Outline, shifts: Array, enough: float) -> Array:
        """Return a lower bound of the gap to another outline when this one is shifted, shape (k,) [m].

        Args:
            other: stays where it is.
            shifts: shape (k, 2) [m].
            enough: larger gaps count as this [m].
        """
        (own, radius), (their, reach) = self.circle, other.circle
        room = np.full(len(shifts), enough)
        away = np.linalg.norm(shifts + own - their, axis=1) - radius - reach
        close = np.flatnonzero(away < enough)
        theirs = _height(self.edges, other.points[None] - shifts[close, None])
        ours = _height(other.edges, self.points[None] + shifts[close, None])
        room[close] = np.minimum(enough, np.minimum(theirs.min(axis=1), ours.min(axis=1)))
        return room


def spots(floor: Box, frame: Pose, outline: Outline, wish: Array, *, inset: float = WALL_GAP) -> Array:
    """Return points of a floor that an outline around the origin can be put at, nearest to a wish first.

    A floor that is too narrow still has its middle line.

    Args:
        floor: its lower face, in its frame.
        frame: of the floor in the world frame; its z axis is vertical.
        outline: in world directions.
        wish: world frame, shape (3,) [m].
        inset: kept to the floor's edge [m].

    Returns:
        World frame, shape (k, 3) [m].
    """
    into = frame.rotation.inv().as_matrix()[:2, :2]
    turned = outline.points @ into.T
    lower = floor.lower[:2] - turned.min(axis=0) + inset
    upper = floor.upper[:2] - turned.max(axis=0) - inset
    middle = (lower + upper) / 2
    lower, upper = np.minimum(lower, middle), np.maximum(upper, middle)
    near = np.clip(frame.inverse().apply(wish)[:2], lower, upper)
    # The grid hangs on the nearest possible point, so that a wish that can be met is met exactly.
    axes = [
        anchor + SPACING * np.arange(-np.floor((anchor - a) / SPACING), np.floor((b - anchor) / SPACING) + 1)
        for a, b, anchor in zip(lower, upper, near, strict=True)
    ]
    points = frame.apply(np.array(list(itertools.product(*axes, [floor.lower[2]]))))
    away = np.linalg.norm((points - wish)[:, :2], axis=1)
    order = np.argsort(away, kind="stable")
    return np.asarray(points[order][away[order] < away.min() + FARTHEST])


def _height(edges: Array, points: Array) -> Array:
    """Return how far points, shape (k, m, 2), are outside of a convex outline at least, shape (k, m)."""
    return np.asarray((points @ edges[:, :2].T + edges[:, 2]).max(axis=-1))
