"""The planner node as a process of its own; this test stands in for simulator, skill server and recorder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("skillet_interfaces", reason="needs the built workspace")

import rclpy
from rclpy.action import ActionClient, ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from sensor_msgs.msg import JointState
from skillet_interfaces.action import ExecuteSkill, ExecuteTask
from skillet_interfaces.msg import EpisodeEvent
from skillet_interfaces.msg import SceneState as SceneStateMsg
from skillet_interfaces.srv import EpisodeStart, EpisodeStop

from skillet_core import contract
from skillet_core.geometry import Pose
from skillet_core.robot import load_robot
from skillet_core.scene import ContactPair, ObjectState, SceneState, load_task
from skillet_core.task_tree import TaskReport
from skillet_ros import qos
from skillet_ros.convert import scene_to_msg

pytestmark = pytest.mark.ros

LIMIT = 20.0
SENTENCE = "put the red block in the left bin"


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


class StandInGraph:
    """Simulator, skill server and recorder in one node: skills change the scene at once."""

    def __init__(self) -> None:
        self.robot, self.task = load_robot("ur5e"), load_task("blocks")
        self.held = ""
        self.block = np.array([0.4, 0.0, 0.02])
        self.speaking = True
        self.slow = threading.Event()
        self.recorder_refuses = ""
        self.skills: list[str] = []
        self.episodes: list[object] = []
        self.events: list[tuple[int, str, bool]] = []
        self.cancelled = threading.Event()
        self.context = rclpy.Context()
        self.context.init()
        self.node = rclpy.create_node("stand_in_graph", context=self.context)
        group = ReentrantCallbackGroup()
        self.joints = self.node.create_publisher(JointState, "joint_states", qos.STATE)
        self.scenes = self.node.create_publisher(SceneStateMsg, "scene/state", qos.STATE)
        self.node.create_subscription(EpisodeEvent, "episode/events", self.on_event, qos.STATE)
        self.server = ActionServer(
            self.node,
            ExecuteSkill,
            "execute_skill",
            self.run_skill,
            callback_group=group,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self.node.create_service(EpisodeStart, "episode/start", self.on_start)
        self.node.create_service(EpisodeStop, "episode/stop", self.on_stop)
        self.client = ActionClient(self.node, ExecuteTask, "execute_task", callback_group=group)
        self.node.create_timer(0.02, self.speak, callback_group=group)
        self.executor = MultiThreadedExecutor(6, context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin)
        self.thread.start()

    def scene(self) -> SceneState:
        fingers = self.robot.gripper.finger_links[:2]
        contacts = tuple(ContactPair(f"robot/{f}", self.held, (0.0, 1.0, 0.0)) for f in fingers if self.held)
        objects = {name: ObjectState(Pose(np.array([0.5, 0.1, 0.02]))) for name in self.task.objects}
        objects["left_bin"] = ObjectState(Pose(np.array([0.4, 0.4, 0.0])))
        objects["red_block"] = ObjectState(Pose(self.block))
        return SceneState(1.0, "blocks", 0, 0, success=False, objects=objects, contacts=contacts)

    def speak(self) -> None:
        if self.speaking:
            self.joints.publish(JointState())
            self.scenes.publish(scene_to_msg(self.scene(), "world"))

    def run_skill(self, goal):
        name, arguments = goal.request.skill, json.loads(goal.request.arguments)
        self.skills.append(f"{name}({', '.join(arguments.values())})")
        while self.slow.is_set():
            time.sleep(0.01)
            if goal.is_cancel_requested:
                self.cancelled.set()
                goal.canceled()
                return ExecuteSkill.Result(success=False, reason="cancelled")
        if name == "grasp":
            self.held = arguments["object"]
        elif name == "place_in":
            self.held, self.block = "", np.array([0.4, 0.4, 0.03])
        goal.succeed()
        return ExecuteSkill.Result(success=True)

    def on_event(self, event) -> None:
        self.events.append((event.kind, event.label, event.success))

    def on_start(self, request, response):
        self.episodes.append(request)
        response.success, response.message = not self.recorder_refuses, self.recorder_refuses
        return response

    def on_stop(self, request, response):
        self.episodes.append(request)
        response.success, response.path = request.keep, "/episodes/1"
        return response

    def send(self, sentence: str, *, record: bool = False, feedback=None):
        goal = ExecuteTask.Goal(instruction=sentence, record=record, seed=3, tags=["test"])
        future = self.client.send_goal_async(goal, feedback)
        until(future.done, "the goal's answer")
        return future.result()

    def result(self, handle):
        future = handle.get_result_async()
        until(future.done, "the task's end")
        return future.result().result

    def close(self) -> None:
        self.slow.clear()
        self.executor.shutdown()
        self.thread.join()
        self.server.destroy()
        self.client.destroy()
        self.node.destroy_node()
        self.context.shutdown()


@pytest.fixture
def graph() -> Iterator[StandInGraph]:
    stand_in = StandInGraph()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "skillet_planner.planner_node", "--ros-args", "-p", "startup:=3.0"]
    process = subprocess.Popen(command, env=environment)
    try:
        assert stand_in.client.wait_for_server(LIMIT)
        yield stand_in
    finally:
        process.terminate()
        process.wait()
        stand_in.close()


def test_a_sentence_becomes_skills_labels_feedback_a_report_and_an_episode(graph):
    seen = []
    handle = graph.send(SENTENCE, record=True, feedback=lambda m: seen.append(m.feedback))
    result = graph.result(handle)
    assert result.success, result.reason
    assert graph.skills == ["grasp(red_block, left_bin)", "place_in(red_block, left_bin)"]
    assert result.episode == "/episodes/1"
    report = TaskReport.model_validate_json(result.report)
    assert report.success
    start, stop = graph.episodes
    assert (start.instruction, start.task, start.robot, start.seed) == (SENTENCE, "blocks", "ur5e", 3)
    assert (stop.keep, stop.succeeded, stop.report) == (True, True, result.report)
    until(lambda: len(graph.events) == 4, "the labels")
    assert graph.events == [
        (0, "grasp(red_block, left_bin)", False),
        (1, "grasp(red_block, left_bin)", True),
        (0, "place_in(red_block, left_bin)", False),
        (1, "place_in(red_block, left_bin)", True),
    ]
    assert ("0.1", "place_in(red_block, left_bin)", "succeeded") in [
        (f.node, f.label, f.status) for f in seen
    ]


def test_a_refused_sentence_moves_nothing_and_records_nothing(graph):
    result = graph.result(graph.send("make me a sandwich", record=True))
    assert (result.refused, result.success) == (True, False)
    assert "put the red block in the left bin" in result.reason
    assert graph.skills == []
    assert graph.episodes == []


def test_a_second_task_is_refused_while_one_runs(graph):
    graph.slow.set()
    first = graph.send(SENTENCE)
    until(lambda: graph.skills, "the first skill")
    second = graph.result(graph.send("go home"))
    assert second.refused
    assert "another task is running" in second.reason
    graph.slow.clear()
    assert graph.result(first).success


def test_when_the_simulator_falls_silent_the_task_ends_failed_and_so_does_its_episode(graph):
    graph.slow.set()
    handle = graph.send(SENTENCE, record=True)
    until(lambda: graph.skills, "the first skill")
    graph.speaking = False
    result = graph.result(handle)
    assert not result.success
    assert "nothing was received on 'joint_states'" in result.reason
    assert graph.skills == ["grasp(red_block, left_bin)"]
    stop = graph.episodes[-1]
    assert (stop.succeeded, stop.reason) == (False, TaskReport.model_validate_json(result.report).reason)


def test_cancelling_a_task_cancels_its_skill(graph):
    graph.slow.set()
    handle = graph.send(SENTENCE, record=True)
    until(lambda: graph.skills, "the first skill")
    handle.cancel_goal_async()
    result = graph.result(handle)
    assert "cancelled" in result.reason
    assert graph.cancelled.is_set()
    assert graph.skills == ["grasp(red_block, left_bin)"]
    assert not graph.episodes[-1].succeeded


def test_without_a_recorder_a_task_that_is_to_be_recorded_is_not_begun(graph):
    graph.recorder_refuses = "the disk is full"
    result = graph.result(graph.send(SENTENCE, record=True))
    assert not result.success
    assert "not begun: the disk is full" in result.reason
    assert graph.skills == []


def test_a_task_waits_for_the_simulator_and_names_what_is_missing(graph):
    graph.speaking = False
    time.sleep(contract.MAX_SILENCE + 0.25)
    result = graph.result(graph.send(SENTENCE))
    assert "not begun: nothing was received on 'joint_states'" in result.reason
    assert graph.skills == []
