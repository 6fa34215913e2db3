"""How long planning takes: the queries of the demonstration, and one around an obstacle.

The queries are those that the skills really ask, collected while they put the red block in the left
bin for both robots from `SEEDS` start states, and then asked again with a stopwatch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from skillet_core.errors import PlanningError
from skillet_core.geometry import Array, Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_core.robot import load_robot, robot_names
from skillet_core.scene import ObjectState, SceneState, load_task
from skillet_core.trajectory import JointTrajectory, RobotState
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.planning import OmplPlanner, planner_for
from skillet_motion.skills import run_skill
from skillet_sim.world import World

SEEDS = 20
OBSTRUCTED_SEEDS = 40
_SENTENCE = (
    ("pick", {"object": "red_block"}),
    ("place", {"object": "red_block", "target": "left_bin"}),
    ("go_home", {}),
)
_Query = tuple[PlanRequest, RobotState, SceneState]


@dataclass
class _Listener:
    """A planner that writes down what it is asked and whether it knew an answer."""

    planner: OmplPlanner
    asked: list[_Query] = field(default_factory=list)
    answered: int = 0

    def plan(self, request: PlanRequest, state: RobotState, scene: SceneState) -> JointTrajectory:
        self.asked.append((request, state, scene))
        trajectory = self.planner.plan(request, state, scene)
        self.answered += 1
        return trajectory

    def grasp_pose(self, positions: Array) -> Pose:
        return self.planner.grasp_pose(positions)


def _collect(listener: _Listener, robot_name: str) -> int:
    """Run the demonstration from every seed; returns how many times the block ended in the bin."""
    robot = DirectRobot(World(load_robot(robot_name), load_task("blocks")), listener)
    done = 0
    for seed in range(SEEDS):
        robot.reset(seed)
        worked = all(run_skill(robot, name, arguments).success for name, arguments in _SENTENCE)
        done += worked and robot.scene().success
    return done


def _time_queries(planner: OmplPlanner, queries: list[_Query]) -> tuple[list[float], list[float]]:
    """Return seconds for solving and simplifying free motions, and for whole plans of every kind."""
    solve, total = [], []
    for request, state, scene in queries:
        began = time.perf_counter()
        try:
            planner.plan(request, state, scene)
        except PlanningError:
            continue
        total.append(time.perf_counter() - began)
        if isinstance(request.goal, CartesianGoal):
            continue
        query = planner.query(request, planner.begin(request, state, scene))
        began = time.perf_counter()
        planner.search(query, request.seed)
        solve.append(time.perf_counter() - began)
    return solve, total


def _time_obstructed(planner: OmplPlanner, queries: list[_Query]) -> list[float]:
    """Return seconds for searches from side to side of the three blocks, hung up in the way."""
    _, state, scene = queries[0]
    down = planner.grasp_pose(state.positions).rotation
    start = state.positions
    for side in (0.2, -0.2):
        goal = PoseGoal((Pose(np.array([0.54, side, 0.2]), down),))
        first, start = start, planner.plan(PlanRequest(goal, start=start), state, scene).positions[-1]
    blocks = {
        f"{color}_block": ObjectState(Pose(np.array([x, 0.0, 0.2])))
        for color, x in (("red", 0.50), ("green", 0.54), ("blue", 0.58))
    }
    hung = replace(scene, objects={**scene.objects, **blocks})
    request = PlanRequest(JointGoal(start), start=first)
    query = planner.query(request, planner.begin(request, state, hung))
    seconds = []
    for seed in range(OBSTRUCTED_SEEDS):
        began = time.perf_counter()
        planner.search(query, seed)
        seconds.append(time.perf_counter() - began)
    return seconds


def run() -> dict[str, float]:
    """Measure both robots together."""
    solve: list[float] = []
    total: list[float] = []
    obstructed: list[float] = []
    asked = answered = done = 0
    for name in robot_names():
        planner = planner_for(load_robot(name), load_task("blocks"))
        listener = _Listener(planner)
        done += _collect(listener, name)
        asked, answered = asked + len(listener.asked), answered + listener.answered
        some_solve, some_total = _time_queries(planner, listener.asked)
        solve += some_solve
        total += some_total
        obstructed += _time_obstructed(planner, listener.asked)
    return {
        "plan.median_ms": 1e3 * float(np.median(solve)),
        "plan.p99_ms": 1e3 * float(np.quantile(solve, 0.99)),
        "plan.total_median_ms": 1e3 * float(np.median(total)),
        "plan.obstructed_median_ms": 1e3 * float(np.median(obstructed)),
        "plan.success_pct": 100.0 * answered / asked,
        "plan.episode_success_pct": 100.0 * done / (SEEDS * len(robot_names())),
    }


if __name__ == "__main__":
    print(run())
