"""Where there is room to put something down: in a container's hollow or on a surface's top."""

from __future__ import annotations

import itertools

import numpy as np

from skillet_core.geometry import Array, Pose
from skillet_core.scene import Box, SceneState, TaskDescription

MAX_SPOTS = 5
"""How many places are tried."""
_SPACING = 0.03


def free_spots(
    task: TaskDescription, scene: SceneState, target: str, carried: str, margin: float
) -> list[Array]:
    """Return points of the target's floor around which a carried object has room, best first.

    In a container the middle is best; on a surface, which may be larger than the arm's reach, the
    place nearest to where the object is now.

    Args:
        task: describes target and objects.
        scene: where they are.
        target: a container (its interior's floor) or a surface (its top).
        carried: the object to put down; the others are in its way.
        margin: room for the fingers around the object [m].

    Returns:
        At most `MAX_SPOTS` points in the world frame, shape (3,) each; empty: the target is full.
    """
    floor, pose = floor_of(task, target), scene.object(target).pose
    bounds = task.object(carried).bounds
    radius = footprint_radius(bounds)
    points = pose.apply(_grid(floor, radius + margin))
    others = _others(task, scene, target, carried)
    room = np.array([_room(point, others) for point in points]) - radius
    wish = pose.apply(np.array(floor.center))
    if task.object(target).interior is None:
        wish = scene.object(carried).pose.apply(np.array(bounds.center))
    distance = np.linalg.norm((points - wish)[:, :2], axis=1)
    # Up to the fingers' width, room is worth a longer way; beyond it, it is worth nothing.
    order = np.argsort(distance - 4.0 * np.minimum(room, margin), kind="stable")
    return [points[index] for index in order if room[index] > 0.0][:MAX_SPOTS]


def _grid(floor: Box, border: float) -> Array:
    """Return points of a box's lower face at least a border away from its sides, shape (k, 3).

    A box that is too narrow for that still has its middle line.
    """
    half = np.maximum(np.array(floor.size[:2]) / 2 - border, 0.0)
    x, y = (
        np.linspace(-side, side, 2 * int(side / _SPACING) + 1) + middle
        for side, middle in zip(half, floor.center[:2], strict=True)
    )
    return np.array(list(itertools.product(x, y, [floor.lower[2]])))


def floor_of(task: TaskDescription, target: str) -> Box:
    """Return the box whose lower face things are put down on, in the target's frame.

    For a container it is the interior; for a surface, an empty box above it.
    """
    described = task.object(target)
    if described.interior is not None:
        return described.interior
    bounds = described.bounds
    center = (bounds.center[0], bounds.center[1], float(bounds.upper[2]))
    return Box(center=center, size=(bounds.size[0], bounds.size[1], 0.0))


def footprint_radius(bounds: Box) -> float:
    """Return the radius of the circle that an upright object's footprint fits into, however turned [m]."""
    return float(np.hypot(bounds.size[0], bounds.size[1]) / 2)


def lowest_point(bounds: Box, pose: Pose) -> float:
    """Return the height of a box's lowest corner in the world frame [m]."""
    corners = np.array(list(itertools.product(*zip(bounds.lower, bounds.upper, strict=True))))
    return float(pose.apply(corners)[:, 2].min())


def _others(task: TaskDescription, scene: SceneState, target: str, carried: str) -> list[tuple[Array, float]]:
    """Return the position and footprint radius of every other movable object."""
    return [
        (scene.object(name).pose.apply(np.array(entry.bounds.center)), footprint_radius(entry.bounds))
        for name, entry in task.objects.items()
        if name not in {target, carried} and entry.kind == "movable"
    ]


def _room(point: Array, others: list[tuple[Array, float]]) -> float:
    """Return the horizontal distance to the edge of the nearest object [m]."""
    return min(
        (float(np.linalg.norm(center[:2] - point[:2])) - radius for center, radius in others), default=1.0
    )
