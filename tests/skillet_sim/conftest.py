"""Robots, and worlds that are made once: compiling a model takes half a second."""

from __future__ import annotations

import functools

import pytest

from skillet_core.robot import RobotDescription, load_robot, robot_names
from skillet_core.scene import load_task
from skillet_sim.world import World


@functools.cache
def _world(name: str) -> World:
    return World(load_robot(name), load_task("blocks"))


@pytest.fixture(params=robot_names())
def robot(request: pytest.FixtureRequest) -> RobotDescription:
    return load_robot(request.param)


@pytest.fixture
def world(robot: RobotDescription) -> World:
    """A world after ``reset(0)``, shared between tests."""
    world = _world(robot.name)
    world.reset(0)
    return world


@pytest.fixture
def fresh_world(robot: RobotDescription) -> World:
    """A world of the test's own, whose model it may change."""
    return World(robot, load_task("blocks"))
