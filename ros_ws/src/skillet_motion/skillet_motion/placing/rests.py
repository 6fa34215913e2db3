"""How an object can rest: the sides of its convex hull that its centre of mass lies over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from skillet_core.geometry import Array

LEAST_MARGIN = 0.001
"""An object whose centre of mass is nearer to the edge than this does not rest [m]."""
_SAME_FACE = np.cos(np.deg2rad(3.0))
_ON_FACE = 2e-4


@dataclass(frozen=True, eq=False)
class StableRest:
    """A side to lie on.

    Attributes:
        down: the side's outward normal in the object's frame, unit, shape (3,).
        margin: from the centre of mass, seen along the normal, to the nearest edge of the side [m].
    """

    down: Array
    margin: float

    def rotation(self, held: Rotation) -> tuple[Rotation, float]:
        """Return the orientation that rests on this side, nearest to one, and the turn to it [rad]."""
        direction = held.apply(self.down)
        axis, cosine = np.cross(direction, [0.0, 0.0, -1.0]), -direction[2]
        sine = float(np.linalg.norm(axis))
        angle = float(np.arctan2(sine, cosine))
        # Straight against the wish: any horizontal axis turns it over.
        axis = axis / sine if sine > 1e-9 else np.array([1.0, 0.0, 0.0])  # noqa: PLR2004
        return Rotation.from_rotvec(angle * axis) * held, angle


def stable_rests(vertices: Array, center_of_mass: Array) -> list[StableRest]:
    """Return the sides that an object rests on, safest first.

    Args:
        vertices: of its shapes, shape (k, 3) [m], not all in a plane.
        center_of_mass: same frame, shape (3,) [m].
    """
    hull = ConvexHull(vertices)
    rests: list[StableRest] = []
    for equation in hull.equations:
        normal = equation[:3]
        if any(normal @ rest.down > _SAME_FACE for rest in rests):
            continue
        on_face = vertices[vertices @ normal + equation[3] > -_ON_FACE]
        margin = _margin(on_face, normal, center_of_mass)
        if margin > LEAST_MARGIN:
            rests.append(StableRest(normal, margin))
    return sorted(rests, key=lambda rest: -rest.margin)


def _margin(points: Array, normal: Array, center: Array) -> float:
    """Return how far inside the points' outline, seen along a normal, a point is; negative: outside."""
    first = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    first /= np.linalg.norm(first)
    plane = np.stack([first, np.cross(normal, first)], axis=1)
    edges = ConvexHull(points @ plane).equations
    return float(-(edges[:, :2] @ (center @ plane) + edges[:, 2]).max())
