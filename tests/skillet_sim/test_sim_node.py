"""The simulation node in a process of its own: what docs/contract.md promises of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict

import numpy as np
import pytest

pytest.importorskip("skillet_interfaces", reason="needs the built workspace")

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from skillet_interfaces.msg import SceneState
from skillet_interfaces.srv import SceneReset, SceneStep
from std_msgs.msg import String

from skillet_core import contract
from skillet_core.robot import load_robot
from skillet_ros import qos
from skillet_ros.convert import time_from_msg

pytestmark = pytest.mark.ros
PATIENCE = 60.0
CAMERA_RATE, CONTROL_RATE = 10, 250


class Client:
    """Hears everything that the simulation node says."""

    def __init__(self, node: Node, cameras: list[str]) -> None:
        self.node, self.heard = node, defaultdict(list)
        self._listen(Clock, "/clock", qos.CLOCK)
        self._listen(JointState, contract.JOINT_STATES, qos.STATE)
        self._listen(SceneState, contract.SCENE_STATE, qos.STATE)
        self._listen(String, contract.ROBOT_DESCRIPTION, qos.LATCHED)
        for camera in cameras:
            for topic in (contract.color_image(camera), contract.depth_image(camera)):
                self._listen(Image, topic, qos.IMAGE)
            for topic in (contract.color_info(camera), contract.depth_info(camera)):
                self._listen(CameraInfo, topic, qos.IMAGE)
        self.reset = node.create_client(SceneReset, contract.SCENE_RESET)
        self.step = node.create_client(SceneStep, contract.SCENE_STEP)

    def _listen(self, kind, topic, profile):
        self.node.create_subscription(kind, topic, self.heard[topic].append, profile)

    def wait_for(self, topic, count=1):
        give_up = time.monotonic() + PATIENCE
        while len(self.heard[topic]) < count:
            assert time.monotonic() < give_up, f"{topic}: {len(self.heard[topic])} of {count} messages"
            time.sleep(0.01)
        return self.heard[topic]

    def call(self, client, request):
        assert client.wait_for_service(PATIENCE)
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        assert done.wait(PATIENCE)
        return future.result()

    def pause(self):
        return self.call(self.step, SceneStep.Request(mode=SceneStep.Request.STEP, periods=0))

    def resume(self):
        return self.call(self.step, SceneStep.Request(mode=SceneStep.Request.RESUME))


def start(*parameters):
    settings = [flag for value in parameters for flag in ("-p", value)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(
        [sys.executable, "-m", "skillet_sim.sim_node", "--ros-args", *settings],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module", params=["ur5e", "panda"])
def client(request):
    process = start(f"robot:={request.param}", "seed:=5", f"camera_rate:={CAMERA_RATE}", "image_width:=160")
    context = rclpy.Context()
    context.init()
    node = Node("listener", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    client = Client(node, [camera.name for camera in load_robot(request.param).cameras])
    client.robot = load_robot(request.param)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    client.wait_for(contract.JOINT_STATES)
    yield client
    executor.shutdown()
    thread.join()
    node.destroy_node()
    context.shutdown()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors


def stamps(messages):
    return np.array([time_from_msg(msg.header.stamp) for msg in messages])


def test_joint_states_name_arm_and_gripper_and_come_once_a_control_period(client):
    messages = client.wait_for(contract.JOINT_STATES, 200)[:200]
    names = set(messages[0].name)
    assert names == {*client.robot.joint_names, *client.robot.gripper.joint_names}
    np.testing.assert_allclose(np.diff(stamps(messages)), 1 / CONTROL_RATE, atol=1e-6)
    position = dict(zip(messages[-1].name, messages[-1].position, strict=True))
    home = [position[name] for name in client.robot.joint_names]
    np.testing.assert_allclose(home, client.robot.home, atol=2e-3)


def test_a_late_subscriber_gets_the_robot_description(client):
    (message, *_) = client.wait_for(contract.ROBOT_DESCRIPTION)
    assert "<robot" in message.data
    assert client.robot.gripper.grasp_frame in message.data


def test_images_come_at_their_rate_with_intrinsics_encoding_and_optical_frame(client):
    for camera in client.robot.cameras:
        color = client.wait_for(contract.color_image(camera.name), 5)
        depth = client.wait_for(contract.depth_image(camera.name), 5)
        info = client.wait_for(contract.color_info(camera.name), 5)[0]
        assert (color[0].encoding, depth[0].encoding) == ("rgb8", "16UC1")
        assert (color[0].width, color[0].height, info.width, info.height) == (160, 240, 160, 240)
        assert {m.header.frame_id for m in (color[0], depth[0], info)} == {camera.optical_frame}
        assert info.k[0] == info.k[4] > 0
        np.testing.assert_allclose(np.diff(stamps(color)), 1 / CAMERA_RATE, atol=1e-6)
        millimetres = np.frombuffer(depth[0].data, np.uint16)
        assert 50 < np.median(millimetres) < 3000


def test_the_same_seed_gives_the_same_scene_another_seed_another_and_time_goes_on(client):
    client.pause()
    states = [client.call(client.reset, SceneReset.Request(seed=seed)) for seed in (7, 8, 7)]
    client.resume()
    assert all(state.success for state in states)
    first, other, again = (state.state for state in states)
    assert [o.pose for o in first.objects] == [o.pose for o in again.objects]
    assert [o.pose for o in first.objects] != [o.pose for o in other.objects]
    assert (first.seed, other.seed) == (7, 8)
    assert first.episode < other.episode < again.episode
    clock = [time_from_msg(msg.clock) for msg in list(client.heard["/clock"])]
    assert (np.diff(clock) >= 0).all()


def test_a_reset_to_another_task_is_refused_and_says_how_to_get_it(client):
    answer = client.call(client.reset, SceneReset.Request(task="drawer"))
    assert not answer.success
    assert "task:=drawer" in answer.message


def test_a_reset_with_a_negative_seed_is_refused_and_the_simulation_goes_on(client):
    answer = client.call(client.reset, SceneReset.Request(seed=-1))
    assert not answer.success
    assert "0 or more, got -1" in answer.message
    client.wait_for(contract.JOINT_STATES, len(client.heard[contract.JOINT_STATES]) + 50)


def test_lock_step_advances_by_whole_periods_and_answers_when_the_cameras_have_published(client):
    paused = time_from_msg(client.pause().stamp)
    time.sleep(0.2)
    assert time_from_msg(client.pause().stamp) == paused
    color = contract.color_image(client.robot.cameras[0].name)
    request = SceneStep.Request(mode=SceneStep.Request.STEP, periods=CONTROL_RATE // CAMERA_RATE)
    times = [time_from_msg(client.call(client.step, request).stamp) for _ in range(5)]
    np.testing.assert_allclose(np.diff([paused, *times]), 1 / CAMERA_RATE, atol=1e-6)
    give_up = time.monotonic() + PATIENCE
    while (seen := (stamps(list(client.heard[color])) > paused).sum()) < 5 and time.monotonic() < give_up:
        time.sleep(0.01)
    assert seen == 5
    assert time_from_msg(client.resume().stamp) >= times[-1]


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("robot:=ur6", "unknown robot 'ur6'"),
        ("task:=blosk", "Did you mean 'blocks'"),
        ("control_rate:=300", "control_rate must divide"),
        ("camera_rate:=600", "camera_rate"),
    ],
)
def test_a_wrong_parameter_ends_the_node_with_an_error_that_names_it(parameter, words):
    process = start(parameter, "cameras:=false")
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert words in errors
