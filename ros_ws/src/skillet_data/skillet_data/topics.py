"""Which topics an episode holds: those of the policy spec, and what else is needed to understand it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skillet_core import contract
from skillet_core.errors import UnknownNameError
from skillet_core.policy_spec import PolicySpec

_TYPES = {
    contract.JOINT_STATES: "sensor_msgs/msg/JointState",
    contract.CONTROLLER_STATE: "control_msgs/msg/JointTrajectoryControllerState",
    contract.ROBOT_DESCRIPTION: "std_msgs/msg/String",
    contract.SAFETY_STATUS: "skillet_interfaces/msg/SafetyStatus",
    contract.SCENE_STATE: "skillet_interfaces/msg/SceneState",
    contract.EPISODE_EVENTS: "skillet_interfaces/msg/EpisodeEvent",
    "tf": "tf2_msgs/msg/TFMessage",
    "tf_static": "tf2_msgs/msg/TFMessage",
}
_LATCHED = frozenset({contract.ROBOT_DESCRIPTION, contract.SAFETY_STATUS, "tf_static"})
_ABSOLUTE = frozenset({"tf", "tf_static"})


@dataclass(frozen=True)
class RecordedTopic:
    """A topic to record.

    Attributes:
        name: of the contract, relative; ``/tf`` and ``/tf_static`` are absolute by custom.
        type: full message type.
        kind: which quality of service it is subscribed with.
        latched: sent once; repeated at the head of every episode.
    """

    name: str
    type: str
    kind: str = "state"
    latched: bool = False


def _camera_topics(camera: str, *, depth: bool) -> dict[str, str]:
    image, info = "sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo"
    topics = {contract.color_image(camera): image, contract.color_info(camera): info}
    if depth:
        topics |= {contract.depth_image(camera): image, contract.depth_info(camera): info}
    return topics


def recorded_topics(spec: PolicySpec, cameras: Sequence[str], *, depth: bool) -> tuple[RecordedTopic, ...]:
    """List what to record, each topic once.

    Args:
        spec: its topics are recorded whatever else is asked for.
        cameras: whose images and intrinsics to record.
        depth: whether to record their depth too.

    Raises:
        UnknownNameError: the spec reads a topic whose type the contract does not know, or a camera
            that is not recorded.
    """
    images: dict[str, str] = {}
    for camera in cameras:
        images |= _camera_topics(camera, depth=depth)
    known = _TYPES | images
    for name in spec.topics:
        if name not in known:
            raise UnknownNameError("topic to record", name, known)
    states = [
        RecordedTopic(f"/{name}" if name in _ABSOLUTE else name, kind, latched=name in _LATCHED)
        for name, kind in _TYPES.items()
    ]
    return (*states, *(RecordedTopic(name, type_, kind="image") for name, type_ in images.items()))
