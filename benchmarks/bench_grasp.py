"""How dependably every shipped object is grasped, and what finding grasps costs.

``tools/benchmark_grasp.py`` runs the same trials and shows them by object, with reasons and pictures.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from skillet_core.manipulation import GraspRequest
from skillet_core.robot import load_robot, robot_names
from skillet_core.scene import load_task
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.grasp_benchmark import Trial, graspable_objects, run_trials
from skillet_motion.kinematics import ArmKinematics
from skillet_motion.motion_stack import motion_stack
from skillet_motion.sampling import SceneSampler
from skillet_motion.skills import run_skill
from skillet_sim.world import World

POSES = 50
"""Seeded poses of every object, for each robot and mode."""
TIMED = 20
CANDIDATES = 500
_BATCH = 10


class _Stopwatch:
    """Adds up the seconds spent in methods while it is open; calls within calls count once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._undo: list[Callable[[], None]] = []

    def watch(self, owner: type, method: str, name: str) -> None:
        original = getattr(owner, method)
        self.seconds[name] = 0.0
        depth = 0

        def timed(*args: Any, **keywords: Any) -> Any:
            nonlocal depth
            began, depth = time.perf_counter(), depth + 1
            try:
                return original(*args, **keywords)
            finally:
                depth -= 1
                if not depth:
                    self.seconds[name] += time.perf_counter() - began

        setattr(owner, method, timed)
        self._undo.append(lambda: setattr(owner, method, original))

    def close(self) -> None:
        for undo in self._undo:
            undo()


def _success(mode: str) -> float:
    trials = [
        Trial(robot, task, name, mode, seed)
        for robot in robot_names()
        for name, task in graspable_objects().items()
        for seed in range(POSES)
    ]
    batches = [trials[k : k + _BATCH] for k in range(0, len(trials), _BATCH)]
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        outcomes = [outcome for batch in pool.map(run_trials, batches) for outcome in batch]
    return 100.0 * sum(outcome.success for outcome in outcomes) / len(outcomes)


def _sampling() -> float:
    """Return the median milliseconds from an object to ranked, reachable, checked grasps."""
    seconds = []
    for name in robot_names():
        robot, task = load_robot(name), load_task("tabletop")
        robot_now = DirectRobot(World(robot, task), motion_stack(robot, task))
        objects = [key for key, entry in task.objects.items() if entry.kind == "movable"]
        for seed in range(TIMED):
            robot_now.reset(seed)
            request = GraspRequest(objects[seed % len(objects)], candidates=CANDIDATES, seed=seed)
            began = time.perf_counter()
            robot_now.grasps(request)
            seconds.append(time.perf_counter() - began)
    return 1e3 * float(np.median(seconds))


def _shares() -> dict[str, float]:
    """Return what share of the demonstration's episodes, run directly, the parts take."""
    clock = _Stopwatch()
    clock.watch(SceneSampler, "grasps", "grasp.sampling_share_pct")
    clock.watch(ArmKinematics, "solutions", "ik.share_pct")
    total = 0.0
    try:
        for name in robot_names():
            robot = DirectRobot(World(load_robot(name), load_task("blocks")))
            for seed in range(TIMED):
                robot.reset(seed)
                began = time.perf_counter()
                run_skill(robot, "grasp", {"object": "red_block"})
                run_skill(robot, "place_in", {"object": "red_block", "target": "left_bin"})
                run_skill(robot, "go_home", {})
                total += time.perf_counter() - began
    finally:
        clock.close()
    return {name: 100.0 * seconds / total for name, seconds in clock.seconds.items()}


def run() -> dict[str, float]:
    """Measure both robots."""
    return {
        "grasp.sampling_ms": _sampling(),
        **_shares(),
        "grasp.success_pct": _success("6dof"),
        "grasp.planar_success_pct": _success("planar"),
    }


if __name__ == "__main__":
    print(run())
