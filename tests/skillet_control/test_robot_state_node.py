"""The robot state node turns joint states into frames."""

from __future__ import annotations

import itertools
import time

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("tf2_msgs", reason="needs the built workspace")

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from skillet_control.robot_state_node import RobotStateNode
from skillet_core import contract
from skillet_ros import qos
from tf2_msgs.msg import TFMessage

pytestmark = [pytest.mark.ros, pytest.mark.timeout(60)]

URDF = """
<robot name="test">
  <link name="base"/><link name="arm"/><link name="mirror"/><link name="tip"/>
  <joint name="slide" type="prismatic">
    <parent link="base"/><child link="arm"/><axis xyz="0 0 1"/>
    <limit lower="-1" upper="1" effort="1" velocity="1"/>
  </joint>
  <joint name="follow" type="prismatic">
    <parent link="base"/><child link="mirror"/><axis xyz="0 0 1"/>
    <limit lower="-1" upper="1" effort="1" velocity="1"/><mimic joint="slide" multiplier="-2"/>
  </joint>
  <joint name="weld" type="fixed"><parent link="arm"/><child link="tip"/><origin xyz="1 2 3"/></joint>
</robot>
"""


@pytest.fixture
def graph():
    rclpy.init()
    nodes = RobotStateNode(), Node("peer")
    executor = SingleThreadedExecutor()
    for node in nodes:
        executor.add_node(node)
    yield executor, nodes[1]
    executor.shutdown()
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown()


def spin_until(executor, condition, publish=lambda: None) -> None:
    end = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        publish()
        executor.spin_once(timeout_sec=0.02)


def test_frames_follow_the_joint_states_and_fixed_ones_are_latched(graph):
    executor, peer = graph
    description = peer.create_publisher(String, contract.ROBOT_DESCRIPTION, qos.LATCHED)
    states = peer.create_publisher(JointState, contract.JOINT_STATES, qos.STATE)
    moving: list[TFMessage] = []
    peer.create_subscription(TFMessage, "/tf", moving.append, qos.STATE)
    description.publish(String(data="<robot"))  # is logged; the node lives on
    description.publish(String(data=URDF))
    sent = 0

    def publish() -> None:
        nonlocal sent
        msg = JointState(name=["unrelated", "slide"], position=[9.0, 0.25])
        msg.header.stamp.nanosec = sent * 4_000_000
        sent += 1
        states.publish(msg)

    spin_until(executor, lambda: len(moving) >= 4, publish)
    placed = {t.child_frame_id: (t.header.frame_id, t.transform.translation.z) for t in moving[-1].transforms}
    assert placed == {"arm": ("base", 0.25), "mirror": ("base", -0.5)}
    stamps = [message.transforms[0].header.stamp.nanosec for message in moving]
    assert all(later - earlier >= 19_000_000 for earlier, later in itertools.pairwise(stamps))

    fixed: list[TFMessage] = []
    peer.create_subscription(TFMessage, "/tf_static", fixed.append, qos.LATCHED)
    spin_until(executor, lambda: fixed)
    (transform,) = fixed[-1].transforms
    assert (transform.header.frame_id, transform.child_frame_id) == ("arm", "tip")
    assert transform.transform.translation.y == 2.0
