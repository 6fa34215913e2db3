"""How far the arm may move before anything can touch: conservative advancement along segments in joint space.

After Mirtich's "Impulse-based dynamic simulation of rigid body systems" (1996) and Schwarzer, Saha and
Latombe's "Exact collision checking of robot paths" (2002): a distance between two shapes, divided by how
fast they can approach each other, is a part of the segment on which they cannot meet.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import mujoco
import numpy as np
from numpy.typing import NDArray

from skillet_core.geometry import Array

_ACCURACY = 1e-5
"""Far above what MuJoCo's distances are off [m]."""
_BLOCK = 0.25
"""Distances are measured where the arm can move this far or less [m]: farther, they clear next to nothing."""
_ENDLESS = 1e3
_PLANE = int(mujoco.mjtGeom.mjGEOM_PLANE)


@dataclass(frozen=True, eq=False)
class ShapePairs:
    """Pairs of collision shapes of which one moves relative to the other when the arm moves.

    Attributes:
        model: that the shapes belong to.
        data: where they are.
        geoms: of each pair, shape (k, 2); those with a shape of the scene, which stands still, come first.
        gaps: what has to be left between them, negative where they may overlap, shape (k,) [m].
        levers: largest displacement of one shape's points relative to the other's for a turn of each
            joint, shape (k, n) [m/rad].
        scene: how many of the pairs have a shape of the scene.
    """

    model: mujoco.MjModel
    data: mujoco.MjData
    geoms: NDArray[np.int64]
    gaps: Array
    levers: Array
    scene: int

    def near(self, places: Array, reaches: Array) -> list[list[int]]:
        """Return for each of some states which pairs might meet nearby, by bounds of their distances.

        Args:
            places: centers of all shapes at each state, shape (m, shapes, 3) [m].
            reaches: how far each pair's shapes can approach each other nearby, shape (k,) [m].
        """
        bounds = np.concatenate([self._to_scene(places), self._to_each_other(places)], axis=1)
        # Where a sphere overlaps with a box, the distance may be anything.
        near = (reaches > 0.0) & ((bounds <= 0.0) | (bounds <= self.gaps + reaches))
        return [np.flatnonzero(state).tolist() for state in near]

    def uncleared(self, pairs: list[int], moves: list[float], width: float) -> tuple[list[int], float]:
        """Return which pairs could meet nearby of where they are now, and within which distance none does.

        Args:
            pairs: indices of those to look at.
            moves: how far each pair's shapes can approach each other in a step, k numbers [m], > 0.
            width: steps before and after this state that matter.

        Returns:
            Indices, and a number of steps, at most ``width``; negative: two shapes are too close now.
        """
        left, steps = [], width
        model, data, measure, table = self.model, self.data, mujoco.mj_geomDistance, self._table
        for pair in pairs:
            one, other, gap = table[pair]
            need = gap + width * moves[pair]
            # A distance beyond the one that is asked for is reported as that.
            distance = measure(model, data, one, other, max(need, _ACCURACY), None)
            if distance < need:
                left.append(pair)
                steps = min(steps, (distance - gap) / moves[pair])
        return left, steps

    @cached_property
    def _table(self) -> list[tuple[int, int, float]]:
        one, other = self.geoms.T.tolist()
        return list(zip(one, other, (self.gaps + _ACCURACY).tolist(), strict=True))

    @cached_property
    def _boxes(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Array, Array, Array]:
        """What moves, each pair's place in the table of it and the scene, and the scene's boxes.

        Frames, shape (3, 3 s), and centers and half sizes in these frames, shape (3 s,).
        """
        model, data = self.model, self.data
        movers, row = np.unique(self.geoms[: self.scene, 0], return_inverse=True)
        fixed, column = np.unique(self.geoms[: self.scene, 1], return_inverse=True)
        frames = data.geom_xmat[fixed].reshape(-1, 3, 3)
        centers, halves = model.geom_aabb[fixed, :3].copy(), model.geom_aabb[fixed, 3:].copy()
        planes = model.geom_type[fixed] == _PLANE
        centers[planes], halves[planes] = (0.0, 0.0, -_ENDLESS), _ENDLESS
        centers += np.einsum("kij,ki->kj", frames, data.geom_xpos[fixed])
        side_by_side = frames.transpose(1, 0, 2).reshape(3, -1)
        return movers, row * len(fixed) + column, side_by_side, centers.ravel(), halves.ravel()

    def _to_scene(self, places: Array) -> Array:
        """Return lower bounds of distances from shapes' spheres to the scene's boxes, shape (m, scene)."""
        movers, cells, frames, centers, halves = self._boxes
        outside = places[:, movers].reshape(-1, 3) @ frames
        outside -= centers
        np.abs(outside, out=outside)
        outside -= halves
        np.maximum(outside, 0.0, out=outside)
        outside *= outside
        squares = outside.reshape(len(outside), -1, 3).sum(axis=2).reshape(len(places), -1)
        return np.asarray(np.sqrt(squares[:, cells]) - self.model.geom_rbound[self.geoms[: self.scene, 0]])

    def _to_each_other(self, places: Array) -> Array:
        """Return lower bounds of distances between what moves: of spheres, shape (m, k - scene)."""
        one, other = self.geoms[self.scene :].T
        offsets = places[:, one] - places[:, other]
        radii = self.model.geom_rbound[one] + self.model.geom_rbound[other]
        return np.asarray(np.sqrt(np.einsum("mki,mki->mk", offsets, offsets)) - radii)


