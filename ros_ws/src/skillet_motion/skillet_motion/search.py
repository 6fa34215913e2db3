"""The search for a free path: OMPL's planners, then cut corners. The same seed gives the same path.

RRT-Connect is Kuffner and LaValle's (2000), RRT* Karaman and Frazzoli's (2011), BIT* Gammell,
Srinivasa and Barfoot's (2015).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import ompl.base as ob
import ompl.geometric as og
import ompl.util as ou

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Array
from skillet_core.motion import PlannerName

Free = Callable[[Array], bool]
SegmentFree = Callable[[Array, Array], bool]
"""Whether the straight segment between two positions is free, checked as finely as `CHECK_STEP`."""

CHECK_STEP = 0.008
"""Distance between the states checked on a segment [rad].

At a reach of 0.9 m this is 7 mm, and an edge between two states cuts half of that: the padding.
"""
COARSE_STEP = 0.05
"""The same while a path is looked for [rad]: what it finds is then checked finely, and nearly always free."""
ITERATIONS: dict[PlannerName, int] = {"rrt_connect": 6000, "rrt_star": 1000, "bit_star": 2000}
"""Each planner's own number of iterations. Those of the last two cost about a second or two."""
_WINDOW, _WINDOW_SHARE = 1.6, 1 / 3
_RANGE = 1.0
# RRT* checks the way to every neighbour of a new state: shorter ones are worth more.
_STAR_RANGE = 0.5
_SHORTCUT_STEPS, _SHORTCUT_EMPTY_STEPS = 20, 8
_HALVINGS = 3
# Of what seems to be free: a path that all but touches what was checked coarsely may well touch it.
_CUT = 0.85
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


def segment_is_free(start: Array, end: Array, is_free: Free, step: float = CHECK_STEP) -> bool:
    """Whether the straight segment in joint space is free; its start is taken to be so.

    Checks the end first, then ever finer: what collides usually does in the middle.
    """
    count = max(1, int(np.ceil(float(np.linalg.norm(end - start)) / step)))
    return all(map(is_free, start + _outside_in(count)[:, None] * (end - start)))


class _SegmentValidator(ob.MotionValidator):  # type: ignore[misc]
    """Lets OMPL check motions as they are checked here, so that what it accepts is accepted."""

    def __init__(self, segment_free: SegmentFree, dof: int) -> None:
        # Not the space that it is used in: the two would keep each other alive for ever.
        super().__init__(_UNUSED_SPACE)
        self._segment_free, self._whole = segment_free, slice(0, dof)

    def checkMotion(self, first: ob.State, second: ob.State) -> bool:  # noqa: N802 - OMPL's name
        start, end = np.array(first[self._whole]), np.array(second[self._whole])
        return self._segment_free(start, end)


@lru_cache(maxsize=1024)
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
    iterations: int | None = None,
    planner: PlannerName = "rrt_connect",
    segment_free: SegmentFree | None = None,
) -> SearchResult:
    """Search a free path from the start to any of the goals.

    RRT-Connect comes first in any case: in a window around start and goals, then within the bounds.
    Another planner spends the iterations that are left on a shorter path, among the points of which
    such a path can consist.

    Args:
        start: shape (n,) [rad], free.
        goals: at least one, each of shape (n,) [rad], free.
        is_free: whether positions of shape (n,) are free.
        lower: bounds of the search, shape (n,) [rad]; start and goals are within.
        upper: bounds of the search, shape (n,) [rad].
        seed: of the random draws, >= 0.
        iterations: after how many to end, >= 1; None: the planner's `ITERATIONS`. Time does not matter,
            so that the outcome is the same on every machine.
        planner: what searches.
        segment_free: whether segments are free; None: `segment_is_free` with ``is_free``.

    Raises:
        UnknownNameError: there is no such planner.
    """
    if planner not in ITERATIONS:
        raise UnknownNameError("planner", planner, ITERATIONS)
    budget = iterations or ITERATIONS[planner]
    if segment_free is None:
        segment_free = partial(segment_is_free, is_free=is_free)
    problem = _Problem(start, is_free, segment_free, lower, upper, seed)
    around = np.array([start, *goals])
    window = around.min(axis=0) - _WINDOW, around.max(axis=0) + _WINDOW
    spent = 0
    for box, share in ((window, int(np.ceil(budget * _WINDOW_SHARE))), ((lower, upper), budget)):
        path, done = _solve(problem, "rrt_connect", goals, box, share - spent)
        spent += done
        if path is not None:
            break
    if path is None or planner == "rrt_connect":
        return SearchResult(path, spent)
    longest = path_length(path)
    near = [goal for goal in goals if np.linalg.norm(goal - start) < longest]
    box = _reach_of_shorter_paths(start, near, longest)
    shorter, done = _solve(problem, planner, near, box, budget - spent)
    if shorter is not None and path_length(shorter) < longest:
        path = shorter
    return SearchResult(path, spent + done)


@dataclass(frozen=True, eq=False)
class _Problem:
    """What stays the same from one planner to the next."""

    start: Array
    is_free: Free
    segment_free: SegmentFree
    lower: Array
    upper: Array
    seed: int


