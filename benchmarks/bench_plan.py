"""How long planning takes and how often it succeeds, against the ancestors' planner on the same queries.

The queries are those that the skills really ask, collected while they open a drawer of the cluttered
``workbench``, put an object into it and close it, for both robots, and then asked again with a stopwatch.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

import python_rrt
from skillet_core.errors import PlanningError
from skillet_core.geometry import Array, Pose
from skillet_core.motion import CartesianGoal, PlanRequest
from skillet_core.robot import load_robot, robot_names
from skillet_core.scene import SceneState, load_task
from skillet_core.trajectory import JointTrajectory, RobotState
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.motion_stack import MotionStack, motion_stack
from skillet_motion.planning import OmplPlanner
from skillet_motion.skills import run_skill
from skillet_sim.world import World

TASK, DRAWER = "workbench", "top_drawer"
KINDS = ("open", "grasp", "place_in", "close")
QUERIES = 25
"""Of each kind for each robot: 200 in all."""
MAX_SEEDS = 60
COMPARED = 12
"""Searches of each kind and robot that the baseline is asked, too; it is slow."""


@dataclass(frozen=True)
class _Asked:
    request: PlanRequest
    state: RobotState
    scene: SceneState

    @property
    def is_free_motion(self) -> bool:
        return not isinstance(self.request.goal, CartesianGoal)


@dataclass(frozen=True)
class _Query:
    """One skill's question: what it asked the planner, and whether it knew how to move at the end."""

    kind: str
    asked: list[_Asked]
    answered: bool


@dataclass
class _Listener:
    """A planner that writes down what it is asked."""

    planner: OmplPlanner
    asked: list[_Asked] = field(default_factory=list)

    def plan(self, request: PlanRequest, state: RobotState, scene: SceneState) -> JointTrajectory:
        self.asked.append(_Asked(request, state, scene))
        return self.planner.plan(request, state, scene)

    def grasp_pose(self, positions: Array) -> Pose:
        return self.planner.grasp_pose(positions)


def _steps(task_objects: list[str], seed: int) -> Iterator[tuple[str, dict[str, str]]]:
    name = task_objects[seed % len(task_objects)]
    yield "open", {"object": DRAWER}
    yield "grasp", {"object": name, "target": DRAWER}
    yield "place_in", {"object": name, "target": DRAWER}
    yield "close", {"object": DRAWER}


def _collect(stack: MotionStack, planner: OmplPlanner, robot_name: str) -> list[_Query]:
    """Run the skills from seed after seed until every kind has its queries."""
    task = load_task(TASK)
    objects = [name for name, entry in task.objects.items() if entry.kind == "movable"]
    listener = _Listener(planner)
    robot = DirectRobot(World(load_robot(robot_name), task), dataclasses.replace(stack, planner=listener))
    found: dict[str, list[_Query]] = {kind: [] for kind in KINDS}
    for seed in range(MAX_SEEDS):
        robot.reset(seed)
        for name, arguments in _steps(objects, seed):
            listener.asked, phases = [], list[str]()
            done = run_skill(robot, name, arguments, phases.append)
            # Every skill plans before it moves: a phase after planning is an answer.
            found[name].append(_Query(name, listener.asked, answered=set(phases) != {"plan"}))
            if not done.success:
                break
        if all(len(queries) >= QUERIES for queries in found.values()):
            break
    return [query for queries in found.values() for query in queries[:QUERIES]]


def _time_plans(planner: OmplPlanner, asked: list[_Asked]) -> list[float]:
    """Return seconds for whole plans; requests that have none are left out."""
    seconds: list[float] = []
    for one in asked:
        began = time.perf_counter()
        with contextlib.suppress(PlanningError):
            planner.plan(one.request, one.state, one.scene)
            seconds.append(time.perf_counter() - began)
    return seconds


def _compare(planner: OmplPlanner, queries: list[_Query]) -> Iterator[tuple[float, float, bool]]:
    """Yield seconds of our search and of the baseline's for one goal position, and whether it solved it."""
    for kind in KINDS:
        for one in _requests(queries, free=True, kind=kind)[:COMPARED]:
            try:
                start = planner.begin(one.request, one.state, one.scene)
                query = planner.query(one.request, start)
                query = dataclasses.replace(query, goals=query.goals[:1])
                began = time.perf_counter()
                planner.search(query, one.request)
                ours = time.perf_counter() - began
            except PlanningError:
                continue
            robot = planner.scene.robot
            problem = python_rrt.Problem(
                query.start,
                query.goals[0],
                planner.scene.collisions.is_free,
                planner.grasp_pose,
                robot.lower,
                robot.upper,
            )
            began = time.perf_counter()
            path = python_rrt.plan(problem, one.request.seed)
            yield ours, time.perf_counter() - began, path is not None


def _requests(queries: list[_Query], *, free: bool, kind: str | None = None) -> list[_Asked]:
    chosen = [query for query in queries if kind in {None, query.kind}]
    return [one for query in chosen for one in query.asked if one.is_free_motion == free]


def run() -> dict[str, float]:
    """Measure both robots together."""
    queries: list[_Query] = []
    free: list[float] = []
    straight: list[float] = []
    compared: list[tuple[float, float, bool]] = []
    for name in robot_names():
        stack = motion_stack(load_robot(name), load_task(TASK))
        planner = stack.planner
        assert isinstance(planner, OmplPlanner)  # noqa: S101
        own = _collect(stack, planner, name)
        queries += own
        free += _time_plans(planner, _requests(own, free=True))
        straight += _time_plans(planner, _requests(own, free=False))
        compared += _compare(planner, own)
    ours, theirs = (np.array([entry[k] for entry in compared]) for k in (0, 1))
    single = len(_requests(queries, free=True)) + len(_requests(queries, free=False))
    return {
        "plan.queries": float(len(queries)),
        "plan.success_pct": 100.0 * sum(query.answered for query in queries) / len(queries),
        "plan.request_success_pct": 100.0 * (len(free) + len(straight)) / single,
        "plan.drawer_median_ms": 1e3 * float(np.median(free)),
        "plan.drawer_p95_ms": 1e3 * float(np.quantile(free, 0.95)),
        "plan.cartesian_median_ms": 1e3 * float(np.median(straight)),
        "plan.median_ms": 1e3 * float(np.median(ours)),
        "plan.python_rrt_median_ms": 1e3 * float(np.median(theirs)),
        "plan.speedup_vs_python_rrt": float(theirs.sum() / ours.sum()),
        "plan.median_speedup_vs_python_rrt": float(np.median(theirs / ours)),
        "plan.python_rrt_success_pct": 100.0 * float(np.mean([entry[2] for entry in compared])),
    }


if __name__ == "__main__":
    print(run())