def shape_pairs(
    model: mujoco.MjModel, data: mujoco.MjData, arm: NDArray[np.int64], links: NDArray[np.int64], gaps: Array
) -> ShapePairs:
    """Return the pairs of shapes that MuJoCo checks and the arm moves relative to each other.

    Args:
        model: with contact masks as they are checked.
        data: with forward kinematics computed, for any position of the arm.
        arm: the arm's joints, each of which turns all that come after it.
        links: how many of these joints move each body, shape (bodies,).
        gaps: what has to be left between two bodies, minus infinity where nothing has to, shape
            (bodies, bodies) [m].
    """
    bodies = model.geom_bodyid
    moved = np.flatnonzero(links[bodies])
    own, others = bodies[moved][:, None], bodies
    wanted = _seen(model, moved) & (links[own] > links[others]) & np.isfinite(gaps[own, others])
    row, second = np.nonzero(wanted)
    first = moved[row]
    order = np.argsort(links[bodies[second]] > 0, kind="stable")
    first, second = first[order], second[order]
    anchors = data.xanchor[arm]
    # The distance between neighbouring joints never changes; stretched out, a link is their sum away.
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(anchors, axis=0), axis=1))])
    last = links[bodies[first]] - 1
    beyond = np.linalg.norm(data.geom_xpos[first] - anchors[last], axis=1) + model.geom_rbound[first]
    joints = np.arange(len(arm))
    between = (joints >= links[bodies[second]][:, None]) & (joints <= last[:, None])
    levers = np.where(between, along[last][:, None] - along + beyond[:, None], 0.0)
    return ShapePairs(
        model,
        data,
        np.stack([first, second], axis=1),
        gaps[bodies[first], bodies[second]],
        levers,
        int(np.sum(links[bodies[second]] == 0)),
    )


def stays_clear(
    points: Array, pairs: ShapePairs, move: Callable[[Array], None], is_free: Callable[[Array], bool]
) -> bool:
    """Whether a curve is free at all of its points but the first: most of them are proven to be.

    Args:
        points: arm positions, shape (m, n), m >= 3 [rad].
        pairs: that could collide.
        move: puts the shapes where they are at arm positions.
        is_free: checks what is too close to be proven.
    """
    last = len(points) - 1
    if not (is_free(points[last]) and is_free(points[last // 2])):
        return False
    step_moves = pairs.levers @ np.abs(np.diff(points, axis=0)).max(axis=0)
    count = int(np.ceil(last * step_moves.max() / _BLOCK)) + 1
    ends = np.linspace(0, last - 1, count + 1).astype(int).tolist()
    blocks = [(begin + 1, end) for begin, end in itertools.pairwise(ends) if begin < end]
    half = max(end - begin for begin, end in blocks) / 2 + 1.0
    places = np.empty((len(blocks), pairs.model.ngeom, 3))
    for place, block in zip(places, blocks, strict=True):
        move(points[sum(block) // 2])
        place[:] = pairs.data.geom_xpos
    near = pairs.near(places, half * step_moves)
    moves = step_moves.tolist()
    stretches = deque((*block, left) for block, left in zip(blocks, near, strict=True))
    while stretches:
        begin, end, left = stretches.popleft()
        if begin > end or not left:
            continue
        middle, steps = (begin + end) // 2, -1.0
        if begin < end:
            move(points[middle])
            left, steps = pairs.uncleared(left, moves, end - middle + 0.5)
        if steps < 0.0 and not is_free(points[middle]):
            return False
        covered = max(0, int(steps - 0.5))
        stretches.append((begin, middle - covered - 1, left))
        stretches.append((middle + covered + 1, end, left))
    return True


def links_of_bodies(model: mujoco.MjModel, arm: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of the arm's joints move each body, shape (bodies,)."""
    own = np.bincount(model.jnt_bodyid[arm], minlength=model.nbody)
    links = np.zeros(model.nbody, dtype=np.int64)
    for body in range(1, model.nbody):
        links[body] = links[model.body_parentid[body]] + own[body]
    return links


def _seen(model: mujoco.MjModel, shapes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which shapes MuJoCo looks at together with these: its own filters, shape (k, geoms)."""
    types, affinities = model.geom_contype, model.geom_conaffinity
    masked = (types[shapes, None] & affinities) | (affinities[shapes, None] & types)
    weld = model.body_weldid
    parent = weld[model.body_parentid[weld]]
    related = (weld[:, None] == weld) | ((weld[:, None] == parent) & (weld[:, None] != 0) & (weld != 0))
    signatures = model.exclude_signature
    related[signatures >> 16, signatures & 0xFFFF] = True
    bodies = model.geom_bodyid
    return np.asarray((masked != 0) & ~(related | related.T)[bodies[shapes][:, None], bodies])
