"""Random places for objects, apart from each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import SkilletError
from skillet_core.geometry import Array, Pose
from skillet_core.scene import ObjectDescription, TaskDescription

_ALL_AT_ONCE = 150
"""Arrangements to draw as a whole. Three blocks need eight on average."""
_ROUNDS, _DRAWS = 50, 100
"""Arrangements to draw piece by piece, and draws for each piece."""


class SpawnError(SkilletError):
    """A task's spawn regions are too small for its objects and the clearance that it asks for."""


def sample_poses(task: TaskDescription, fixed: dict[str, Pose], rng: np.random.Generator) -> dict[str, Pose]:
    """Draw a pose in the world frame for every object that has a spawn region.

    All objects are drawn anew until every gap is wide enough, so the result is uniform among the
    arrangements that are allowed. Where those are too rare to be met, objects are placed one after
    another, the largest first, each drawn until it fits (random sequential adsorption).

    Args:
        task: what to place, and the least gap.
        fixed: where the objects without a spawn region are.
        rng: every draw comes from it.

    Raises:
        SpawnError: no arrangement was found.
    """
    spawned = {name: o for name, o in task.objects.items() if o.spawn is not None}
    largest_first = dict(sorted(spawned.items(), key=lambda item: -float(np.prod(item[1].bounds.size))))
    obstacles = [
        _footprint(task.objects[name], pose)
        for name, pose in fixed.items()
        if name not in spawned and task.objects[name].kind != "surface"
    ]
    for attempt in range(_ALL_AT_ONCE + _ROUNDS):
        if attempt < _ALL_AT_ONCE:
            drawn = {name: _draw(description, rng) for name, description in spawned.items()}
            poses = _place({name: itertools.repeat(pose, 1) for name, pose in drawn.items()}, task, obstacles)
        else:
            draws = {name: (_draw(o, rng) for _ in range(_DRAWS)) for name, o in largest_first.items()}
            poses = _place(draws, task, obstacles)
        if poses is not None:
            return {name: poses[name] for name in spawned}
    msg = (
        f"task {task.name}: no arrangement of {', '.join(spawned)} with gaps of {task.clearance} m "
        f"in {_ALL_AT_ONCE + _ROUNDS} tries. Widen the spawn regions or lower the clearance."
    )
    raise SpawnError(msg)


def _place(
    draws: Mapping[str, Iterable[Pose]], task: TaskDescription, obstacles: list[Array]
) -> dict[str, Pose] | None:
    """Give each object the first of its poses that keeps clear of all before it; None if there is none."""
    placed, poses = list(obstacles), {}
    for name, candidates in draws.items():
        for pose in candidates:
            footprint = _footprint(task.objects[name], pose)
            if all(footprint_gap(footprint, other) >= task.clearance for other in placed):
                placed.append(footprint)
                poses[name] = pose
                break
        else:
            return None
    return poses


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
    turn = Pose(position, Rotation.from_euler("z", rng.uniform(*spawn.yaw)))
    if not spawn.rests:
        return turn
    rest = spawn.rests[int(rng.integers(len(spawn.rests)))]
    return turn @ Pose.from_xyz_rpy((0.0, 0.0, rest.height), rest.rpy)


def _footprint(description: ObjectDescription, pose: Pose) -> Array:
    """Return the corners of the rectangle on the table under an object's bounds, shape (4, 2) [m].

    Its sides are along the horizontal parts of the object's own axes: exact for an object that stands
    or lies on a side of its bounds.
    """
    lower, upper = description.bounds.lower, description.bounds.upper
    axes = pose.rotation.as_matrix()
    along = axes[:2, np.linalg.norm(axes[:2], axis=0).argmax()]
    along = along / np.linalg.norm(along)
    frame = np.array([along, (-along[1], along[0])])
    corners = np.array(list(itertools.product(*zip(lower, upper, strict=True))))
    local = pose.apply(corners)[:, :2] @ frame.T
    (x0, y0), (x1, y1) = local.min(axis=0), local.max(axis=0)
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) @ frame
