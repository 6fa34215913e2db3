"""What `ArmKinematics.solutions` costs for reachable poses, and how often it finds one."""

from __future__ import annotations

import time

import numpy as np

from skillet_core.robot import load_robot, robot_names
from skillet_motion.kinematics import ArmKinematics
from skillet_sim.robot_model import robot_spec

POSES, SEEDS = 500, 8


def _measure(name: str) -> tuple[list[float], int]:
    """Return seconds for each pose, and for how many of them there was a solution."""
    robot = load_robot(name)
    kinematics = ArmKinematics(
        robot_spec(robot).compile(),
        robot.joint_names,
        robot.gripper.grasp_frame,
        lower=robot.lower,
        upper=robot.upper,
        rest=robot.home,
        closed_form=robot.closed_form,
    )
    rng = np.random.default_rng(0)
    seconds, solved = [], 0
    for _ in range(POSES):
        target = kinematics.forward(rng.uniform(robot.lower, robot.upper))
        began = time.perf_counter()
        found = kinematics.solutions(target, robot.home, rng=rng, seeds=SEEDS)
        seconds.append(time.perf_counter() - began)
        solved += bool(found)
    return seconds, solved


def run() -> dict[str, float]:
    """Measure each robot, and all together."""
    results = {name: _measure(name) for name in robot_names()}
    figures = {f"ik.median_us_{name}": 1e6 * float(np.median(results[name][0])) for name in results}
    every = np.concatenate([seconds for seconds, _ in results.values()])
    solved = sum(count for _, count in results.values())
    return {
        **figures,
        "ik.median_us": 1e6 * float(np.median(every)),
        "ik.success_pct": 100.0 * solved / len(every),
    }


if __name__ == "__main__":
    print(run())
