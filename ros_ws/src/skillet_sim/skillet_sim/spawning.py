"""Random places for objects, apart from each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.errors import SkilletError
from skillet_core.geometry import Array, Pose
from skillet_core.scene import ObjectDescription, Rest, TaskDescription

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
            draws: Mapping[str, Iterable[_Draw]] = {name: [_draw(o, rng)] for name, o in spawned.items()}
        else:
            draws = {name: _draws(o, rng) for name, o in largest_first.items()}
        poses = _place(draws, task, obstacles)
        if poses is not None:
            return {name: poses[name] for name in spawned}
    msg = (
        f"task {task.name}: no arrangement of {', '.join(spawned)} with gaps of {task.clearance} m "
        f"in {_ALL_AT_ONCE + _ROUNDS} tries. Widen the spawn regions or lower the clearance."
    )
    raise SpawnError(msg)


def _place(
    draws: Mapping[str, Iterable[_Draw]], task: TaskDescription, obstacles: list[Array]
) -> dict[str, Pose] | None:
    """Give each object the first of its poses that keeps clear of all before it; None if there is none."""
    placed, poses = list(obstacles), {}
    for name, candidates in draws.items():
        for draw in candidates:
            pose = draw.pose()
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
    edges = np.array([first[1] - first[0], first[3] - first[0], second[1] - second[0], second[3] - second[0]])
    axes = edges / np.hypot(edges[:, 0], edges[:, 1])[:, None]
    a, b = axes @ first.T, axes @ second.T
    return float(np.maximum(a.min(axis=1) - b.max(axis=1), b.min(axis=1) - a.max(axis=1)).max())


class _Draw(NamedTuple):
    """Numbers that were drawn for one object; most are rejected before their pose is needed."""

    position: Array
    yaw: float
    rest: Rest | None

    def pose(self) -> Pose:
        turn = Rotation.from_euler("z", self.yaw)
        if self.rest is None:
            return Pose(self.position, turn)
        raised = self.position + np.array([0.0, 0.0, self.rest.height])
        return Pose(raised, turn * Rotation.from_euler("xyz", self.rest.rpy))


def _draw(description: ObjectDescription, rng: np.random.Generator) -> _Draw:
    spawn = description.spawn
    if spawn is None:
        msg = "only objects with a spawn region are drawn"
        raise ValueError(msg)
    position, yaw = rng.uniform(spawn.lower, spawn.upper), float(rng.uniform(*spawn.yaw))
    rest = spawn.rests[int(rng.integers(len(spawn.rests)))] if spawn.rests else None
    return _Draw(position, yaw, rest)


def _draws(description: ObjectDescription, rng: np.random.Generator) -> Iterator[_Draw]:
    for _ in range(_DRAWS):
        yield _draw(description, rng)


def _footprint(description: ObjectDescription, pose: Pose) -> Array:
    """Return the corners of the rectangle on the table under an object's bounds, shape (4, 2) [m].

    Its sides are along the object's own axis that is nearest to the horizontal: tight for an object
    that stands or lies on a side of its bounds.
    """
    axes = pose.rotation.as_matrix()[:2]
    x, y = axes[:, np.linalg.norm(axes, axis=0).argmax()]
    sides = np.array([(x, y), (-y, x)]) / np.hypot(x, y)
    half = np.abs(sides @ axes) @ (np.array(description.bounds.size) / 2)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    middle = pose.position[:2] + axes @ np.array(description.bounds.center)
    outline: Array = middle + corners @ sides
    return outline
