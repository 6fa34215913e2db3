"""Random places for objects, apart from each other."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import SkilletError
from skillet_core.geometry import Array, Pose
from skillet_core.scene import ObjectDescription, TaskDescription

_ATTEMPTS = 2000


class SpawnError(SkilletError):
    """A task's spawn regions are too small for its objects and the clearance that it asks for."""


def sample_poses(task: TaskDescription, fixed: dict[str, Pose], rng: np.random.Generator) -> dict[str, Pose]:
    """Draw a pose in the world frame for every object that has a spawn region.

    All objects are drawn anew until every gap is wide enough, so the result is uniform among the
    arrangements that are allowed.

    Args:
        task: what to place, and the least gap.
        fixed: where the objects without a spawn region are.
        rng: every draw comes from it.

    Raises:
        SpawnError: no arrangement was found.
    """
    spawned = {name: o for name, o in task.objects.items() if o.spawn is not None}
    obstacles = [
        _corners(task.objects[name], pose)
        for name, pose in fixed.items()
        if name not in spawned and task.objects[name].kind != "surface"
    ]
    for _ in range(_ATTEMPTS):
        poses = {name: _draw(description, rng) for name, description in spawned.items()}
        placed = list(obstacles)
        for name, pose in poses.items():
            corners = _corners(spawned[name], pose)
            if any(footprint_gap(corners, other) < task.clearance for other in placed):
                break
            placed.append(corners)
        else:
            return poses
    msg = (
        f"task {task.name}: no arrangement of {', '.join(spawned)} with gaps of {task.clearance} m "
        f"in {_ATTEMPTS} tries. Widen the spawn regions or lower the clearance."
    )
    raise SpawnError(msg)


def footprint_gap(first: Array, second: Array) -> float:
    """Return a lower bound of the gap between two rectangles on the table [m]; negative: they overlap.

    It is the widest separation along the rectangles' own axes (separating axis theorem).

    Args:
        first: corners in order around the rectangle, shape (4, 2) [m].
        second: likewise.
    """
    gap = -np.inf
    for corners in (first, second):
        for edge in (corners[1] - corners[0], corners[3] - corners[0]):
            axis = edge / np.linalg.norm(edge)
            a, b = first @ axis, second @ axis
            gap = max(gap, float(max(a.min() - b.max(), b.min() - a.max())))
    return gap


def _draw(description: ObjectDescription, rng: np.random.Generator) -> Pose:
    spawn = description.spawn
    if spawn is None:
        msg = "only objects with a spawn region are drawn"
        raise ValueError(msg)
    position = rng.uniform(spawn.lower, spawn.upper)
    return Pose(position, Rotation.from_euler("z", rng.uniform(*spawn.yaw)))


def _corners(description: ObjectDescription, pose: Pose) -> Array:
    (x0, y0, z), (x1, y1, _) = description.bounds.lower, description.bounds.upper
    local = np.array([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)])
    return pose.apply(local)[:, :2]
