from __future__ import annotations

import numpy as np
import pytest

from skillet_core.geometry import Pose
from skillet_core.robot import load_robot
from skillet_core.scene import ObjectState, SceneState, load_task
from skillet_core.trajectory import RobotState
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.motion_stack import MotionStack, motion_stack
from skillet_motion.planning import OmplPlanner
from skillet_sim.world import World

ROBOTS = ("ur5e", "panda")


@pytest.fixture(scope="session")
def task():
    return load_task("blocks")


@pytest.fixture(scope="session", params=ROBOTS)
def robot(request):
    return load_robot(request.param)


@pytest.fixture(scope="session")
def stack(robot, task) -> MotionStack:
    return motion_stack(robot, task)


@pytest.fixture(scope="session")
def planner(stack) -> OmplPlanner:
    return stack.planner


@pytest.fixture(scope="session")
def direct_robot(robot, task, stack) -> DirectRobot:
    """A robot for tests that reset it themselves."""
    return DirectRobot(World(robot, task), stack)


@pytest.fixture
def at_home(robot) -> RobotState:
    """The robot at home, its fingers 64 mm apart."""
    return RobotState(0.0, robot.home, np.zeros_like(robot.home), 0.064)


@pytest.fixture(scope="session")
def tidy_scene(task) -> SceneState:
    """The bins left and right, the blocks in a row between them."""
    places = {
        "table": (0.0, 0.0, -0.02),
        "left_bin": (0.45, 0.3, 0.0),
        "right_bin": (0.45, -0.3, 0.0),
        "red_block": (0.45, 0.1, 0.02),
        "green_block": (0.45, 0.0, 0.02),
        "blue_block": (0.45, -0.1, 0.02),
    }
    assert set(places) == set(task.objects)
    objects = {name: ObjectState(Pose(np.array(place))) for name, place in places.items()}
    return SceneState(0.0, "blocks", 0, 1, success=False, objects=objects)
