from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skillet_core.geometry import Pose
from skillet_core.scene import ObjectState, load_task
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.skills import run_skill
from skillet_sim.world import World


class Stage:
    """A robot in a scene, and hands that reach into it."""

    def __init__(self, direct: DirectRobot) -> None:
        self.robot = direct

    def do(self, name, phase=lambda _: None, **arguments):
        return run_skill(self.robot, name, arguments, phase)

    def done(self, name, **arguments) -> None:
        """Run a skill that has to work."""
        result = self.do(name, **arguments)
        assert result.success, result.reason

    def pose(self, name) -> Pose:
        return self.robot.scene().object(name).pose

    def put(self, name, position, rotation=None) -> None:
        """Move an object at once."""
        scene = self.robot.scene()
        scene.objects[name] = ObjectState(Pose(np.array(position), rotation or Rotation.identity()))
        self.robot._world.set_scene(scene)

    def turn(self, joint, position) -> None:
        """Move a joint of the scene at once."""
        scene = self.robot.scene()
        scene.articulation[joint] = position
        self.robot._world.set_scene(scene)

    def on_every_period(self, hook) -> None:
        self.robot._hook = hook


@pytest.fixture(scope="session")
def stages(robot):
    """Stages by task and seed, each built once and reset for every test."""
    built = {}

    def stage(task, seed=0) -> Stage:
        if task not in built:
            built[task] = Stage(DirectRobot(World(robot, load_task(task))))
        built[task].robot._hook = None
        built[task].robot.reset(seed)
        return built[task]

    return stage


@pytest.fixture
def blocks(stages) -> Stage:
    return stages("blocks")


@pytest.fixture
def tabletop(stages) -> Stage:
    return stages("tabletop")


@pytest.fixture
def workbench(stages) -> Stage:
    return stages("workbench")
