"""The planner that the ancestors use, as a baseline: RRT-Connect in plain Python.

After Kuffner and LaValle, "RRT-Connect: an efficient approach to single-query path planning" (2000), in the
form in which "Scaling Up and Distilling Down" (2023) uses it: trees are extended greedily by straight
segments in joint space, cut so finely that the tool moves by `RESOLUTION` from state to state, every state
becomes a node, the nearest node is looked for by the tool's distance, and `PASSES` random shortcuts smooth
the result.

Two things are kinder here than there: the tool's pose is computed once for every node instead of
for every comparison, and no samples are spent on inverse kinematics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skillet_core.geometry import Array, Pose

RESOLUTION = 0.004
"""Tool's distance between neighbouring states of a segment, in `Metric`."""
TURN_WEIGHT = 0.2
"""Metres that a radian of the tool's turn counts as."""
ITERATIONS, PASSES = 1000, 100
NEAR_SHARE, NEAR_WIDTH = 0.5, 0.2
"""Share of samples drawn near start or goal, and how near, as a share of the joints' ranges."""


@dataclass(frozen=True)
class Problem:
    """What both planners are asked: positions of shape (n,) [rad], and what is free."""

    start: Array
    goal: Array
    is_free: Callable[[Array], bool]
    tool: Callable[[Array], Pose]
    lower: Array
    upper: Array


class _Node:
    def __init__(self, problem: Problem, positions: Array, parent: _Node | None = None) -> None:
        self.positions, self.parent = positions, parent
        self.tool = problem.tool(positions)

    def to_root(self) -> list[Array]:
        node: _Node | None = self
        path = []
        while node is not None:
            path.append(node.positions)
            node = node.parent
        return path


def _distance(first: Pose, second: Pose) -> float:
    shift, turn = first.distance_to(second)
    return shift + TURN_WEIGHT * turn


def _segment(problem: Problem, first: Array, second: Array) -> list[Array]:
    distance = _distance(problem.tool(first), problem.tool(second))
    if distance == 0.0:
        return []
    shares = np.arange(0.0, 1.0, RESOLUTION / distance)
    return [*(first + (second - first) * share for share in shares), second]


def _sample(problem: Problem, rng: np.random.Generator) -> Array:
    if rng.random() > NEAR_SHARE:
        return rng.uniform(problem.lower, problem.upper)
    center = problem.goal if rng.random() > NEAR_SHARE else problem.start
    reach = NEAR_WIDTH * (problem.upper - problem.lower)
    return np.clip(center + rng.uniform(-reach, reach), problem.lower, problem.upper)


def _grow(problem: Problem, nodes: list[_Node], target: _Node | Array) -> _Node:
    """Extend a tree towards a target as far as it is free; return the last node."""
    positions = target.positions if isinstance(target, _Node) else target
    tool = target.tool if isinstance(target, _Node) else problem.tool(target)
    last = min(nodes, key=lambda node: _distance(node.tool, tool))
    for state in _segment(problem, last.positions, positions):
        if not problem.is_free(state):
            break
        last = _Node(problem, state, last)
        nodes.append(last)
    return last


def _smooth(problem: Problem, path: list[Array], rng: np.random.Generator) -> list[Array]:
    for _ in range(PASSES):
        if len(path) <= 2:  # noqa: PLR2004 - nothing in between
            break
        first, second = sorted(rng.integers(0, len(path) - 1, size=2))
        if second - first <= 1:
            continue
        shortcut = _segment(problem, path[first], path[second])
        if len(shortcut) < second - first and all(problem.is_free(state) for state in shortcut):
            path = [*path[: first + 1], *shortcut, *path[second + 1 :]]
    return path


def plan(problem: Problem, seed: int) -> list[Array] | None:
    """Search a path from start to goal; None: there was none within `ITERATIONS`.

    Args:
        problem: start and goal are free.
        seed: of the random draws.
    """
    rng = np.random.default_rng(seed)
    straight = _segment(problem, problem.start, problem.goal)
    if all(problem.is_free(state) for state in straight):
        return [problem.start, *straight]
    trees = [_Node(problem, problem.start)], [_Node(problem, problem.goal)]
    for _ in range(ITERATIONS):
        one, other = sorted(trees, key=len)
        first = _grow(problem, one, _sample(problem, rng))
        second = _grow(problem, other, first)
        if np.array_equal(first.positions, second.positions):
            forth, back = first.to_root(), second.to_root()
            if one is trees[1]:
                forth, back = back, forth
            return _smooth(problem, [*reversed(forth), *back[1:]], rng)
    return None
