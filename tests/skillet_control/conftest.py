"""Shared by the tests of skillet_control: a small robot, and a stand-in for its hardware."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from skillet_control.hardware import HardwareCommand, HardwareState
from skillet_control.manager import ControllerManager
from skillet_core.robot import ArmJoint, GripperDescription, JointLimits, RobotDescription
from skillet_core.trajectory import JointTrajectory

PERIOD = 0.004


def make_robot() -> RobotDescription:
    limits = {
        "shoulder": JointLimits(lower=-2.0, upper=2.0, velocity=2.0, acceleration=8.0, jerk=100.0),
        "elbow": JointLimits(lower=-1.5, upper=2.5, velocity=2.0, acceleration=10.0, jerk=100.0),
        "wrist": JointLimits(lower=-3.0, upper=3.0, velocity=3.0, acceleration=20.0, jerk=100.0),
    }
    gripper = GripperDescription(
        name="pincer",
        title="Pincer",
        xacro="pincer.xacro",
        joint="finger",
        mimic={"other_finger": -1.0},
        opening_to_joint=((0.0, 0.8), (0.08, 0.0)),
        max_force=40.0,
        max_speed=0.2,
        grasp_frame="grasp",
        fingertip=0.01,
        fingers=(("left_pad",), ("right_pad",)),
        links=("left_pad", "right_pad"),
        stiffness=1.0,
        damping=1.0,
        armature=0.0,
    )
    return RobotDescription(
        name="trio",
        title="Three joints",
        xacro="trio.xacro",
        base_frame="base_link",
        flange_frame="flange",
        gripper=gripper,
        joints=tuple(
            ArmJoint(
                name=name, home=0.1, limits=limit, stiffness=1.0, damping=1.0, armature=0.0, max_effort=1.0
            )
            for name, limit in limits.items()
        ),
        cameras=(),
    )


class StandInArm:
    """A first-order position servo without mass, and fingers that an object can block.

    It stands in for hardware where the controllers are tested and the physics does not matter.
    """

    def __init__(self, robot: RobotDescription, time_constant: float = 0.01) -> None:
        self.joint_names = robot.joint_names
        self.position = robot.home
        self.velocity = np.zeros(len(robot.joints))
        self.opening, self.opening_velocity = 0.05, 0.0
        self.object_width = 0.0
        self.stuck = False
        self.share = 1.0 - np.exp(-PERIOD / time_constant)
        self.now = 0.0
        self.commands: list[HardwareCommand] = []

    def read(self) -> HardwareState:
        return HardwareState(
            self.now,
            self.position.copy(),
            self.velocity.copy(),
            np.zeros(len(self.joint_names)),
            self.opening,
            self.opening_velocity,
            0.0,
        )

    def write(self, command: HardwareCommand) -> None:
        self.commands.append(command)
        change = (
            np.zeros_like(self.position) if self.stuck else self.share * (command.position - self.position)
        )
        self.position = self.position + change
        self.velocity = change / PERIOD
        opening = self.opening + self.share * (command.gripper_opening - self.opening)
        opening = max(opening, min(self.object_width, self.opening))
        self.opening_velocity = (opening - self.opening) / PERIOD
        self.opening = opening
        self.now += PERIOD


class Loop:
    """A manager with its stand-in hardware, stepped by hand."""

    def __init__(self, robot: RobotDescription, **options) -> None:
        self.robot = robot
        self.arm = StandInArm(robot)
        self.manager = ControllerManager(self.arm, robot, period=PERIOD, **options)
        self.now = 100.0

    def step(self, seconds: float = PERIOD) -> None:
        for _ in range(max(1, round(seconds / PERIOD))):
            self.now += PERIOD
            self.manager.update(self.now)

    def commanded(self) -> np.ndarray:
        return np.array([command.position for command in self.arm.commands])

    def trajectory(self, *goals, velocity: float = 0.5, **options) -> JointTrajectory:
        """Rest to rest through goals, slow enough for every joint (cubic, 1 s or more a leg)."""
        points = [self.manager.command.position, *(np.asarray(goal, float) for goal in goals)]
        legs = [max(1.0, np.abs(b - a).max() / velocity) for a, b in itertools.pairwise(points)]
        positions = np.array(points)
        return JointTrajectory(
            self.robot.joint_names,
            np.concatenate([[0.0], np.cumsum(legs)]),
            positions,
            np.zeros_like(positions),
            **options,
        )


@pytest.fixture(scope="session")
def robot() -> RobotDescription:
    return make_robot()


@pytest.fixture(scope="session")
def stand_in_arm() -> type[StandInArm]:
    return StandInArm


@pytest.fixture
def loop(robot: RobotDescription) -> Loop:
    loop = Loop(robot)
    loop.step()
    return loop
