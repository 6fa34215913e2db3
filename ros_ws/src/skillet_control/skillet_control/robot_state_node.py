"""Publishes the robot's frames: joint states and the robot description become tf and tf_static."""

from __future__ import annotations

import sys

import numpy as np
import pydantic
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from skillet_control.urdf_tree import JointFrames, Transforms, UrdfTree
from skillet_core import contract
from skillet_core.errors import InvalidFileError
from skillet_core.model import DataModel
from skillet_ros import qos
from skillet_ros.convert import time_from_msg
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


def _messages(transforms: Transforms) -> list[TransformStamped]:
    """Transforms to messages, without stamps."""
    messages = []
    rows = zip(
        transforms.parents,
        transforms.children,
        transforms.translations.tolist(),
        transforms.quaternions.tolist(),
        strict=True,
    )
    for parent, child, (x, y, z), (qx, qy, qz, qw) in rows:
        transform = Transform(translation=Vector3(x=x, y=y, z=z), rotation=Quaternion(x=qx, y=qy, z=qz, w=qw))
        message = TransformStamped(child_frame_id=child, transform=transform)
        message.header.frame_id = parent
        messages.append(message)
    return messages


class RobotStateNode(Node):
    """From joint states to frames."""

    def __init__(self) -> None:
        super().__init__("robot_state_node")
        parameters = declare_parameters(self, RobotStateParameters)
        self._period, self._last = 1.0 / parameters.rate, -np.inf
        self._tree: UrdfTree | None = None
        self._frames: JointFrames | None = None
        self._known: tuple[str, ...] = ()
        self._tf = self.create_publisher(TFMessage, "/tf", qos.STATE)
        self._tf_static = self.create_publisher(TFMessage, "/tf_static", qos.STATIC_TF)
        self.create_subscription(JointState, contract.JOINT_STATES, self._on_joint_states, qos.STATE)
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
        fixed = _messages(self._tree.fixed.at(np.zeros(0)))
        stamp = self.get_clock().now().to_msg()
        for message in fixed:
            message.header.stamp = stamp
        self._tf_static.publish(TFMessage(transforms=fixed))

    def _on_joint_states(self, msg: JointState) -> None:
        if self._tree is None:
            return
        stamp = time_from_msg(msg.header.stamp)
        # a little early is due: stamps are multiples of the control period
        if 0 <= stamp - self._last < 0.99 * self._period:
            return
        self._last = stamp
        positions = dict(zip(msg.name, msg.position, strict=False))
        known = tuple(msg.name)
        if self._frames is None or known != self._known:
            self._frames, self._known = self._tree.moving_for(positions), known
        values = np.array([positions[name] for name in self._frames.sources])
        transforms = _messages(self._frames.at(values))
        for message in transforms:
            message.header.stamp = msg.header.stamp
        self._tf.publish(TFMessage(transforms=transforms))


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run_node(RobotStateNode, args)


if __name__ == "__main__":
    sys.exit(main())
