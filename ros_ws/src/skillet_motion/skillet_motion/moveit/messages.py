"""How messages are made here: by whoever has them, so that this package needs no MoveIt to be imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from skillet_core.geometry import Array, Pose
from skillet_motion.moveit.config import WORLD


class Messages(Protocol):
    """Makes a message of one of ROS's types."""

    def __call__(self, kind: str, /, **fields: Any) -> Any:
        """Return a message with some fields set and the others as the type has them.

        Args:
            kind: name of the type without its package, e.g. ``"JointConstraint"``.
            fields: by the names of the type's definition.
        """


def pose(messages: Messages, value: Pose) -> Any:
    """Return a ``geometry_msgs/Pose``."""
    return messages(
        "Pose",
        position=messages("Point", **_numbers("xyz", value.position)),
        orientation=quaternion(messages, value),
    )


def quaternion(messages: Messages, value: Pose) -> Any:
    """Return a pose's orientation as a ``geometry_msgs/Quaternion``."""
    return messages("Quaternion", **_numbers("xyzw", value.quaternion))


def points(messages: Messages, values: Array) -> list[Any]:
    """Return ``geometry_msgs/Point`` messages, shape (k, 3) [m]."""
    return [messages("Point", **_numbers("xyz", value)) for value in values]


def header(messages: Messages, frame: str = WORLD) -> Any:
    """Return a ``std_msgs/Header`` without a stamp: valid at any time."""
    return messages("Header", frame_id=frame)


def joint_state(messages: Messages, names: Sequence[str], positions: Sequence[float] | Array) -> Any:
    """Return a ``sensor_msgs/JointState`` of positions [rad or m]."""
    return messages("JointState", name=list(names), position=[float(value) for value in positions])


def _numbers(axes: str, values: Array) -> dict[str, float]:
    return {axis: float(value) for axis, value in zip(axes, values, strict=True)}
