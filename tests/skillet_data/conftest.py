"""Episodes of known signals, written without ROS."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from skillet_core.robot import RobotDescription, load_robot
from skillet_data.episode import EpisodeInfo, EpisodeOutcome, EpisodeRequest, episode_name
from skillet_data.episode_writer import EpisodeWriter
from skillet_data.message_definitions import MessageDefinition, message_definition
from skillet_data.rosbag_metadata import QosProfile, TopicRecord

SOURCE = Path(__file__).parents[2] / "ros_ws" / "src"
SECOND = 1_000_000_000
START = 5 * SECOND
JOINTS, STATE = "/joint_states", "/joint_trajectory_controller/controller_state"
FRONT, DEPTH = "/camera/front/color/image_raw", "/camera/front/aligned_depth_to_color/image_raw"
TYPES = {
    JOINTS: "sensor_msgs/msg/JointState",
    STATE: "control_msgs/msg/JointTrajectoryControllerState",
    FRONT: "sensor_msgs/msg/Image",
    DEPTH: "sensor_msgs/msg/Image",
}


class Messages:
    """Makes serialised messages of the contract's types."""

    def __init__(self, prefix: Path) -> None:
        share = prefix / "share"
        share.mkdir(parents=True)
        for package in ("compat/control_msgs", "skillet_interfaces"):
            (share / Path(package).name).symlink_to(SOURCE / package)
        self.prefixes = (prefix, Path(sys.prefix))
        self.store = get_typestore(Stores.ROS2_JAZZY)
        text = self.definition(TYPES[STATE]).text
        self.store.register(get_types_from_msg(text, TYPES[STATE]))

    def definition(self, name: str) -> MessageDefinition:
        return message_definition(name, self.prefixes)

    def make(self, name: str, /, **fields) -> object:
        return self.store.types[name](**fields)

    def header(self, nanoseconds: int) -> object:
        stamp = self.make(
            "builtin_interfaces/msg/Time", sec=nanoseconds // SECOND, nanosec=nanoseconds % SECOND
        )
        return self.make("std_msgs/msg/Header", stamp=stamp, frame_id="")

    def cdr(self, message) -> bytes:
        return bytes(self.store.serialize_cdr(message, message.__msgtype__))

    def joint_state(self, stamp: int, names, positions, velocities) -> bytes:
        message = self.make(
            TYPES[JOINTS],
            header=self.header(stamp),
            name=list(names),
            position=np.array(positions, float),
            velocity=np.array(velocities, float),
            effort=np.zeros(0),
        )
        return self.cdr(message)

    def image(self, stamp: int, pixels: np.ndarray, encoding: str) -> bytes:
        message = self.make(
            "sensor_msgs/msg/Image",
            header=self.header(stamp),
            height=pixels.shape[0],
            width=pixels.shape[1],
            encoding=encoding,
            is_bigendian=0,
            step=pixels.strides[0],
            data=np.frombuffer(pixels.tobytes(), np.uint8),
        )
        return self.cdr(message)

    def controller_state(self, stamp: int, names, reference) -> bytes:
        duration = self.make("builtin_interfaces/msg/Duration", sec=0, nanosec=0)

        def point(positions) -> object:
            empty = np.zeros(0)
            return self.make(
                "trajectory_msgs/msg/JointTrajectoryPoint",
                positions=np.array(positions, float),
                velocities=empty,
                accelerations=empty,
                effort=empty,
                time_from_start=duration,
            )

        multi = self.make(
            "trajectory_msgs/msg/MultiDOFJointTrajectoryPoint",
            transforms=[],
            velocities=[],
            accelerations=[],
            time_from_start=duration,
        )
        singles = {key: point([]) for key in ("feedback", "error", "output")}
        multis = {f"multi_dof_{key}": multi for key in ("reference", "feedback", "error", "output")}
        message = self.make(
            TYPES[STATE],
            header=self.header(stamp),
            joint_names=list(names),
            reference=point(reference),
            multi_dof_joint_names=[],
            speed_scaling_factor=1.0,
            **singles,
            **multis,
        )
        return self.cdr(message)


@pytest.fixture(scope="session")
def messages(tmp_path_factory) -> Messages:
    return Messages(tmp_path_factory.mktemp("prefix") / "install")


@pytest.fixture(scope="session")
def robot() -> RobotDescription:
    return load_robot("ur5e")


def info(state: str = "recording", **outcome) -> EpisodeInfo:
    request = EpisodeRequest(
        task="blocks", instruction="put the red block in the left bin", robot="ur5e", seed=7, tags=("a", "b")
    )
    return EpisodeInfo(
        state=state, request=request, outcome=EpisodeOutcome(**outcome), versions={"skillet": "0.1.0"}
    )


def position(joint: int, seconds: float) -> float:
    """The known signal of the joints: exact in float32, different for every joint and time."""
    return joint + seconds / 4


def frame(number: int) -> np.ndarray:
    """The known picture: blocks of 2 x 2 pixels average to the frame's number, which repeats after 250."""
    image = np.full((8, 16, 3), 1 + (number - 1) % 250, np.uint8)
    image[::2, ::2] += 1
    image[1::2, 1::2] -= 1
    return image


Samples = Iterator[tuple[int, str, bytes]]


def signals(
    messages: Messages, robot: RobotDescription, seconds: float, rates: dict[str, float] | None = None
) -> Samples:
    """Yield (log time, topic, data) by time: joints and references at 100 Hz, pictures at 20 Hz."""
    rate = {JOINTS: 100.0, STATE: 100.0, FRONT: 20.0, DEPTH: 20.0} | (rates or {})
    times = sorted(
        (round(k * SECOND / hertz), topic, k)
        for topic, hertz in rate.items()
        if hertz
        for k in range(int(seconds * hertz) + 1)
    )
    # in another order than the robot's, with the gripper in front: joints go by name
    names = [robot.gripper.joint, *reversed(robot.joint_names)]
    count = len(robot.joint_names)
    for time, topic, k in times:
        t = time / SECOND
        stamp = START + time
        if topic == JOINTS:
            arm = [position(j, t) for j in reversed(range(count))]
            yield stamp, topic, messages.joint_state(stamp, names, [0.0, *arm], [0.0, *arm])
        elif topic == STATE:
            arm = [position(j, t) + 100 for j in range(count)]
            yield stamp, topic, messages.controller_state(stamp, robot.joint_names, arm)
        elif topic == FRONT:
            yield stamp, topic, messages.image(stamp, frame(k + 1), "rgb8")
        else:
            yield stamp, topic, messages.image(stamp, np.full((8, 16), 1000 + k, np.uint16), "16UC1")


@pytest.fixture
def open_writer(messages: Messages) -> Callable[..., EpisodeWriter]:
    def make(root: Path, name: str = "20261121-030000-blocks", topics=tuple(TYPES)) -> EpisodeWriter:
        records = [TopicRecord(t, messages.definition(TYPES[t]), (QosProfile(),)) for t in topics]
        return EpisodeWriter(root, name, records, info())

    return make


@pytest.fixture
def record(messages, robot, open_writer) -> Callable[..., Path]:
    """Write and commit an episode of known signals."""

    def make(root: Path, seconds: float = 2.0, *, keep=lambda _sample: True, **options) -> Path:
        rates, success = options.pop("rates", None), options.pop("success", True)
        name = episode_name("blocks", dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC), root)
        writer = open_writer(root, name)
        for sample in signals(messages, robot, seconds, rates):
            if keep(sample):
                log_time, topic, data = sample
                writer.write(topic, data, log_time)
        return writer.commit(info("committed", success=success, reason="" if success else "dropped"))

    return make
