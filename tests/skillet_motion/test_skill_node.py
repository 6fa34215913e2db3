"""The skill node against the simulation node, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest
from skill_graph import ABORTED, CANCELED, SUCCEEDED, SkillGraph

from skillet_core.evaluation import is_grasped
from skillet_core.scene import load_task
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.skills import run_skill
from skillet_sim.world import World

pytestmark = [pytest.mark.ros, pytest.mark.timeout(170)]

SEED = 3
SLACK = 2.0
"""What a busy test machine may add to the second within which a silent robot is noticed [s]."""
WITHOUT_MOVEIT = pytest.mark.skipif(find_spec("moveit_msgs") is not None, reason="MoveIt is installed")
GRASP = ("grasp", {"object": "red_block"})
PLACE = ("place_in", {"object": "red_block", "target": "left_bin"})


@pytest.fixture(scope="module")
def graph(robot):
    graph = SkillGraph(robot.name, seed=SEED, real_time_factor=2)
    yield graph
    graph.close()


def direct_phases(robot):
    direct = DirectRobot(World(robot, load_task("blocks"), seed=SEED))
    phases = []
    for name, arguments in (GRASP, PLACE):
        assert run_skill(direct, name, arguments, phases.append).success
    assert direct.scene().success
    return phases


def test_the_same_episode_succeeds_directly_and_through_ros(graph, robot):
    graph.reset()
    phases = []
    for name, arguments in (GRASP, PLACE):
        status, result = graph.run(name, arguments)
        assert result.success, result.reason
        assert (status, result.reason) == (SUCCEEDED, "")
        phases += graph.phases
    assert phases == direct_phases(robot)
    graph.until(lambda: graph.scene().success, "the block in the bin")


@pytest.mark.parametrize(
    ("skill", "arguments", "reason"),
    [
        ("juggle", "{}", "unknown skill 'juggle'. Valid: close, go_home, grasp"),
        ("grasb", "{}", "Did you mean 'grasp'"),
        ("grasp", '{"object": "red_blok"}', "Did you mean 'red_block'"),
        ("grasp", "red_block", "the arguments are not JSON"),
        ("grasp", "[1]", "must be a JSON object"),
        ("grasp", "", "object: Field required"),
        ("place_in", '{"object": "red_block", "target": "left_bin"}', "grasp it first"),
        ("place_in", '{"object": "red_block", "target": "left_bim"}', "Did you mean 'left_bin'"),
        ("move_to", '{"x": 0.4, "y": 0, "z": 0.3, "frame": "wrld"}', "Did you mean 'world'"),
        ("move_to", '{"x": 0.4, "y": 0, "z": 0.3, "qx": 0, "qy": 0, "qz": 0, "qw": 2}', "unit length"),
        ("move_to", '{"x": 4, "y": 0, "z": 0.3}', "move_to: "),
        ("move_to", '{"x": NaN, "y": 0, "z": 0.3}', "move_to: "),
    ],
)
def test_a_wrong_request_is_aborted_with_a_reason_and_nothing_moves(graph, robot, skill, arguments, reason):
    before = graph.positions(robot.joint_names)
    status, result = graph.run(skill, arguments)
    assert status == ABORTED
    assert not result.success
    assert reason in result.reason
    np.testing.assert_allclose(graph.positions(robot.joint_names), before, atol=2e-3)


def test_a_second_skill_is_refused_while_one_runs_and_the_first_goes_on(graph):
    graph.reset()
    first = graph.send(*GRASP)
    graph.until_phase("approach")
    status, result = graph.run("go_home", {})
    assert status == ABORTED
    assert "busy with grasp" in result.reason
    status, result = graph.result(first)
    assert result.success, result.reason


@pytest.mark.parametrize("phase", ["plan", "approach", "descend", "grasp", "lift"])
def test_a_grasp_cancelled_in_any_phase_holds_still_and_the_next_skill_runs(graph, robot, phase):
    graph.reset()
    handle = graph.send(*GRASP)
    graph.until_phase(phase)
    assert_cancelled_and_still(graph, robot, handle)
    _, result = graph.run("go_home", {})
    assert result.success, result.reason


@pytest.mark.parametrize("phase", ["plan", "carry", "descend"])
def test_a_placement_cancelled_in_any_phase_does_not_drop_what_it_carries(graph, robot, phase):
    graph.reset()
    _, result = graph.run(*GRASP)
    assert result.success, result.reason
    handle = graph.send(*PLACE)
    graph.until_phase(phase)
    assert_cancelled_and_still(graph, robot, handle)
    time.sleep(0.5)
    assert is_grasped("red_block", graph.scene(), robot.gripper)
    _, result = graph.run(*PLACE)
    assert result.success, result.reason


def assert_cancelled_and_still(graph, robot, handle):
    graph.cancel(handle)
    status, result = graph.result(handle)
    assert status == CANCELED
    assert "cancelled by request" in result.reason
    time.sleep(0.3)
    before = graph.positions(robot.joint_names)
    time.sleep(0.3)
    np.testing.assert_allclose(graph.positions(robot.joint_names), before, atol=2e-3)


def test_a_simulator_that_stops_fails_the_skill_within_a_second_and_it_goes_on_when_it_is_back(graph):
    graph.reset()
    handle = graph.send(*GRASP)
    graph.until_phase("approach")
    os.kill(graph.sim.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    try:
        status, result = graph.result(handle)
    finally:
        os.kill(graph.sim.pid, signal.SIGCONT)
    assert time.monotonic() - stopped < 1.0 + SLACK
    assert status == ABORTED
    assert "nothing was received on 'joint_states'" in result.reason
    time.sleep(1.0)
    _, result = graph.run("go_home", {})
    assert result.success, result.reason


def test_a_killed_simulator_fails_the_skill_with_a_reason(graph):
    """Comes last: the simulator does not come back."""
    graph.reset()
    handle = graph.send(*GRASP)
    graph.until_phase("approach")
    os.kill(graph.sim.pid, signal.SIGKILL)
    killed = time.monotonic()
    status, result = graph.result(handle)
    took = time.monotonic() - killed
    assert status == ABORTED
    assert "nothing was received on 'joint_states'" in result.reason
    assert took < 1.0 + SLACK


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("planner:=pilz", "'ompl', 'moveit' or 'move_group'"),
        pytest.param("planner:=moveit", "moveit_msgs, which is not installed", marks=WITHOUT_MOVEIT),
        pytest.param("planner:=move_group", "apt install ros-jazzy-moveit-msgs", marks=WITHOUT_MOVEIT),
        ("task:=blosk", "Did you mean 'blocks'"),
        ("scene_source:=x", "declared"),
    ],
)
def test_a_node_with_a_wrong_parameter_does_not_start_and_says_why(parameter, said):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-m", "skillet_motion.skill_node", "--ros-args", "-p", parameter]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert said in ended.stderr