def _reach_of_shorter_paths(start: Array, goals: Sequence[Array], length: float) -> tuple[Array, Array]:
    """Return the corners of a box that no path to one of the goals of at most a length leaves.

    Such a path lies in the ellipsoid of all points whose distances to its ends add up to its length.
    """
    centers = (np.array(goals) + start) / 2
    return centers.min(axis=0) - length / 2, centers.max(axis=0) + length / 2


def path_length(waypoints: Array) -> float:
    """Return the length of a polyline, shape (k, n), in joint space [rad]."""
    return float(np.linalg.norm(np.diff(waypoints, axis=0), axis=1).sum())


def _solve(
    problem: _Problem,
    name: PlannerName,
    goals: Sequence[Array],
    box: tuple[Array, Array],
    iterations: int,
) -> tuple[Array | None, int]:
    """Run one of OMPL's planners within a box: coarsely, and finely where that overlooked something.

    The shortening planners use their iterations up, and lead along the edges of things: finely at once.

    Returns:
        The corners of its path, shape (k, n), or None, and the iterations it took.
    """
    spent = 0
    for step in (COARSE_STEP, CHECK_STEP) if name == "rrt_connect" else (CHECK_STEP,):
        path, done = _run(problem, name, goals, box, iterations=iterations - spent, step=step)
        spent += done
        if path is None or polyline_is_free(path, problem.segment_free):
            break
    return path, spent


def polyline_is_free(waypoints: Array, segment_free: SegmentFree) -> bool:
    """Whether the segments between waypoints, shape (k, n) [rad], are free; the first waypoint is."""
    return all(segment_free(start, end) for start, end in itertools.pairwise(waypoints))


def _run(
    problem: _Problem,
    name: PlannerName,
    goals: Sequence[Array],
    box: tuple[Array, Array],
    *,
    iterations: int,
    step: float,
) -> tuple[Array | None, int]:
    """Run one of OMPL's planners within a box, with segments checked at a step [rad]."""
    with _SETTINGS:
        ou.noOutputHandler()
        # OMPL numbers its generators in the order of their creation, after this seed; 0 is refused.
        ou.RNG.setSeed(problem.seed % (2**31 - 1) + 1)
        lower, upper = np.maximum(problem.lower, box[0]), np.minimum(problem.upper, box[1])
        # So few states are checked one by one in less time than distances can be measured.
        coarse = partial(segment_is_free, is_free=problem.is_free, step=step)
        segment_free = coarse if step > CHECK_STEP else problem.segment_free
        information = _space_information(problem.is_free, segment_free, lower, upper)
        definition = ob.ProblemDefinition(information)
        definition.addStartState(_state(information, problem.start))
        targets = ob.GoalStates(information)
        for goal in goals:
            targets.addState(_state(information, goal))
        definition.setGoal(targets)
        definition.setOptimizationObjective(ob.PathLengthOptimizationObjective(information))
        planner = _PLANNERS[name](information)
        planner.setProblemDefinition(definition)
        planner.setup()
        done = 0

        def exhausted() -> bool:
            nonlocal done
            done += 1
            return done > iterations

        planner.solve(ob.PlannerTerminationCondition(exhausted))
        path = _simplified(definition, information, segment_free) if definition.hasExactSolution() else None
        return path, min(done, iterations)


def _simplified(
    definition: ob.ProblemDefinition, information: ob.SpaceInformation, segment_free: SegmentFree
) -> Array:
    """Return the corners of the solution after shortcuts, shape (k, n)."""
    path = definition.getSolutionPath()
    og.PathSimplifier(information).reduceVertices(path, _SHORTCUT_STEPS, _SHORTCUT_EMPTY_STEPS)
    dof = information.getStateDimension()
    waypoints = np.array([state[0:dof] for state in path.getStates()])
    for corner in range(1, len(waypoints) - 1):
        for side in (1, -1):
            before, after = waypoints[corner - side], waypoints[corner + side]
            waypoints[corner] = _cut(before, waypoints[corner], after, segment_free)
    return _distinct(waypoints)


def _cut(before: Array, corner: Array, after: Array, segment_free: SegmentFree) -> Array:
    """Move a corner back towards the one before, about as far as the way from there to the next is free."""
    free, blocked = 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (free + blocked) / 2
        if segment_free(corner + share * (before - corner), after):
            free = share
        else:
            blocked = share
    return np.asarray(corner + _CUT * free * (before - corner))


def _rrt_connect(information: ob.SpaceInformation) -> ob.Planner:
    planner = og.RRTConnect(information)
    planner.setRange(_RANGE)
    return planner


def _rrt_star(information: ob.SpaceInformation) -> ob.Planner:
    planner = og.RRTstar(information)
    planner.setRange(_STAR_RANGE)
    return planner


_PLANNERS: dict[PlannerName, Callable[[ob.SpaceInformation], ob.Planner]] = {
    "rrt_connect": _rrt_connect,
    "rrt_star": _rrt_star,
    "bit_star": og.BITstar,
}


def _space_information(
    is_free: Free, segment_free: SegmentFree, lower: Array, upper: Array
) -> ob.SpaceInformation:
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
    information.setMotionValidator(_SegmentValidator(segment_free, dof))
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
