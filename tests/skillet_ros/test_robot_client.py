"""The robot behind the contract, against the simulation node."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from skill_graph import PATIENCE, end, start

from skillet_core.errors import CancelledError, ExecutionError, StaleStateError
from skillet_core.geometry import Pose
from skillet_core.robot import load_robot
from skillet_core.scene import ObjectState, load_task
from skillet_core.trajectory import JointTrajectory
from skillet_ros.robot_client import RosRobot

pytestmark = pytest.mark.ros

ROBOT, TASK = load_robot("panda"), load_task("blocks")
CRATE = ObjectState(Pose.from_xyz_rpy((0.5, 0.0, 0.2)))


class KnownScene:
    """Knows of a crate, once it was added."""

    def __init__(self) -> None:
        self.added, self.attached = {}, frozenset()

    def merged(self, scene, _state):
        return SimpleNamespace(objects=scene.objects | dict.fromkeys(self.added, CRATE))


@pytest.fixture(scope="module")
def graph():
    sim = start("skillet_sim.sim_node", robot=ROBOT.name, cameras="false")
    context = rclpy.Context()
    context.init()
    clock = [Parameter("use_sim_time", value=True)]
    node = Node("client", context=context, parameter_overrides=clock)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    yield SimpleNamespace(sim=sim, node=node)
    end(sim)
    executor.shutdown()
    thread.join()
    node.destroy_node()
    context.shutdown()


@pytest.fixture(scope="module")
def robot(graph):
    robot = RosRobot(graph.node, ROBOT, TASK, SimpleNamespace(scene=KnownScene()))
    robot.wait_until_ready(PATIENCE)
    return robot


def swing(robot, by, seconds=2.0):
    """Move the first joint."""
    here = robot.state().positions
    there = here + np.eye(len(here))[0] * by
    velocities = np.zeros((2, len(here)))
    return JointTrajectory(
        ROBOT.joint_names, np.array([0.2, 0.2 + seconds]), np.array([here, there]), velocities
    )


def assert_still(robot):
    time.sleep(0.3)
    before = robot.state().positions
    time.sleep(0.3)
    np.testing.assert_allclose(robot.state().positions, before, atol=2e-3)


def test_a_watch_looks_on_some_ten_times_a_second_and_does_not_disturb(robot):
    looks = []
    trajectory = swing(robot, 0.4)
    robot.follow(trajectory, lambda: looks.append(robot.state().positions[0]))
    assert 12 <= len(looks) <= 24
    assert looks[-1] - looks[0] > 0.3
    np.testing.assert_allclose(robot.state().positions, trajectory.positions[-1], atol=1e-2)


def test_what_a_watch_raises_stops_the_arm_and_is_passed_on(robot):
    goal = swing(robot, -0.4)

    def watch():
        if abs(robot.state().positions[0] - goal.positions[0, 0]) > 0.1:
            raise ExecutionError("it fell")

    with pytest.raises(ExecutionError, match="it fell"):
        robot.follow(goal, watch)
    assert abs(robot.state().positions[0] - goal.positions[-1, 0]) > 0.1
    assert_still(robot)


def test_a_cancel_during_a_watched_motion_stops_it_and_the_next_one_runs(robot):
    timer = threading.Timer(0.8, robot.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        robot.follow(swing(robot, 0.6), lambda: None)
    assert_still(robot)
    robot.follow(swing(robot, -0.1, 1.0))


def test_what_only_the_planner_knows_is_in_the_scene_too(robot):
    assert "crate" not in robot.scene().objects
    robot._stack.scene.added["crate"] = None
    try:
        assert {"crate", "red_block"} <= set(robot.scene().objects)
        assert "crate" not in robot.reported_scene().objects
    finally:
        robot._stack.scene.added.clear()


def test_a_scene_that_nobody_reports_is_what_the_planner_knows(graph):
    known = KnownScene()
    known.added["crate"] = None
    stack = SimpleNamespace(scene=known)
    declared = RosRobot(graph.node, ROBOT, TASK, stack, scene_is_reported=False)
    declared.wait_until_ready(PATIENCE)
    assert declared.scene().objects == {"crate": CRATE}
    assert declared.reported_scene().objects == {}


def test_a_silent_robot_ends_a_watched_motion_within_a_second(robot, graph):
    """Comes last: the simulator does not come back."""
    threading.Timer(0.5, graph.sim.kill).start()
    begin = time.monotonic()
    with pytest.raises(StaleStateError, match="joint_states"):
        robot.follow(swing(robot, 0.6), lambda: None)
    assert time.monotonic() - begin < 0.5 + 1.0 + 2.0
