"""`RosRobot`: the `Robot` protocol over the contract's topics and actions.

Its methods block the calling thread, which must not be the thread (or one of the threads) that the
node's executor needs for callbacks. Waiting is on threading events that callbacks set; every wait
looks at how long ago the robot was heard, on the steady clock, because simulation time stands still
when a simulator dies.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import JointState
from skillet_interfaces.msg import SceneState as SceneStateMsg

from control_msgs.action import FollowJointTrajectory, GripperCommand
from skillet_core import contract
from skillet_core.errors import CancelledError, ExecutionError, StaleStateError, TrajectoryError
from skillet_core.geometry import Array, Pose
from skillet_core.manipulation import Grasp, GraspRequest, Placement, PlaceRequest
from skillet_core.motion import PlanRequest
from skillet_core.planning_stack import PlanningStack
from skillet_core.robot import RobotDescription
from skillet_core.robot_interface import GripResult, Watch
from skillet_core.scene import SceneState, TaskDescription
from skillet_core.trajectory import JointTrajectory, RobotState
from skillet_ros import qos
from skillet_ros.convert import scene_from_msg, time_from_msg, trajectory_to_msg
from skillet_ros.liveness import Liveness
from skillet_ros.worker import call_in_executor

ANSWER_TIME = 5.0
"""How long an action server may take to accept or to cancel a goal [s]."""
WATCH_PERIOD = 0.1
"""Time between two calls of a motion's watch [s], on the node's clock."""
_POLL = 0.02


class RosRobot:
    """A robot behind the contract: simulated or real, it cannot tell.

    Attributes:
        planning: held while the stack is used, which serves one thread at a time.
    """

    def __init__(
        self,
        node: Node,
        robot: RobotDescription,
        task: TaskDescription,
        stack: PlanningStack,
        *,
        scene_is_reported: bool = True,
    ) -> None:
        """Subscribe and make the action clients.

        Args:
            node: spun by somebody else, with a thread to spare for callbacks.
            robot: which robot.
            task: which scene.
            stack: plans here, in the calling thread.
            scene_is_reported: somebody publishes ``scene/state``; otherwise the scene is what the stack
                knows of it.
        """
        self._node, self._robot, self._task, self._stack = node, robot, task, stack
        self._scene_is_reported = scene_is_reported
        self.planning = threading.Lock()
        self._arm, self._finger = robot.joint_names, robot.gripper.joint
        self._joints = Liveness(contract.JOINT_STATES, contract.MAX_SILENCE)
        self._scenes = Liveness(contract.SCENE_STATE, contract.MAX_SILENCE)
        self._joint_state: JointState | None = None
        self._scene_state: SceneStateMsg | None = None
        self._cancelled = threading.Event()
        group = ReentrantCallbackGroup()
        node.create_subscription(
            JointState, contract.JOINT_STATES, self._on_joints, qos.STATE, callback_group=group
        )
        if scene_is_reported:
            node.create_subscription(
                SceneStateMsg, contract.SCENE_STATE, self._on_scene, qos.STATE, callback_group=group
            )
        self._trajectories = ActionClient(
            node, FollowJointTrajectory, contract.FOLLOW_JOINT_TRAJECTORY, callback_group=group
        )
        self._gripper = ActionClient(node, GripperCommand, contract.GRIPPER, callback_group=group)

    @property
    def description(self) -> RobotDescription:
        """The robot's data."""
        return self._robot

    @property
    def task(self) -> TaskDescription:
        """The scene's data."""
        return self._task

    def wait_until_ready(self, seconds: float) -> None:
        """Wait until the robot, its controllers and the scene are there.

        Args:
            seconds: how long at most, real time.

        Raises:
            StaleStateError: one of them is still missing; says which.
            CancelledError: `cancel` was called.
        """
        deadline = time.monotonic() + seconds
        while missing := self._missing():
            if time.monotonic() > deadline:
                raise StaleStateError(
                    f"after {seconds:g} s still missing: {', '.join(missing)}. Is the robot's node running?"
                )
            self._sleep(_POLL)

    def state(self) -> RobotState:
        """Return the newest state.

        Raises:
            StaleStateError: nothing was heard for `contract.MAX_SILENCE`, or a joint is missing.
        """
        self._joints.check()
        msg = self._joint_state
        if msg is None:
            raise StaleStateError(f"nothing was received on {contract.JOINT_STATES!r} yet")
        index = {name: k for k, name in enumerate(msg.name)}
        lacking = [name for name in (*self._arm, self._finger) if name not in index]
        if lacking:
            raise StaleStateError(f"{contract.JOINT_STATES!r} lacks {', '.join(lacking)}: another robot's?")
        order = [index[name] for name in self._arm]
        positions = np.array(msg.position)
        velocities = np.array(msg.velocity) if len(msg.velocity) else np.zeros(len(positions))
        opening = self._robot.gripper.opening(float(positions[index[self._finger]]))
        return RobotState(time_from_msg(msg.header.stamp), positions[order], velocities[order], opening)

    def scene(self) -> SceneState:
        """Return where things are, those that only the planner knows included.

        Raises:
            StaleStateError: nothing was heard for `contract.MAX_SILENCE`.
        """
        reported, known = self.reported_scene(), self._stack.scene
        # A watch must not wait for another thread's planning where there is nothing to add.
        if self._scene_is_reported and not known.added and not known.attached:
            return reported
        state = self.state()
        with self.planning:
            return known.merged(reported, state)

    def reported_scene(self) -> SceneState:
        """Return what is reported of the scene: nothing, where nobody does.

        Raises:
            StaleStateError: nothing was heard for `contract.MAX_SILENCE`.
        """
        if not self._scene_is_reported:
            return SceneState(self.state().stamp, self._task.name, 0, 0, success=False, objects={})
        self._scenes.check()
        msg = self._scene_state
        if msg is None:
            raise StaleStateError(f"nothing was received on {contract.SCENE_STATE!r} yet")
        return scene_from_msg(msg)

    def grasp_pose(self, positions: Array | None = None) -> Pose:
        """Return the grasp frame's pose in the world frame, at ``positions`` or as measured.

        Raises:
            StaleStateError: nothing was heard for too long.
        """
        here = self.state().positions if positions is None else positions
        with self.planning:
            return self._stack.planner.grasp_pose(here)

    def plan(self, request: PlanRequest) -> JointTrajectory:
        """Plan without moving.

        Raises:
            PlanningError: with the reason.
            StaleStateError: nothing was heard for too long.
        """
        with self.planning:
            return self._stack.planner.plan(request, *self._now_in_scene())

    def grasps(self, request: GraspRequest) -> tuple[Grasp, ...]:
        """Return grasps that the arm reaches without a collision, best first, without moving.

        Raises:
            PlanningError: there is none, and why.
            UnknownNameError: the object is not in the scene.
            StaleStateError: nothing was heard for too long.
        """
        with self.planning:
            return self._stack.sampler.grasps(request, *self._now_in_scene())

    def placements(self, request: PlaceRequest) -> tuple[Placement, ...]:
        """Return places for what the gripper holds, best first, without moving.

        Raises:
            PlanningError: there is none, and why.
            UnknownNameError: an object is not in the scene.
            StaleStateError: nothing was heard for too long.
        """
        with self.planning:
            return self._stack.sampler.placements(request, *self._now_in_scene())

    def follow(self, trajectory: JointTrajectory, watch: Watch | None = None) -> None:
        """Execute and wait for the end.

        Args:
            trajectory: what to execute.
            watch: called every `WATCH_PERIOD`; when it raises, the arm stops and holds, and it is passed on.

        Raises:
            TrajectoryError: it was refused; nothing moved.
            ExecutionError: it was aborted, with the controller's reason.
            StaleStateError: the robot fell silent.
            CancelledError: `cancel` was called; the arm holds its position.
        """
        trajectory.check()
        goal = FollowJointTrajectory.Goal(trajectory=trajectory_to_msg(trajectory))
        status, result = self._execute(self._trajectories, goal, contract.FOLLOW_JOINT_TRAJECTORY, watch)
        if status == GoalStatus.STATUS_SUCCEEDED:
            return
        refused = (FollowJointTrajectory.Result.INVALID_GOAL, FollowJointTrajectory.Result.INVALID_JOINTS)
        reason = result.error_string or f"the trajectory ended with status {status}"
        raise TrajectoryError(reason) if result.error_code in refused else ExecutionError(reason)

    def grip(self, opening: float, force: float) -> GripResult:
        """Move the fingers to an opening [m] pushing with at most ``force`` [N], and wait.

        Raises:
            ExecutionError: the command was refused or aborted.
            StaleStateError: the robot fell silent.
            CancelledError: `cancel` was called; the fingers keep what they hold.
        """
        goal = GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = float(opening), float(force)
        status, result = self._execute(self._gripper, goal, contract.GRIPPER)
        if status != GoalStatus.STATUS_SUCCEEDED:
            raise ExecutionError(
                f"the gripper stopped at {1e3 * result.position:.1f} mm on its way to {1e3 * opening:.1f} mm"
            )
        return GripResult(result.position, bool(result.stalled), bool(result.reached_goal))

    def wait(self, seconds: float) -> None:
        """Let the node's clock advance.

        Raises:
            CancelledError: `cancel` was called.
            StaleStateError: the robot fell silent, so that its clock may stand still.
        """
        end = self._now() + seconds
        while self._now() < end:
            self._joints.check()
            self._sleep(min(_POLL, seconds))

    def cancel(self) -> None:
        """Stop the running motion and hold; the blocked call, or the next one, raises."""
        self._cancelled.set()

    def forget_cancel(self) -> None:
        """Forget a `cancel` that no call has answered, before something new begins."""
        self._cancelled.clear()

    def _now(self) -> float:
        return float(self._node.get_clock().now().nanoseconds) * 1e-9

    def _on_joints(self, msg: JointState) -> None:
        self._joint_state = msg
        self._joints.heard()

    def _on_scene(self, msg: SceneStateMsg) -> None:
        self._scene_state = msg
        self._scenes.heard()

    def _now_in_scene(self) -> tuple[RobotState, SceneState]:
        """Return state and scene for the stack; whoever calls holds `planning`."""
        state = self.state()
        return state, self._stack.scene.merged(self.reported_scene(), state)

    def _missing(self) -> list[str]:
        checks: tuple[tuple[str, Callable[[], bool]], ...] = (
            (contract.JOINT_STATES, lambda: self._joints.alive),
            (contract.SCENE_STATE, lambda: self._scenes.alive or not self._scene_is_reported),
            (contract.FOLLOW_JOINT_TRAJECTORY, self._trajectories.server_is_ready),
            (contract.GRIPPER, self._gripper.server_is_ready),
        )
        return [name for name, is_there in checks if not is_there()]

    def _sleep(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            self._raise_cancelled()

    def _raise_cancelled(self) -> None:
        self._cancelled.clear()
        raise CancelledError("cancelled by request; the arm holds its position")

    def _execute(
        self, client: ActionClient, goal: Any, name: str, watch: Watch | None = None
    ) -> tuple[int, Any]:
        """Send a goal and wait for its result; returns the final status and the result."""
        self._joints.check()
        if self._cancelled.is_set():
            self._raise_cancelled()
        if not client.server_is_ready():
            raise StaleStateError(f"no action server {name!r}. Is the robot's node running?")
        sent = call_in_executor(self._node, lambda: client.send_goal_async(goal))
        try:
            handle = self._await(sent, ANSWER_TIME, f"{name!r} did not answer")
        except StaleStateError:
            sent.add_done_callback(_cancel_accepted)
            raise
        if not handle.accepted:
            raise TrajectoryError(f"{name!r} rejected the goal; nothing moved")
        outcome = call_in_executor(self._node, handle.get_result_async)
        ended = _event_of(outcome)
        try:
            self._await_end(ended, watch)
        except StaleStateError:
            # Whoever still listens shall not move on unobserved; there may be nobody to answer.
            handle.cancel_goal_async()
            raise
        except Exception:
            told = call_in_executor(self._node, handle.cancel_goal_async)
            self._await(told, ANSWER_TIME, f"{name!r} did not answer the cancel")
            ended.wait(ANSWER_TIME)
            raise
        answer = outcome.result()
        if answer.status == GoalStatus.STATUS_CANCELED:
            raise CancelledError(f"{name!r} was cancelled by somebody else")
        return int(answer.status), answer.result

    def _await_end(self, ended: threading.Event, watch: Watch | None) -> None:
        """Wait for a goal's end; raises when it is to be cancelled: by request, by the watch, by silence."""
        due = self._now()
        while not ended.wait(_POLL):
            self._joints.check()
            if self._cancelled.is_set():
                self._raise_cancelled()
            if watch is not None and self._now() >= due:
                due = self._now() + WATCH_PERIOD
                watch()

    def _await(self, future: Future, seconds: float, complaint: str) -> Any:
        """Wait for a future that the executor's threads complete.

        Raises:
            StaleStateError: the robot fell silent, or the answer did not come in time.
        """
        done = _event_of(future)
        deadline = time.monotonic() + seconds
        while not done.wait(_POLL):
            self._joints.check()
            if time.monotonic() > deadline:
                raise StaleStateError(f"{complaint} within {seconds:g} s")
        return future.result()


def _cancel_accepted(sent: Future) -> None:
    """Cancel a goal that is accepted too late: nobody waits for its end any more."""
    handle = sent.result()
    if handle is not None and handle.accepted:
        handle.cancel_goal_async()


def _event_of(future: Future) -> threading.Event:
    event = threading.Event()
    future.add_done_callback(lambda _: event.set())
    return event
