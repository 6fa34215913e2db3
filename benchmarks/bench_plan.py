"""How long planning takes and how often it succeeds, against the ancestors' planner on the same queries.

The queries are those that the skills really ask, collected while they open a drawer of the cluttered
``workbench``, put an object into it and close it, for both robots, and then asked again with a stopwatch.
"""

from __future__ import annotations

import dataclasses
import itertools
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
class _Query:
    kind: str
    request: PlanRequest
    state: RobotState
    scene: SceneState


@dataclass
class _Listener:
    """A planner that writes down what it is asked."""

    planner: OmplPlanner
    kind: str = ""
    asked: list[_Query] = field(default_factory=list)

    def plan(self, request: PlanRequest, state: RobotState, scene: SceneState) -> JointTrajectory:
        self.asked.append(_Query(self.kind, request, state, scene))
        return self.planner.plan(request, state, scene)

    def grasp_pose(self, positions: Array) -> Pose:
        return self.planner.grasp_pose(positions)


def _steps(task_objects: list[str], seed: int) -> Iterator[tuple[str, dict[str, str]]]:
    name = task_objects[seed % len(task_objects)]
    yield "open", {"object": DRAWER}
    yield "grasp", {"object": name}
    yield "place_in", {"object": name, "target": DRAWER}
    yield "close", {"object": DRAWER}


def _collect(stack: MotionStack, planner: OmplPlanner, robot_name: str) -> list[_Query]:
    """Run the skills from seed after seed until every kind has its queries."""
    task = load_task(TASK)
    objects = [name for name, entry in task.objects.items() if entry.kind == "movable"]
    listener = _Listener(planner)
    robot = DirectRobot(World(load_robot(robot_name), task), dataclasses.replace(stack, planner=listener))
    for seed in range(MAX_SEEDS):
        robot.reset(seed)
        for name, arguments in _steps(objects, seed):
            listener.kind = name
            if not run_skill(robot, name, arguments).success:
                break
        if all(sum(query.kind == kind for query in listener.asked) >= QUERIES for kind in KINDS):
            break
    picked = [
        itertools.islice((query for query in listener.asked if query.kind == kind), QUERIES) for kind in KINDS
    ]
    return [query for some in picked for query in some]


def _time_plans(planner: OmplPlanner, queries: list[_Query]) -> tuple[list[float], list[float]]:
    """Return seconds for whole plans: free motions and straight ones; unsolved queries are left out."""
    free: list[float] = []
    straight: list[float] = []
    for query in queries:
        began = time.perf_counter()
        try:
            planner.plan(query.request, query.state, query.scene)
        except PlanningError:
            continue
        seconds = time.perf_counter() - began
        (straight if isinstance(query.request.goal, CartesianGoal) else free).append(seconds)
    return free, straight


def _compare(planner: OmplPlanner, queries: list[_Query]) -> Iterator[tuple[float, float, bool]]:
    """Yield seconds of our search and of the baseline's for one goal position, and whether it solved it."""
    searches = [query for query in queries if not isinstance(query.request.goal, CartesianGoal)]
    for kind in KINDS:
        for query in [query for query in searches if query.kind == kind][:COMPARED]:
            try:
                start = planner.begin(query.request, query.state, query.scene)
                wanted = planner.query(query.request, start)
                one = dataclasses.replace(wanted, goals=wanted.goals[:1])
                began = time.perf_counter()
                planner.search(one, query.request)
                ours = time.perf_counter() - began
            except PlanningError:
                continue
            robot = planner.scene.robot
            problem = python_rrt.Problem(
                one.start,
                one.goals[0],
                planner.scene.collisions.is_free,
                planner.grasp_pose,
                robot.lower,
                robot.upper,
            )
            began = time.perf_counter()
            path = python_rrt.plan(problem, query.request.seed)
            yield ours, time.perf_counter() - began, path is not None


def run() -> dict[str, float]:
    """Measure both robots together."""
    free: list[float] = []
    straight: list[float] = []
    compared: list[tuple[float, float, bool]] = []
    asked = 0
    for name in robot_names():
        stack = motion_stack(load_robot(name), load_task(TASK))
        planner = stack.planner
        assert isinstance(planner, OmplPlanner)  # noqa: S101
        queries = _collect(stack, planner, name)
        asked += len(queries)
        some_free, some_straight = _time_plans(planner, queries)
        free += some_free
        straight += some_straight
        compared += _compare(planner, queries)
    ours, theirs = (np.array([entry[k] for entry in compared]) for k in (0, 1))
    return {
        "plan.queries": float(asked),
        "plan.success_pct": 100.0 * (len(free) + len(straight)) / asked,
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
