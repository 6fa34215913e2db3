"""How much of MuJoCo's own speed is left when a controller reads and writes at its rate."""

from __future__ import annotations

import time
from collections.abc import Callable

import mujoco
import numpy as np

from skillet_control.hardware import HardwareCommand
from skillet_core.robot import load_robot, robot_names
from skillet_core.scene import load_task
from skillet_sim.hardware import MujocoArm
from skillet_sim.world import World

CONTROL_PERIOD = 0.004
SECONDS = 0.2
"""Simulated time of one round [s]: short, so that other load meets a pair of rounds alike."""
ROUNDS = 200


def run() -> dict[str, float]:
    """Return the speed of our loops over that of a bare ``mj_step`` loop, the slowest robot's.

    ``sim.direct_steps_ratio`` has a measurement and a command in every control period;
    ``sim.world_steps_ratio`` only steps.
    """
    names = robot_names()
    return {
        "sim.direct_steps_ratio": min(_ratio(name, control=True) for name in names),
        "sim.world_steps_ratio": min(_ratio(name, control=False) for name in names),
    }


def _ratio(robot_name: str, *, control: bool) -> float:
    """Take both loops in turn and return the median of their rounds' ratios.

    It is the thread's processor time that counts, so that other load on the machine does not.
    """
    robot, task = load_robot(robot_name), load_task("blocks")
    ours, bare = World(robot, task), World(robot, task)
    arm = MujocoArm(ours)
    steps = round(CONTROL_PERIOD / ours.model.opt.timestep)
    ticks = round(SECONDS / CONTROL_PERIOD)
    # both hold still at home: what else moved would cost its own time
    rest = HardwareCommand(robot.home, np.zeros(len(robot.joints)), robot.gripper.max_opening, 20.0)

    MujocoArm(bare).write(rest)

    def controlled() -> None:
        for _ in range(ticks):
            if control:
                arm.read()
                arm.write(rest)
            ours.step(steps)

    def uncontrolled() -> None:
        for _ in range(ticks * steps):
            mujoco.mj_step(bare.model, bare.data)

    ratios = []
    for number in range(ROUNDS):
        # either goes first in half of the rounds
        order = (controlled, uncontrolled) if number % 2 else (uncontrolled, controlled)
        seconds = {loop: _seconds(loop) for loop in order}
        ratios.append(seconds[uncontrolled] / seconds[controlled])
    return float(np.median(ratios))


def _seconds(work: Callable[[], None]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:40} {value:.3f}")
