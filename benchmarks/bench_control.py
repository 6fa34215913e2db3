"""What one pass of the control loop costs, for seven joints, without hardware or ROS."""

from __future__ import annotations

import time

import numpy as np

from skillet_control.hardware import HardwareCommand, HardwareState
from skillet_control.manager import ControllerManager
from skillet_core.robot import RobotDescription, load_robot
from skillet_core.trajectory import JointTrajectory

_PERIOD = 0.004
_UPDATES = 5000


class _PerfectArm:
    """Is at once wherever it is commanded to."""

    def __init__(self, robot: RobotDescription) -> None:
        self.joint_names = robot.joint_names
        self._still = np.zeros(len(robot.joints))
        self._position = robot.home

    def read(self) -> HardwareState:
        return HardwareState(0.0, self._position, self._still, self._still, 0.04, 0.0, 0.0)

    def write(self, command: HardwareCommand) -> None:
        self._position = command.position


def _trajectory(robot: RobotDescription) -> JointTrajectory:
    """Every joint there and back by 0.2 rad, 500 points with velocities and accelerations."""
    times = np.linspace(0.0, _UPDATES * _PERIOD, 500)
    phase = 2 * np.pi * times[:, np.newaxis] / times[-1]
    sway = 0.1 * (1 - np.cos(phase)) * np.ones(len(robot.joints))
    rate = 0.1 * 2 * np.pi / times[-1]
    speeds = rate * np.sin(phase) * np.ones(len(robot.joints))
    accelerations = rate * 2 * np.pi / times[-1] * np.cos(phase) * np.ones(len(robot.joints))
    return JointTrajectory(robot.joint_names, times, robot.home + sway, speeds, accelerations)


def run() -> dict[str, float]:
    """Time `ControllerManager.update` while it follows a quintic trajectory, and `follow` itself."""
    robot = load_robot("panda")
    manager = ControllerManager(_PerfectArm(robot), robot, period=_PERIOD)
    manager.update(0.0)
    trajectory = _trajectory(robot)
    began = time.perf_counter()
    manager.follow(trajectory)
    follow = time.perf_counter() - began
    costs = np.empty(_UPDATES - 1)
    for k in range(1, _UPDATES):
        began = time.perf_counter()
        manager.update(k * _PERIOD)
        costs[k - 1] = time.perf_counter() - began
    return {
        "control.update_us": float(np.median(costs) * 1e6),
        "control.update_p99_us": float(np.quantile(costs, 0.99) * 1e6),
        "control.accept_trajectory_ms": follow * 1e3,
    }


if __name__ == "__main__":
    print(run())
