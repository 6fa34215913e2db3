"""The search for a free path: OMPL's RRT-Connect, then shortcuts. The same seed gives the same path."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import ompl.base as ob
import ompl.geometric as og
import ompl.util as ou

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Array
from skillet_core.motion import PlannerName

Free = Callable[[Array], bool]

CHECK_STEP = 0.008
"""Distance between the states checked on a segment [rad].

At a reach of 0.9 m this is 7 mm, and an edge between two states cuts half of that: the padding.
"""
_RANGE = 1.0
_SHORTCUT_STEPS, _SHORTCUT_EMPTY_STEPS = 40, 15
_SETTINGS = threading.Lock()
"""OMPL's seed is one for the whole process, so that searches of several threads must take turns."""

_UNUSED_SPACE = ob.SpaceInformation(ob.RealVectorStateSpace(1))


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        waypoints: corners of the path, shape (k, n) [rad], start and goal included; None: none found.
        iterations: how many it took.
    """

    waypoints: Array | None
    iterations: int


def segment_is_free(start: Array, end: Array, is_free: Free) -> bool:
    """Whether the straight segment in joint space is free; its start is taken to be so.

    Checks the end first, then ever finer: what collides usually does in the middle.
    """
    count = max(1, int(np.ceil(float(np.linalg.norm(end - start)) / CHECK_STEP)))
    return all(is_free(start + (end - start) * fraction) for fraction in _outside_in(count))


class _SegmentValidator(ob.MotionValidator):  # type: ignore[misc]
    """Lets OMPL check motions as `segment_is_free` does, so that what it accepts is accepted here."""

    def __init__(self, is_free: Free, dof: int) -> None:
        # Not the space that it is used in: the two would keep each other alive for ever.
        super().__init__(_UNUSED_SPACE)
        self._is_free, self._whole = is_free, slice(0, dof)

    def checkMotion(self, first: ob.State, second: ob.State) -> bool:  # noqa: N802 - OMPL's name
        start, end = np.array(first[self._whole]), np.array(second[self._whole])
        return segment_is_free(start, end, self._is_free)


def polyline_is_free(points: Array, is_free: Free) -> bool:
    """Whether every straight segment between neighbouring points, shape (k, n), is free."""
    return is_free(points[0]) and all(
        segment_is_free(start, end, is_free) for start, end in itertools.pairwise(points)
    )


def _outside_in(count: int) -> Array:
    """Order the fractions 1/count to 1 from far apart to close: 1, 1/2, 1/4, 3/4 and so on."""
    ticks = np.arange(1, count + 1)
    # The position of the lowest set bit says in which round of halving a tick comes.
    coarseness = (ticks & -ticks) if count > 1 else ticks
    order = np.argsort(-coarseness, kind="stable")
    return np.asarray(np.concatenate([[1.0], ticks[order][ticks[order] != count] / count]))


def find_path(
    start: Array,
    goals: Sequence[Array],
    is_free: Free,
    *,
    lower: Array,
    upper: Array,
    seed: int,
    iterations: int,
    planner: PlannerName = "rrt_connect",
) -> SearchResult:
    """Search a free path from the start to any of the goals.

    RRT-Connect comes first in any case. The other planners spend the iterations that it leaves over
    on a shorter path, and the shorter one is the answer.

    Args:
        start: shape (n,) [rad], free.
        goals: at least one, each of shape (n,) [rad], free.
        is_free: whether positions of shape (n,) are free.
        lower: bounds of the search, shape (n,) [rad]; start and goals are within.
        upper: bounds of the search, shape (n,) [rad].
        seed: of the random draws, >= 0.
        iterations: after how many to give up. Time does not matter, so that the outcome is the same
            on every machine.
        planner: what searches.

    Raises:
        UnknownNameError: there is no such planner.
    """
    if planner not in _PLANNERS:
        raise UnknownNameError("planner", planner, _PLANNERS)
    with _SETTINGS:
        ou.noOutputHandler()
        # OMPL numbers its generators in the order of their creation, after this seed; 0 is refused.
        ou.RNG.setSeed(seed % (2**31 - 1) + 1)
        information = _space_information(lower, upper, is_free)
        first = _solve("rrt_connect", start, goals, information, iterations)
        if planner == "rrt_connect" or first.waypoints is None:
            return first
        second = _solve(planner, start, goals, information, iterations - first.iterations)
        total = first.iterations + second.iterations
        if second.waypoints is None or path_length(first.waypoints) <= path_length(second.waypoints):
            return SearchResult(first.waypoints, total)
        return SearchResult(second.waypoints, total)


def path_length(waypoints: Array) -> float:
    """Return the length of a polyline, shape (k, n), in joint space [rad]."""
    return float(np.linalg.norm(np.diff(waypoints, axis=0), axis=1).sum())


def _solve(
    name: PlannerName,
    start: Array,
    goals: Sequence[Array],
    information: ob.SpaceInformation,
    iterations: int,
) -> SearchResult:
    problem = ob.ProblemDefinition(information)
    problem.addStartState(_state(information, start))
    targets = ob.GoalStates(information)
    for goal in goals:
        targets.addState(_state(information, goal))
    problem.setGoal(targets)
    problem.setOptimizationObjective(ob.PathLengthOptimizationObjective(information))
    planner = _PLANNERS[name](information)
    planner.setProblemDefinition(problem)
    planner.setup()
    done = 0

    def exhausted() -> bool:
        nonlocal done
        done += 1
        return done > iterations

    planner.solve(ob.PlannerTerminationCondition(exhausted))
    done = min(done, iterations)
    if not problem.hasExactSolution():
        return SearchResult(None, done)
    path = problem.getSolutionPath()
    simplifier = og.PathSimplifier(information)
    simplifier.reduceVertices(path, _SHORTCUT_STEPS, _SHORTCUT_EMPTY_STEPS)
    simplifier.partialShortcutPath(path, _SHORTCUT_STEPS, _SHORTCUT_EMPTY_STEPS)
    simplifier.reduceVertices(path, _SHORTCUT_STEPS, _SHORTCUT_EMPTY_STEPS)
    dof = len(start)
    return SearchResult(_distinct(np.array([state[0:dof] for state in path.getStates()])), done)


def _rrt_connect(information: ob.SpaceInformation) -> ob.Planner:
    planner = og.RRTConnect(information)
    planner.setRange(_RANGE)
    return planner


def _rrt_star(information: ob.SpaceInformation) -> ob.Planner:
    planner = og.RRTstar(information)
    planner.setRange(_RANGE)
    return planner


_PLANNERS: dict[str, Callable[[ob.SpaceInformation], ob.Planner]] = {
    "rrt_connect": _rrt_connect,
    "rrt_star": _rrt_star,
    "bit_star": og.BITstar,
}


def _space_information(lower: Array, upper: Array, is_free: Free) -> ob.SpaceInformation:
    dof = len(lower)
    space = ob.RealVectorStateSpace(dof)
    bounds = ob.RealVectorBounds(dof)
    for joint in range(dof):
        bounds.setLow(joint, float(lower[joint]))
        bounds.setHigh(joint, float(upper[joint]))
    space.setBounds(bounds)
    information = ob.SpaceInformation(space)
    whole = slice(0, dof)
    information.setStateValidityChecker(lambda state: bool(is_free(state[whole])))
    information.setMotionValidator(_SegmentValidator(is_free, dof))
    information.setup()
    return information


def _state(information: ob.SpaceInformation, positions: Array) -> ob.State:
    state = information.allocState()
    for joint, position in enumerate(positions):
        state[joint] = float(position)
    return state


def _distinct(waypoints: Array) -> Array:
    """Drop waypoints that repeat the one before."""
    moved = np.linalg.norm(np.diff(waypoints, axis=0), axis=1) > 1e-6  # noqa: PLR2004 - numerical noise
    return np.asarray(waypoints[np.concatenate([[True], moved])])
