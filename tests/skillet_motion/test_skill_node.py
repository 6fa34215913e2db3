"""The skill node against the simulation node, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("skillet_interfaces", reason="needs the built workspace")

import rclpy
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from skillet_interfaces.action import ExecuteSkill
from skillet_interfaces.msg import SceneState as SceneStateMsg
from skillet_interfaces.srv import SceneReset

from skillet_core import contract
from skillet_core.scene import load_task
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.skills import run_skill
from skillet_ros import qos
from skillet_sim.world import World

pytestmark = [pytest.mark.ros, pytest.mark.timeout(170)]

SEED = 3
SLACK = 2.0
"""What a busy test machine may add to the second within which a silent robot is noticed [s]."""
PATIENCE = 60.0
"""How long to wait for what must happen [s]; nothing is measured by it."""
SUCCEEDED, ABORTED, CANCELED = (
    GoalStatus.STATUS_SUCCEEDED,
    GoalStatus.STATUS_ABORTED,
    GoalStatus.STATUS_CANCELED,
)
EPISODE = (
    ("pick", {"object": "red_block"}),
    ("place", {"object": "red_block", "target": "left_bin"}),
)


def start(module, **parameters):
    settings = [f for name, value in parameters.items() for f in ("-p", f"{name}:={value}")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(
        [sys.executable, "-m", module, "--ros-args", *settings], env=environment, start_new_session=True
    )


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


class Graph:
    """Simulation node, skill node, and a client of both."""

    def __init__(self, robot: str) -> None:
        self.sim = start("skillet_sim.sim_node", robot=robot, seed=SEED, cameras="false")
        self.skills = start("skillet_motion.skill_node", robot=robot, use_sim_time="true")
        self.node = Node("client")
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.scene: SceneStateMsg | None = None
        self.phases: list[str] = []
        self.node.create_subscription(SceneStateMsg, contract.SCENE_STATE, self._on_scene, qos.STATE)
        self.client = ActionClient(self.node, ExecuteSkill, contract.EXECUTE_SKILL)
        self.reset_client = self.node.create_client(SceneReset, contract.SCENE_RESET)
        self.thread = threading.Thread(target=self.executor.spin)
        self.thread.start()
        assert self.client.wait_for_server(PATIENCE)
        assert self.reset_client.wait_for_service(PATIENCE)

    def _on_scene(self, msg):
        self.scene = msg

    def close(self):
        end(self.skills)
        end(self.sim)
        self.executor.shutdown()
        self.thread.join()
        self.node.destroy_node()

    def reset(self):
        assert self.wait(self.reset_client.call_async(SceneReset.Request(seed=SEED))).success

    def wait(self, future):
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        assert done.wait(PATIENCE), "no answer"
        return future.result()

    def send(self, skill, arguments):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        self.phases = phases = []
        goal = ExecuteSkill.Goal(skill=skill, arguments=text)
        sent = self.client.send_goal_async(goal, lambda msg: phases.append(msg.feedback.phase))
        handle = self.wait(sent)
        assert handle.accepted
        return handle

    def result(self, handle):
        answer = self.wait(handle.get_result_async())
        return answer.status, answer.result

    def run(self, skill, arguments):
        return self.result(self.send(skill, arguments))

    def until_phase(self, phase):
        give_up = time.monotonic() + PATIENCE
        while phase not in self.phases:
            assert time.monotonic() < give_up, f"phase {phase} never came: {self.phases}"
            time.sleep(0.01)


@pytest.fixture(scope="module")
def context():
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture(scope="module")
def graph(context, robot):
    graph = Graph(robot.name)
    yield graph
    graph.close()


def direct_phases(robot):
    direct = DirectRobot(World(robot, load_task("blocks"), seed=SEED))
    phases = []
    for name, arguments in EPISODE:
        assert run_skill(direct, name, arguments, phases.append).success
    assert direct.scene().success
    return phases


def test_the_same_episode_succeeds_directly_and_through_ros(graph, robot):
    graph.reset()
    phases = []
    for name, arguments in EPISODE:
        status, result = graph.run(name, arguments)
        assert result.success, result.reason
        assert (status, result.reason) == (SUCCEEDED, "")
        phases += graph.phases
    assert phases == direct_phases(robot)
    give_up = time.monotonic() + PATIENCE
    while not (graph.scene and graph.scene.success):
        assert time.monotonic() < give_up, "the block is not in the bin"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("skill", "arguments", "reason"),
    [
        ("juggle", "{}", "unknown skill 'juggle'. Valid: go_home, pick, place"),
        ("pick", '{"object": "red_blok"}', "Did you mean 'red_block'"),
        ("pick", "red_block", "the arguments are not JSON"),
        ("pick", "[1]", "must be a JSON object"),
        ("pick", "", "object: Field required"),
    ],
)
def test_a_wrong_request_is_aborted_with_a_reason_that_names_what_is_valid(graph, skill, arguments, reason):
    status, result = graph.run(skill, arguments)
    assert status == ABORTED
    assert not result.success
    assert reason in result.reason


def test_a_second_skill_is_refused_while_one_runs_and_the_first_goes_on(graph):
    graph.reset()
    first = graph.send(*EPISODE[0])
    graph.until_phase("approach")
    status, result = graph.run("go_home", {})
    assert status == ABORTED
    assert "busy with pick" in result.reason
    status, result = graph.result(first)
    assert result.success, result.reason


def test_a_cancelled_skill_ends_as_cancelled_and_the_next_one_runs(graph):
    graph.reset()
    handle = graph.send(*EPISODE[0])
    graph.until_phase("approach")
    graph.wait(handle.cancel_goal_async())
    status, result = graph.result(handle)
    assert status == CANCELED
    assert "cancelled by request" in result.reason
    status, result = graph.run("go_home", {})
    assert result.success, result.reason


def test_a_killed_simulator_fails_the_skill_with_a_reason(graph):
    """Comes last: the simulator does not come back."""
    graph.reset()
    handle = graph.send(*EPISODE[0])
    graph.until_phase("approach")
    os.kill(graph.sim.pid, signal.SIGKILL)
    killed = time.monotonic()
    status, result = graph.result(handle)
    took = time.monotonic() - killed
    assert status == ABORTED
    assert "nothing was received on 'joint_states'" in result.reason
    assert took < 1.0 + SLACK
