"""The controllers' ROS face, for any node that hosts a hardware: the simulator, or a driver.

The host's control thread calls `ControllerManager.update` and then `ControllerInterface.publish`.
Everything else happens in the executor's callbacks, which only pass requests on.
"""

from __future__ import annotations

import array
from collections.abc import Mapping
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState
from skillet_interfaces.msg import SafetyStatus as SafetyStatusMsg
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg
from trajectory_msgs.msg import JointTrajectoryPoint

from control_msgs.action import FollowJointTrajectory, GripperCommand
from control_msgs.msg import JointTolerance, JointTrajectoryControllerState
from skillet_control.errors import CommandError, RefusedTrajectoryError
from skillet_control.goal_server_node import GoalServer
from skillet_control.goals import ErrorCode, GoalStatus, GripperGoal, TrajectoryGoal
from skillet_control.gripper_joints import GripperJoints
from skillet_control.manager import ControllerManager
from skillet_core import contract
from skillet_core.errors import SkilletError, TrajectoryError
from skillet_core.geometry import Array
from skillet_core.robot import RobotDescription
from skillet_ros import qos
from skillet_ros.convert import duration_from_msg, time_from_msg, time_to_msg, trajectory_from_msg

_STATE_RATE = 50.0
"""Rate of the controller's state and of the look at the safety status [Hz]."""
_ROUNDING = 1e-6
"""So that a time that rounds to just below a slot's start counts as in it."""


def _floats(values: Array) -> array.array[float]:
    # rclpy takes an array.array over without a check of every element
    return array.array("d", values.tobytes())


def _point(position: Array, velocity: Array) -> JointTrajectoryPoint:
    return JointTrajectoryPoint(positions=_floats(position), velocities=_floats(velocity))


def _tolerances(node: Node, items: list[JointTolerance]) -> Mapping[str, float] | None:
    """Tolerances by joint: a negative number means unchecked, 0 the default."""
    if any(item.velocity > 0 or item.acceleration > 0 for item in items):
        node.get_logger().warning("tolerances of velocity and acceleration are not checked, position's are")
    return {item.name: np.inf if item.position < 0 else item.position for item in items if item.position}


class _TrajectoryFace:
    """FollowJointTrajectory over the manager."""

    def __init__(self, node: Node, manager: ControllerManager) -> None:
        self._node, self._manager = node, manager

    def start(self, request: FollowJointTrajectory.Goal) -> TrajectoryGoal:
        stamp = time_from_msg(request.trajectory.header.stamp)
        late = duration_from_msg(request.goal_time_tolerance)
        return self._manager.follow(
            trajectory_from_msg(request.trajectory),
            path_tolerance=_tolerances(self._node, request.path_tolerance),
            goal_tolerance=_tolerances(self._node, request.goal_tolerance),
            # negative: without end; 0: the default
            goal_time_tolerance=None if late == 0 else max(late, 0.0),
            begin=stamp or None,
        )

    def cancel(self, goal: TrajectoryGoal) -> None:
        self._manager.cancel(goal)

    def feedback(self, goal: TrajectoryGoal) -> FollowJointTrajectory.Feedback:  # noqa: ARG002
        manager, state = self._manager, self._manager.state
        reference = manager.setpoint or manager.command
        feedback = FollowJointTrajectory.Feedback(joint_names=list(manager.robot.joint_names))
        feedback.header.stamp = time_to_msg(manager.now)
        feedback.desired = _point(reference.position, reference.velocity)
        feedback.actual = _point(state.position, state.velocity)
        feedback.error = _point(reference.position - state.position, reference.velocity - state.velocity)
        return feedback

    def result(self, goal: TrajectoryGoal) -> FollowJointTrajectory.Result:
        # a replaced goal counts as invalid, as it does for ros2_control
        code = ErrorCode.INVALID_GOAL if goal.status is GoalStatus.PREEMPTED else goal.error_code
        return FollowJointTrajectory.Result(error_code=int(code), error_string=goal.message)

    def refusal(self, error: SkilletError) -> FollowJointTrajectory.Result:
        code = error.code if isinstance(error, RefusedTrajectoryError) else ErrorCode.INVALID_GOAL
        return FollowJointTrajectory.Result(error_code=int(code), error_string=str(error))


class _GripperFace:
    """GripperCommand over the manager. An effort of 0 means the gripper's own."""

    def __init__(self, manager: ControllerManager) -> None:
        self._manager = manager

    def start(self, request: GripperCommand.Goal) -> GripperGoal:
        command = request.command
        force = self._manager.robot.gripper.max_force if command.max_effort == 0 else command.max_effort
        return self._manager.move_gripper(command.position, force)

    def cancel(self, goal: GripperGoal) -> None:
        self._manager.cancel(goal)

    def feedback(self, goal: GripperGoal) -> GripperCommand.Feedback:
        return GripperCommand.Feedback(**self._values(goal))

    def result(self, goal: GripperGoal) -> GripperCommand.Result:
        return GripperCommand.Result(**self._values(goal))

    def refusal(self, error: SkilletError) -> GripperCommand.Result:  # noqa: ARG002
        # the message has no room for a reason; the log has it
        state = self._manager.state
        return GripperCommand.Result(position=state.gripper_opening, effort=abs(state.gripper_effort))

    def _values(self, goal: GripperGoal) -> dict[str, Any]:
        state = self._manager.state
        return {
            "position": state.gripper_opening,
            "effort": abs(state.gripper_effort),
            "stalled": goal.stalled,
            "reached_goal": goal.reached,
        }


