"""The recorder node: raw messages of the contract's topics into episodes.

Messages are subscribed raw and written as they came, never decoded. ``log_time`` is when this node
received a message, in the ROS clock, which is simulation time in simulation.
"""

from __future__ import annotations

import copy
import datetime as dt
import importlib
import sys
import time
from functools import partial
from pathlib import Path

import pydantic
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.topic_endpoint_info import TopicEndpointInfo
from skillet_interfaces.srv import EpisodeStart, EpisodeStop

from skillet_core import contract
from skillet_core.errors import SkilletError
from skillet_core.model import DataModel
from skillet_core.policy_spec import load_policy_spec
from skillet_data.episode import EpisodeOutcome, EpisodeRequest
from skillet_data.message_definitions import message_definition
from skillet_data.recorder import EpisodeRecorder, RecorderSettings
from skillet_data.rosbag_metadata import QosProfile
from skillet_data.software_versions import software_versions
from skillet_data.topics import RecordedTopic, recorded_topics
from skillet_ros import qos
from skillet_ros.parameters import declare_parameters
from skillet_ros.run import run_node

_TICK = 0.25
"""Period of the flush and of the look at the heartbeat, steady time [s]."""
_INFINITE = 2**63 - 1
_STATES_QUEUED, _IMAGES_QUEUED = 2000, 60
"""Messages of a topic that may wait for this node: 8 s of joint states, 4 s of images."""


class RecorderParameters(DataModel):
    """Parameters of the recorder node."""

    robot: str = pydantic.Field(default="ur5e", description="robot identifier, for requests that name none")
    task: str = pydantic.Field(default="blocks", description="task identifier, for requests that name none")
    episodes: str = pydantic.Field(default="out/episodes", description="folder that episodes are put in")
    spec: str = pydantic.Field(default="demo", description="policy spec: name in policies/specs or YAML file")
    cameras: list[str] = pydantic.Field(default=["front", "wrist"], description="cameras to record")
    depth: bool = pydantic.Field(default=True, description="record the cameras' depth images too")
    silence: float = pydantic.Field(
        default=contract.MAX_SILENCE,
        gt=0,
        description="silence of joint_states that ends an episode as unfinished [s]",
    )
    min_free_mib: int = pydantic.Field(default=200, ge=0, description="least free space on the disk [MiB]")


def _message_class(name: str) -> type:
    package, kind, message = name.split("/")
    cls: type = getattr(importlib.import_module(f"{package}.{kind}"), message)
    return cls


def _profile(topic: RecordedTopic) -> QoSProfile:
    """Subscribe as the publisher offers, but with room for a busy machine: a lost sample stays lost."""
    if topic.latched:
        return qos.LATCHED
    profile = copy.copy(qos.IMAGE if topic.kind == "image" else qos.STATE)
    profile.depth = _IMAGES_QUEUED if topic.kind == "image" else _STATES_QUEUED
    return profile


def _nanoseconds(value: int) -> int | None:
    return None if value in {0, _INFINITE} else value


def _offered(info: TopicEndpointInfo) -> QosProfile:
    """Put what a publisher offers into rosbag2's words."""
    profile = info.qos_profile
    return QosProfile(
        reliability=profile.reliability.name.lower(),
        durability=profile.durability.name.lower(),
        history=profile.history.name.lower(),
        depth=profile.depth,
        liveliness=profile.liveliness.name.lower(),
        deadline=_nanoseconds(profile.deadline.nanoseconds),
        lifespan=_nanoseconds(profile.lifespan.nanoseconds),
        lease=_nanoseconds(profile.liveliness_lease_duration.nanoseconds),
    )


class RecorderNode(Node):
    """Serves ``episode/start`` and ``episode/stop`` from when the robot is first heard."""

    def __init__(self) -> None:
        super().__init__("recorder_node")
        given = self._given = declare_parameters(self, RecorderParameters)
        topics = recorded_topics(load_policy_spec(given.spec), given.cameras, depth=given.depth)
        resolved = {self.resolve_topic_name(topic.name): topic for topic in topics}
        self._definitions = {name: message_definition(topic.type) for name, topic in resolved.items()}
        settings = RecorderSettings(
            root=Path(given.episodes).absolute(),
            heartbeat=self.resolve_topic_name(contract.JOINT_STATES),
            silence=given.silence,
            min_free=given.min_free_mib << 20,
            versions=software_versions(),
        )
        latched = [name for name, topic in resolved.items() if topic.latched]
        self._recorder = EpisodeRecorder(settings, latched)
        self._subscriptions_kept = [
            self.create_subscription(
                _message_class(topic.type), name, partial(self._receive, name), _profile(topic), raw=True
            )
            for name, topic in resolved.items()
        ]
        self._heartbeat, self._serving = settings.heartbeat, False
        # a timer on the node's clock would stand still with the simulator
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._look = self.create_timer(_TICK, self._tick, clock=steady)
        self.get_logger().info(f"recording {len(resolved)} topics on request, to {settings.root}")

    def destroy_node(self) -> None:
        """Leave a running episode as partial."""
        self._recorder.close("the recorder was stopped")
        super().destroy_node()

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _serve(self) -> None:
        """Offer the services, once the robot is heard: who waits for them finds a recorder that is ready."""
        self.create_service(EpisodeStart, contract.EPISODE_START, self._start)
        self.create_service(EpisodeStop, contract.EPISODE_STOP, self._stop)
        self._serving = True

    def _receive(self, topic: str, data: bytes) -> None:
        if not self._serving and topic == self._heartbeat:
            self._serve()
        try:
            self._recorder.receive(topic, data, self._now(), time.monotonic())
        except SkilletError as error:
            self.get_logger().error(str(error))

    def _tick(self) -> None:
        try:
            self._recorder.tick(time.monotonic())
        except SkilletError as error:
            self.get_logger().error(str(error))

    def _start(self, request: EpisodeStart.Request, response: EpisodeStart.Response) -> EpisodeStart.Response:
        try:
            wanted = EpisodeRequest(
                task=request.task or self._given.task,
                instruction=request.instruction,
                robot=request.robot or self._given.robot,
                seed=request.seed,
                tags=tuple(request.tags),
            )
            topics = {
                name: (definition, tuple(map(_offered, self.get_publishers_info_by_topic(name))))
                for name, definition in self._definitions.items()
            }
            stamp = dt.datetime.now(tz=dt.UTC)
            path = self._recorder.start(wanted, topics, stamp, self._now(), time.monotonic())
            response.success, response.path = True, str(path)
        except (SkilletError, pydantic.ValidationError) as error:
            response.success, response.message = False, str(error)
            self.get_logger().error(f"cannot start an episode: {error}")
        return response

    def _stop(self, request: EpisodeStop.Request, response: EpisodeStop.Response) -> EpisodeStop.Response:
        outcome = EpisodeOutcome(success=request.succeeded, reason=request.reason, report=request.report)
        try:
            path = self._recorder.stop(outcome, time.monotonic(), keep=request.keep)
            response.success, response.path = True, "" if path is None else str(path)
        except SkilletError as error:
            response.success, response.message = False, str(error)
            self.get_logger().error(str(error))
        return response


def main() -> int:
    """Run the node; returns the exit status."""
    return run_node(RecorderNode)


if __name__ == "__main__":
    sys.exit(main())
