"""The recorder as a process of its own, with this test standing in for the robot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("skillet_interfaces", reason="needs the built workspace")

import rclpy
import yaml
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image, JointState
from skillet_interfaces.srv import EpisodeStart, EpisodeStop
from std_msgs.msg import String

from skillet_data.bag_reader import EpisodeReader
from skillet_data.episode import list_episodes
from skillet_ros import qos
from tf2_msgs.msg import TFMessage

pytestmark = pytest.mark.ros

LIMIT = 20.0


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


class StandInRobot:
    """Publishes joint states, a picture, a latched description and a static transform; calls the recorder."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        self.context.init()
        self.node = rclpy.create_node("stand_in_robot", context=self.context)
        self.joints = self.node.create_publisher(JointState, "joint_states", qos.STATE)
        self.images = self.node.create_publisher(Image, "camera/front/color/image_raw", qos.IMAGE)
        self.description = self.node.create_publisher(String, "robot_description", qos.LATCHED)
        self.description.publish(String(data="<robot/>"))
        self.static = self.node.create_publisher(TFMessage, "/tf_static", qos.LATCHED)
        self.static.publish(TFMessage())
        self.start_client = self.node.create_client(EpisodeStart, "episode/start")
        self.stop_client = self.node.create_client(EpisodeStop, "episode/stop")
        self.sent = 0
        self.speaking = True
        picture = np.arange(4 * 6 * 3, dtype=np.uint8)
        self.image = Image(height=4, width=6, encoding="rgb8", step=18, data=picture.tobytes())
        self.joint_state = JointState(name=["a"], position=[0.0])
        self.node.create_timer(0.01, self.speak)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin)
        self.thread.start()

    def speak(self) -> None:
        if self.speaking:
            self.joint_state.position = [float(self.sent)]
            self.joint_state.header.stamp = self.node.get_clock().now().to_msg()
            self.joints.publish(self.joint_state)
            self.images.publish(self.image)
            self.sent += 1

    def call(self, client, request):
        assert client.wait_for_service(LIMIT)
        future = client.call_async(request)
        until(future.done, client.srv_name)
        return future.result()

    def start(self):
        request = EpisodeStart.Request(
            instruction="put it in", task="blocks", robot="ur5e", seed=7, tags=["test"]
        )
        return self.call(self.start_client, request)

    def stop(self, **fields):
        return self.call(self.stop_client, EpisodeStop.Request(**fields))

    def heard_by_recorder(self) -> bool:
        return self.joints.get_subscription_count() > 0 and self.images.get_subscription_count() > 0

    def close(self) -> None:
        self.executor.shutdown()
        self.thread.join()
        self.node.destroy_node()
        self.context.shutdown()


@pytest.fixture
def stand_in() -> Iterator[StandInRobot]:
    robot = StandInRobot()
    yield robot
    robot.close()


@pytest.fixture
def recorder(tmp_path, stand_in) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "skillet_data.recorder_node", "--ros-args"]
    parameters = ["-p", f"episodes:={tmp_path}", "-p", "min_free_mib:=0"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([*command, *parameters], env=environment)
    until(stand_in.heard_by_recorder, "the recorder's subscriptions")
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def record_some(stand_in: StandInRobot, frames: int = 60) -> None:
    # the first answer may come before the recorder's first message
    until(lambda: stand_in.start().success, "the start of an episode")
    begun = stand_in.sent
    until(lambda: stand_in.sent >= begun + frames, "published messages")


def joint_values(path: Path) -> list[int]:
    with EpisodeReader(path) as episode:
        raw = episode.messages([episode.find("joint_states")])
        return [int(episode.decode(message).position[0]) for message in raw]


def test_an_episode_is_committed_with_messages_latched_topics_qos_and_metadata(tmp_path, stand_in, recorder):
    record_some(stand_in)
    answer = stand_in.stop(keep=True, succeeded=True, report="{}")
    assert answer.success, answer.message
    path = Path(answer.path)
    assert list_episodes(tmp_path) == [path]
    values = joint_values(path)
    # not one in between is lost
    assert values == list(range(values[0], values[0] + len(values)))
    assert len(values) >= 50
    with EpisodeReader(path) as episode:
        assert episode.info.request.instruction == "put it in"
        assert (episode.info.request.seed, episode.info.outcome.success) == (7, True)
        assert {"python", "mcap", "rosbags"} <= set(episode.info.versions)
        (text,) = episode.messages(["/robot_description"])
        assert episode.decode(text).data == "<robot/>"
        assert episode.topics["/tf_static"].count == 1
        image = next(iter(episode.messages([episode.find("camera/front/color/image_raw")])))
        assert episode.decode(image).data.tolist() == list(range(72))
    document = yaml.safe_load((path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    offered = {
        topic["topic_metadata"]["name"]: topic["topic_metadata"]["offered_qos_profiles"]
        for topic in document["topics_with_message_count"]
    }
    assert offered["/robot_description"][0]["durability"] == "transient_local"
    assert offered["/joint_states"][0]["reliability"] == "reliable"


def test_a_discarded_episode_leaves_nothing(tmp_path, stand_in, recorder):
    record_some(stand_in)
    assert stand_in.stop(keep=False).success
    assert list(tmp_path.iterdir()) == []


def test_when_the_robot_falls_silent_the_episode_ends_as_partial_and_the_next_works(
    tmp_path, stand_in, recorder
):
    record_some(stand_in)
    stand_in.speaking = False
    (folder,) = tmp_path.iterdir()
    until((folder / "metadata.yaml").exists, "the recorder to notice")
    answer = stand_in.stop(keep=True, succeeded=True)
    assert not answer.success
    assert "nothing was heard on /joint_states" in answer.message
    assert list_episodes(tmp_path) == []
    assert joint_values(folder)[-1] == stand_in.sent - 1
    stand_in.speaking = True
    record_some(stand_in, 5)
    assert stand_in.stop(keep=True, succeeded=True).success


def test_an_interrupted_recorder_leaves_a_readable_partial_episode(tmp_path, stand_in, recorder):
    record_some(stand_in)
    recorder.send_signal(signal.SIGINT)
    assert recorder.wait(LIMIT) == 0
    (path,) = list_episodes(tmp_path, partial=True)
    with EpisodeReader(path) as episode:
        assert episode.info.outcome.reason == "the recorder was stopped"
    assert len(joint_values(path)) >= 50


def test_a_killed_recorder_leaves_what_it_heard_up_to_the_last_second(tmp_path, stand_in, recorder):
    record_some(stand_in, 250)
    last = stand_in.sent
    recorder.kill()
    recorder.wait()
    assert list_episodes(tmp_path) == []
    (path,) = list_episodes(tmp_path, partial=True)
    values = joint_values(path)
    assert values == list(range(values[0], values[0] + len(values)))
    # a hundred messages a second
    assert values[-1] >= last - 100
