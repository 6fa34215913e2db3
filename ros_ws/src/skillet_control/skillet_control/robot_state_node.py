"""Publishes the robot's frames: joint states and the robot description become tf and tf_static."""

from __future__ import annotations

import sys

import numpy as np
import pydantic
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import Header, String

from skillet_control.urdf_tree import JointFrames, UrdfTree
from skillet_core import contract
from skillet_core.cdr import header_stamp
from skillet_core.errors import InvalidFileError
from skillet_core.geometry import Array
from skillet_core.model import DataModel
from skillet_ros import qos
from skillet_ros.parameters import declare_parameters
from skillet_ros.run import run_node
from tf2_msgs.msg import TFMessage


class RobotStateParameters(DataModel):
    """Parameters of the robot state node."""

    robot_description: str = pydantic.Field(
        default="", description="URDF text; empty: it is taken from the topic robot_description"
    )
    rate: float = pydantic.Field(
        default=50.0, gt=0, le=1000, description="highest rate at which moving frames are published [Hz]"
    )


class _FrameMessage:
    """A TFMessage for a set of joints, filled anew each time: building it costs more than filling it."""

    def __init__(self, frames: JointFrames) -> None:
        self.frames = frames
        self.message = TFMessage(
            transforms=[
                TransformStamped(header=Header(frame_id=parent), child_frame_id=child)
                for parent, child in zip(frames.parents, frames.children, strict=True)
            ]
        )

    def fill(self, positions: Array, stamp: Time) -> TFMessage:
        transforms = self.frames.at(positions)
        rows = zip(
            self.message.transforms,
            transforms.translations.tolist(),
            transforms.quaternions.tolist(),
            strict=True,
        )
        for item, (x, y, z), (qx, qy, qz, qw) in rows:
            item.header.stamp = stamp
            at, turn = item.transform.translation, item.transform.rotation
            at.x, at.y, at.z = x, y, z
            turn.x, turn.y, turn.z, turn.w = qx, qy, qz, qw
        return self.message


class RobotStateNode(Node):
    """From joint states to frames."""

    def __init__(self) -> None:
        super().__init__("robot_state_node")
        parameters = declare_parameters(self, RobotStateParameters)
        self._period, self._last = 1.0 / parameters.rate, -np.inf
        self._tree: UrdfTree | None = None
        self._frames: _FrameMessage | None = None
        self._known: tuple[str, ...] = ()
        self._tf = self.create_publisher(TFMessage, "/tf", qos.STATE)
        self._tf_static = self.create_publisher(TFMessage, "/tf_static", qos.LATCHED)
        self.create_subscription(
            JointState, contract.JOINT_STATES, self._on_joint_states, qos.STATE, raw=True
        )
        if parameters.robot_description:
            self._use(parameters.robot_description)
        else:
            self.create_subscription(
                String, contract.ROBOT_DESCRIPTION, lambda msg: self._on_description(msg.data), qos.LATCHED
            )

    def _on_description(self, text: str) -> None:
        try:
            self._use(text)
        except InvalidFileError as error:
            self.get_logger().error(f"{contract.ROBOT_DESCRIPTION}: {error}")

    def _use(self, text: str) -> None:
        """Take a description over and publish its fixed frames.

        Raises:
            InvalidFileError: it cannot be used.
        """
        self._tree = UrdfTree(text)
        self._frames, self._known = None, ()
        fixed = _FrameMessage(self._tree.fixed)
        self._tf_static.publish(fixed.fill(np.zeros(0), self.get_clock().now().to_msg()))

    def _on_joint_states(self, raw: bytes) -> None:
        if self._tree is None:
            return
        # most messages are not due, and reading them whole would cost more than all the rest;
        # a little early is due: stamps are multiples of the control period
        stamp = 1e-9 * header_stamp(raw)
        if 0 <= stamp - self._last < 0.99 * self._period:
            return
        self._last = stamp
        msg = deserialize_message(raw, JointState)
        positions = dict(zip(msg.name, msg.position, strict=False))
        known = tuple(msg.name)
        if self._frames is None or known != self._known:
            self._frames, self._known = _FrameMessage(self._tree.moving_for(positions)), known
        values = np.array([positions[name] for name in self._frames.frames.sources])
        self._tf.publish(self._frames.fill(values, msg.header.stamp))


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run_node(RobotStateNode, args)


if __name__ == "__main__":
    sys.exit(main())
