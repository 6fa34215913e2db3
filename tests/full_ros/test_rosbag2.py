"""Our episodes under the real rosbag2."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("rosbag2_py", reason="rosbag2_py of a full ROS 2 installation is not importable")

import rosbag2_py
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState

from skillet_core.robot import load_robot
from skillet_data.episode import EpisodeInfo, EpisodeOutcome, EpisodeRequest
from skillet_data.episode_writer import EpisodeWriter
from skillet_data.message_definitions import message_definition
from skillet_data.rosbag_metadata import QosProfile, TopicRecord

pytestmark = pytest.mark.full_ros
COUNT, PERIOD = 50, 4_000_000
SENTENCE = "put the red block in the left bin"
START = 1_500_000_000


def message(index: int) -> JointState:
    robot = load_robot("ur5e")
    return JointState(name=list(robot.joint_names), position=[index * 0.01 + k for k in range(6)])


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    request = EpisodeRequest(
        task="blocks", instruction="put the red block in the left bin", robot="ur5e", seed=7
    )
    info = EpisodeInfo(state="recording", request=request)
    topic = TopicRecord(
        "/joint_states", message_definition("sensor_msgs/msg/JointState"), (QosProfile(depth=100),)
    )
    writer = EpisodeWriter(tmp_path_factory.mktemp("episodes"), "20261121-120000-blocks", [topic], info)
    for index in range(COUNT):
        writer.write("/joint_states", serialize_message(message(index)), START + index * PERIOD)
    outcome = EpisodeOutcome(success=True)
    return writer.commit(info.model_copy(update={"state": "committed", "outcome": outcome}))


def test_its_reader_gets_every_message_with_its_time_and_type(bag: Path) -> None:
    reader = rosbag2_py.SequentialReader()
    reader.open(rosbag2_py.StorageOptions(str(bag), "mcap"), rosbag2_py.ConverterOptions("cdr", "cdr"))
    (topic,) = reader.get_all_topics_and_types()
    assert (topic.name, topic.type) == ("/joint_states", "sensor_msgs/msg/JointState")
    for index in range(COUNT):
        name, data, stamp = reader.read_next()
        assert (name, stamp) == ("/joint_states", START + index * PERIOD)
        assert deserialize_message(data, JointState) == message(index)
    assert not reader.has_next()


def test_its_metadata_carries_what_we_know_of_the_episode(bag: Path) -> None:
    metadata = rosbag2_py.Info().read_metadata(str(bag), "mcap")
    assert metadata.version == 9
    assert metadata.message_count == COUNT
    data = metadata.custom_data
    assert (data["instruction"], data["seed"], data["success"]) == (
        "put the red block in the left bin",
        "7",
        "true",
    )


def test_ros2_bag_info_lists_its_topic(bag: Path) -> None:
    told = subprocess.run(["ros2", "bag", "info", bag], capture_output=True, text=True, check=True).stdout
    assert "Topic: /joint_states | Type: sensor_msgs/msg/JointState | Count: 50" in told