class ControllerInterface:
    """Topics, actions and services of a `ControllerManager` on a host node. See docs/contract.md."""

    def __init__(
        self, node: Node, manager: ControllerManager, robot: RobotDescription, *, joint_state_divider: int = 1
    ) -> None:
        """Put the controllers on the graph.

        Args:
            node: the host. Its executor may be single-threaded.
            manager: the host updates it, with times of the node's clock.
            robot: its description.
            joint_state_divider: joint states are published on every so manieth call of `publish`.
        """
        self._node, self._manager, self._robot = node, manager, robot
        self._divider, self._count = joint_state_divider, 0
        self._gripper_joints = GripperJoints(robot.gripper)
        self._names = [*robot.joint_names, *self._gripper_joints.names]
        self._joint_states = node.create_publisher(JointState, contract.JOINT_STATES, qos.STATE)
        self._state = node.create_publisher(
            JointTrajectoryControllerState, contract.CONTROLLER_STATE, qos.STATE
        )
        self._safety = node.create_publisher(SafetyStatusMsg, contract.SAFETY_STATUS, qos.LATCHED)
        self._published_status: object = None
        self._state_slot = -1
        node.create_subscription(Float64MultiArray, contract.FORWARD_POSITION, self._on_stream, qos.COMMAND)
        node.create_subscription(
            JointTrajectoryMsg, contract.JOINT_TRAJECTORY, self._on_trajectory, qos.COMMAND
        )
        node.create_service(Trigger, contract.SAFETY_STOP, self._on_stop)
        node.create_service(Trigger, contract.SAFETY_RESET, self._on_reset)
        self._servers = (
            GoalServer(
                node, FollowJointTrajectory, contract.FOLLOW_JOINT_TRAJECTORY, _TrajectoryFace(node, manager)
            ),
            GoalServer(node, GripperCommand, contract.GRIPPER, _GripperFace(manager)),
        )

    def publish(self, now: float) -> None:
        """Publish what is due; call it from the control thread after each update.

        Args:
            now: time of the node's clock [s]. States carry the time of the update that read them.
        """
        if self._count % self._divider == 0:
            self._publish_joint_states()
        self._count += 1
        for server in self._servers:
            server.spin(now)
        slot = int(now * _STATE_RATE + _ROUNDING)
        if slot != self._state_slot:
            self._state_slot = slot
            self._publish_controller_state()
            self._publish_safety()

    def _publish_joint_states(self) -> None:
        state = self._manager.state
        position, velocity, effort = self._gripper_joints.at(
            state.gripper_opening, state.gripper_velocity, state.gripper_effort
        )
        msg = JointState(name=self._names)
        msg.header.stamp = time_to_msg(self._manager.now)
        msg.position = _floats(np.concatenate([state.position, position]))
        msg.velocity = _floats(np.concatenate([state.velocity, velocity]))
        msg.effort = _floats(np.concatenate([state.effort, effort]))
        self._joint_states.publish(msg)

    def _publish_controller_state(self) -> None:
        manager, state = self._manager, self._manager.state
        command = manager.command
        reference = manager.setpoint or command
        msg = JointTrajectoryControllerState(
            joint_names=list(self._robot.joint_names), speed_scaling_factor=1.0
        )
        msg.header.stamp = time_to_msg(manager.now)
        msg.reference = _point(reference.position, reference.velocity)
        msg.feedback = _point(state.position, state.velocity)
        msg.error = _point(reference.position - state.position, reference.velocity - state.velocity)
        msg.output = _point(command.position, command.velocity)
        self._state.publish(msg)

    def _publish_safety(self) -> None:
        status = self._manager.status
        if status == self._published_status:
            return
        self._published_status = status
        msg = SafetyStatusMsg(
            level=int(status.level),
            owner=status.owner,
            message=status.message,
            limited_joints=list(status.limited_joints),
        )
        msg.header.stamp = time_to_msg(self._manager.now)
        self._safety.publish(msg)

    def _on_stream(self, msg: Float64MultiArray) -> None:
        try:
            self._manager.stream(np.array(msg.data), self._manager.now)
        except CommandError as error:
            self._node.get_logger().warning(
                f"{contract.FORWARD_POSITION}: a target was refused: {error}", throttle_duration_sec=1.0
            )

    def _on_trajectory(self, msg: JointTrajectoryMsg) -> None:
        """Follow a trajectory without an action; one without points stops the arm, as ros2_control does."""
        if not msg.points:
            self._manager.hold("an empty trajectory was received")
            return
        try:
            stamp = time_from_msg(msg.header.stamp)
            self._manager.follow(trajectory_from_msg(msg), begin=stamp or None)
        except TrajectoryError as error:
            self._node.get_logger().error(f"{contract.JOINT_TRAJECTORY}: a trajectory was refused: {error}")

    def _on_stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._manager.stop(f"{contract.SAFETY_STOP} was called")
        response.success, response.message = True, "the arm brakes and holds until it is reset"
        return response

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            self._manager.reset()
        except CommandError as error:
            response.message = str(error)
        else:
            response.success, response.message = True, "the arm may move again"
        return response
