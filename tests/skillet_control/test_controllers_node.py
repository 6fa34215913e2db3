"""The controllers on a real ROS graph: actions, topics and services over a stand-in arm."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("control_msgs", reason="needs the built workspace")

import rclpy
from action_msgs.msg import GoalStatus as RosGoalStatus
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from skillet_interfaces.msg import SafetyStatus
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg

from control_msgs.action import FollowJointTrajectory, GripperCommand
from control_msgs.msg import JointTolerance, JointTrajectoryControllerState
from skillet_control.controllers_node import ControllerInterface
from skillet_control.goals import ErrorCode
from skillet_control.manager import ControllerManager
from skillet_control.parameters import ControlParameters
from skillet_core import contract
from skillet_core.trajectory import JointTrajectory
from skillet_ros import qos
from skillet_ros.convert import trajectory_to_msg
from skillet_ros.parameters import declare_parameters

pytestmark = [pytest.mark.ros, pytest.mark.timeout(90)]

PERIOD = 0.004
NAMES = ("shoulder", "elbow", "wrist")
HOME = np.full(3, 0.1)
PATIENCE = 10.0
"""How long to wait for what must happen [s]; nothing is measured by it."""


class Host:
    """What a simulator or a driver does: a control thread, a node, an executor of one thread."""

    def __init__(self, robot, arm) -> None:
        self.arm = arm
        self.node = Node("host")
        self.manager = ControllerManager(arm, robot, period=PERIOD)
        self.face = ControllerInterface(self.node, self.manager, robot)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.executor.spin), threading.Thread(target=self.control)]
        for thread in self.threads:
            thread.start()

    def control(self) -> None:
        while not self.ended.wait(PERIOD):
            now = self.node.get_clock().now().nanoseconds * 1e-9
            self.manager.update(now)
            self.face.publish(now)

    def close(self) -> None:
        self.ended.set()
        self.executor.shutdown()
        for thread in self.threads:
            thread.join()
        self.node.destroy_node()


class Peer:
    """A client of the contract."""

    def __init__(self) -> None:
        self.node = Node("peer")
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.trajectories = ActionClient(self.node, FollowJointTrajectory, contract.FOLLOW_JOINT_TRAJECTORY)
        self.grippers = ActionClient(self.node, GripperCommand, contract.GRIPPER)
        self.feedback: list = []
        self.heard: dict[str, object] = {}
        self.stream = self.node.create_publisher(Float64MultiArray, contract.FORWARD_POSITION, qos.COMMAND)
        self.topic = self.node.create_publisher(JointTrajectoryMsg, contract.JOINT_TRAJECTORY, qos.COMMAND)
        self.listen(JointState, contract.JOINT_STATES, qos.STATE)
        self.listen(JointTrajectoryControllerState, contract.CONTROLLER_STATE, qos.STATE)
        self.listen(SafetyStatus, contract.SAFETY_STATUS, qos.LATCHED)
        assert self.trajectories.wait_for_server(PATIENCE)
        assert self.grippers.wait_for_server(PATIENCE)
        self.until(lambda: len(self.heard) == 3)

    def listen(self, kind, topic, profile) -> None:
        self.node.create_subscription(kind, topic, lambda msg: self.heard.__setitem__(topic, msg), profile)

    def until(self, condition, patience=PATIENCE) -> None:
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            self.executor.spin_once(timeout_sec=0.05)

    def wait(self, future):
        self.until(future.done)
        return future.result()

    def send(self, client, goal):
        handle = self.wait(
            client.send_goal_async(goal, feedback_callback=lambda m: self.feedback.append(m.feedback))
        )
        assert handle.accepted
        return handle

    def result(self, handle):
        return self.wait(handle.get_result_async())

    def follow(self, trajectory, **tolerances):
        msg = trajectory if isinstance(trajectory, JointTrajectoryMsg) else trajectory_to_msg(trajectory)
        return self.send(self.trajectories, FollowJointTrajectory.Goal(trajectory=msg, **tolerances))

    def call(self, name):
        client = self.node.create_client(Trigger, name)
        assert client.wait_for_service(PATIENCE)
        response = self.wait(client.call_async(Trigger.Request()))
        self.node.destroy_client(client)
        return response

    def safety(self) -> SafetyStatus:
        return self.heard[contract.SAFETY_STATUS]

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()


@pytest.fixture(scope="module")
def graph(robot, stand_in_arm):
    rclpy.init()
    host = Host(robot, stand_in_arm(robot))
    peer = Peer()
    yield host, peer
    peer.close()
    host.close()
    rclpy.shutdown()


@pytest.fixture
def at_home(graph):
    """The arm at home, at rest, not stopped, the stream silent for good."""
    host, peer = graph
    host.manager.hold("the next test begins")
    peer.until(lambda: not host.manager._filter.moving)
    host.arm.stuck, host.arm.object_width = False, 0.0
    host.arm.position, host.arm.opening = HOME.copy(), 0.05
    if host.manager.status.level == SafetyStatus.STOPPED:
        host.manager.reset()
    host.manager.synchronise("the next test begins")
    peer.feedback.clear()
    peer.until(lambda: np.array_equal(host.manager.command.position, HOME))
    return host, peer


def to(goal, seconds=1.0, names=NAMES):
    return JointTrajectory(names, np.array([seconds]), np.array([goal], float), np.zeros((1, len(goal))))


def test_a_trajectory_with_permuted_joints_is_followed_with_feedback(at_home):
    host, peer = at_home
    handle = peer.follow(to([0.5, 0.2, 0.3], names=("wrist", "shoulder", "elbow")))
    response = peer.result(handle)
    assert response.status == RosGoalStatus.STATUS_SUCCEEDED
    assert response.result.error_code == FollowJointTrajectory.Result.SUCCESSFUL
    np.testing.assert_allclose(host.manager.command.position, [0.2, 0.3, 0.5])
    assert len(peer.feedback) >= 3
    middle = peer.feedback[len(peer.feedback) // 2]
    assert tuple(middle.joint_names) == NAMES
    assert 0.1 < middle.desired.positions[0] < 0.2


@pytest.mark.parametrize(
    ("names", "goal", "code", "message"),
    [
        (NAMES, [0.2, np.nan, 0.2], ErrorCode.INVALID_GOAL, "elbow at point 0 is nan"),
        ((*NAMES, "tail"), [0.2, 0.2, 0.2, 0.2], ErrorCode.INVALID_JOINTS, "unknown joint: tail"),
        (NAMES[:2], [0.2, 0.2], ErrorCode.INVALID_JOINTS, "missing joint: wrist"),
        (NAMES, [0.2, -1.6, 0.2], ErrorCode.INVALID_GOAL, "puts elbow at -1.6000 rad"),
    ],
)
def test_a_bad_trajectory_is_aborted_with_the_reason_and_nothing_moves(at_home, names, goal, code, message):
    host, peer = at_home
    response = peer.result(peer.follow(to(goal, names=names)))
    assert response.status == RosGoalStatus.STATUS_ABORTED
    assert response.result.error_code == code
    assert message in response.result.error_string
    np.testing.assert_array_equal(host.manager.command.position, HOME)


def test_times_that_do_not_increase_are_refused(at_home):
    _, peer = at_home
    still = np.zeros((2, 3))
    msg = trajectory_to_msg(JointTrajectory(NAMES, np.array([1.0, 1.0]), np.tile(HOME, (2, 1)), still))
    response = peer.result(peer.follow(msg))
    assert response.result.error_code == ErrorCode.INVALID_GOAL
    assert "strictly increasing" in response.result.error_string


def test_a_stamp_of_long_ago_is_refused(at_home):
    host, peer = at_home
    msg = trajectory_to_msg(to([0.2, 0.2, 0.2]))
    msg.header.stamp.sec = int(host.manager.now) - 60
    response = peer.result(peer.follow(msg))
    assert response.result.error_code == ErrorCode.OLD_HEADER_TIMESTAMP


def test_cancel_ends_the_goal_and_the_arm_holds(at_home):
    host, peer = at_home
    handle = peer.follow(to([1.5, 1.5, 1.5], seconds=4.0))
    peer.until(lambda: host.manager.command.position[0] > 0.2)
    peer.wait(handle.cancel_goal_async())
    response = peer.result(handle)
    assert response.status == RosGoalStatus.STATUS_CANCELED
    peer.until(lambda: not host.manager._filter.moving)
    assert 0.2 < host.manager.command.position[0] < 1.4


def test_a_new_goal_replaces_the_old_one(at_home):
    host, peer = at_home
    first = peer.follow(to([1.0, 1.0, 1.0], seconds=3.0))
    peer.until(lambda: host.manager.command.position[0] > 0.15)
    second = peer.follow(to([0.0, 0.0, 0.0], seconds=1.5))
    response = peer.result(first)
    assert response.status == RosGoalStatus.STATUS_ABORTED
    assert "replaced" in response.result.error_string
    assert peer.result(second).status == RosGoalStatus.STATUS_SUCCEEDED
    np.testing.assert_array_equal(host.manager.command.position, np.zeros(3))


def test_leaving_the_path_is_reported(at_home):
    host, peer = at_home
    tolerance = JointTolerance(name="elbow", position=0.05)
    handle = peer.follow(to([1.0, 1.0, 1.0], seconds=2.0), path_tolerance=[tolerance])
    host.arm.stuck = True
    response = peer.result(handle)
    assert response.status == RosGoalStatus.STATUS_ABORTED
    assert response.result.error_code == ErrorCode.PATH_TOLERANCE_VIOLATED
    assert "elbow" in response.result.error_string


def test_the_trajectory_topic_moves_the_arm_and_an_empty_one_stops_it(at_home):
    host, peer = at_home
    peer.topic.publish(trajectory_to_msg(to([1.5, 1.5, 1.5], seconds=4.0)))
    peer.until(lambda: host.manager.command.position[0] > 0.2)
    peer.topic.publish(JointTrajectoryMsg())
    peer.until(lambda: not host.manager._filter.moving)
    assert host.manager.command.position[0] < 1.4
    peer.topic.publish(trajectory_to_msg(to([np.nan, 1.5, 1.5])))  # is logged; nothing else happens
    peer.until(lambda: host.manager.status.owner == "")


def test_a_stream_is_followed_and_a_silent_one_holds(at_home):
    host, peer = at_home
    target = HOME + np.array([0.02, 0.0, 0.0])

    def arrived() -> bool:
        peer.stream.publish(Float64MultiArray(data=target.tolist()))
        return np.array_equal(host.manager.command.position, target)

    peer.until(arrived)
    peer.until(lambda: peer.safety().level == SafetyStatus.HOLDING)
    assert "fell silent" in peer.safety().message
    np.testing.assert_array_equal(host.manager.command.position, target)


def test_a_streamed_target_of_the_wrong_size_is_refused(at_home):
    host, peer = at_home
    for data in ([0.5, 0.5], [0.5, np.nan, 0.5]):
        for _ in range(10):
            peer.stream.publish(Float64MultiArray(data=data))
            peer.executor.spin_once(timeout_sec=0.01)
    np.testing.assert_array_equal(host.manager.command.position, HOME)
    assert host.manager.status.owner == ""


def gripper(position, effort=20.0):
    goal = GripperCommand.Goal()
    goal.command.position, goal.command.max_effort = position, effort
    return goal


def test_the_gripper_reaches_stalls_and_refuses(at_home):
    host, peer = at_home
    response = peer.result(peer.send(peer.grippers, gripper(0.07, effort=0.0)))
    assert response.status == RosGoalStatus.STATUS_SUCCEEDED
    assert response.result.reached_goal
    assert response.result.position == pytest.approx(0.07, abs=0.003)
    assert host.manager.command.gripper_force == 40.0
    host.arm.object_width = 0.03
    response = peer.result(peer.send(peer.grippers, gripper(0.0)))
    assert response.status == RosGoalStatus.STATUS_SUCCEEDED
    assert response.result.stalled
    assert not response.result.reached_goal
    response = peer.result(peer.send(peer.grippers, gripper(0.5)))
    assert response.status == RosGoalStatus.STATUS_ABORTED


def test_arm_and_gripper_move_at_the_same_time_on_an_executor_of_one_thread(at_home):
    _, peer = at_home
    arm, fingers = peer.follow(to([0.4, 0.4, 0.4])), peer.send(peer.grippers, gripper(0.0))
    assert peer.result(fingers).result.reached_goal
    assert peer.result(arm).status == RosGoalStatus.STATUS_SUCCEEDED


def test_stop_and_reset(at_home):
    host, peer = at_home
    handle = peer.follow(to([1.5, 1.5, 1.5], seconds=4.0))
    peer.until(lambda: host.manager.command.position[0] > 0.2)
    assert peer.call(contract.SAFETY_STOP).success
    assert peer.result(handle).status == RosGoalStatus.STATUS_ABORTED
    peer.until(lambda: peer.safety().level == SafetyStatus.STOPPED)
    response = peer.result(peer.follow(to([0.2, 0.2, 0.2])))
    assert "stopped" in response.result.error_string
    peer.until(lambda: not host.manager._filter.moving)
    assert peer.call(contract.SAFETY_RESET).success
    peer.until(lambda: peer.safety().level == SafetyStatus.OK)
    assert peer.result(peer.follow(to([0.2, 0.2, 0.2]))).status == RosGoalStatus.STATUS_SUCCEEDED


def test_a_late_subscriber_sees_the_safety_status(at_home):
    _, peer = at_home
    peer.call(contract.SAFETY_STOP)
    peer.until(lambda: peer.safety().level == SafetyStatus.STOPPED)
    late = []
    subscription = peer.node.create_subscription(
        SafetyStatus, contract.SAFETY_STATUS, late.append, qos.LATCHED
    )
    peer.until(lambda: late)
    assert late[-1].level == SafetyStatus.STOPPED
    assert contract.SAFETY_STOP in late[-1].message
    peer.node.destroy_subscription(subscription)


def test_joint_states_carry_arm_and_gripper(at_home):
    _, peer = at_home
    peer.until(lambda: peer.heard[contract.JOINT_STATES].position[0] == pytest.approx(0.1, abs=1e-6))
    msg = peer.heard[contract.JOINT_STATES]
    assert tuple(msg.name) == (*NAMES, "finger", "other_finger")
    assert len(msg.velocity) == len(msg.effort) == 5
    assert msg.position[3] == pytest.approx(-msg.position[4])
    state = peer.heard[contract.CONTROLLER_STATE]
    assert tuple(state.joint_names) == NAMES
    np.testing.assert_allclose(state.output.positions, HOME)


def test_the_control_parameters_are_ros_parameters(graph):
    node = Node("declarer", parameter_overrides=[Parameter("safety.velocity_scale", value=0.5)])
    parameters = declare_parameters(node, ControlParameters)
    assert parameters.safety.velocity_scale == 0.5
    assert "[s]" in node.describe_parameter("stream.timeout").description
    node.destroy_node()
