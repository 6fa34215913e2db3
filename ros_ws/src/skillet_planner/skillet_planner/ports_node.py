"""What the execution of a task needs of the ROS graph: skills, scene, clock, recorder.

Every call that waits watches the robot, the scene and the skill server meanwhile. Silence is measured on
the steady clock, because the ROS clock stands still when the simulator dies.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import JointState
from skillet_interfaces.action import ExecuteSkill
from skillet_interfaces.msg import EpisodeEvent
from skillet_interfaces.msg import SceneState as SceneStateMsg
from skillet_interfaces.srv import EpisodeStart, EpisodeStop

from skillet_core import contract
from skillet_core.errors import CancelledError, ExecutionError, StaleStateError
from skillet_core.scene import SceneState
from skillet_planner.executor import Arguments
from skillet_ros import qos
from skillet_ros.convert import scene_from_msg
from skillet_ros.liveness import Liveness
from skillet_ros.worker import call_in_executor

_POLL = 0.01
_CANCEL_TIMEOUT = 2.0
"""Time that a cancelled skill is given to hold the arm [s]."""
_RECORDER_TIMEOUT = 10.0
"""Time that the recorder is given to begin or to commit an episode [s]."""
_LOST_TIMEOUT = 0.3
"""The same once the robot is lost, when the task must end within a second [s]."""


class RosPorts:
    """The graph as seen by one task after another."""

    def __init__(self, node: Node, max_silence: float) -> None:
        """Subscribe and connect.

        Args:
            node: to do it with.
            max_silence: silence of ``joint_states`` or ``scene/state`` that counts as loss [s].
        """
        self._node = node
        self._cancelled: Callable[[], bool] = lambda: False
        self._newest: SceneStateMsg | None = None
        self._joints = Liveness(contract.JOINT_STATES, max_silence)
        self._scenes = Liveness(contract.SCENE_STATE, max_silence)
        group = ReentrantCallbackGroup()
        # raw: only that it speaks matters, and decoding hundreds of messages a second is not free
        node.create_subscription(
            JointState, contract.JOINT_STATES, lambda _: self._joints.heard(), qos.COMMAND, raw=True
        )
        node.create_subscription(SceneStateMsg, contract.SCENE_STATE, self._on_scene, qos.STATE)
        self._events = node.create_publisher(EpisodeEvent, contract.EPISODE_EVENTS, qos.STATE)
        self._skills = ActionClient(node, ExecuteSkill, contract.EXECUTE_SKILL, callback_group=group)
        self._starter = node.create_client(EpisodeStart, contract.EPISODE_START, callback_group=group)
        self._stopper = node.create_client(EpisodeStop, contract.EPISODE_STOP, callback_group=group)

    def close(self) -> None:
        """End the action client, which the node does not end by itself."""
        self._skills.destroy()

    def begin(self, cancelled: Callable[[], bool]) -> None:
        """Serve a new task, whose cancellation ``cancelled`` tells."""
        self._cancelled = cancelled

    def _on_scene(self, message: SceneStateMsg) -> None:
        self._newest = message
        self._scenes.heard()

    def _check(self) -> None:
        """Insist on a living graph and a task that is still wanted."""
        self._joints.check()
        self._scenes.check()
        if not self._skills.server_is_ready():
            raise StaleStateError(f"the action server {contract.EXECUTE_SKILL!r} is gone. Has its node died?")
        if self._cancelled():
            raise CancelledError("cancelled by request")

    def wait_until_ready(self, timeout: float, *, recorder: bool) -> None:
        """Wait for the robot, the scene, the skill server and, where it is needed, the recorder.

        Raises:
            StaleStateError: one is missing after ``timeout`` seconds; names it.
            CancelledError: the task was cancelled meanwhile.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._check()
                if recorder:
                    self._check_service(self._starter)
            except StaleStateError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL)
            else:
                return

    def scene(self) -> SceneState:
        """Return the newest scene.

        Raises:
            StaleStateError: the simulator or the skill server is lost.
            CancelledError: the task was cancelled.
        """
        self._check()
        assert self._newest is not None  # noqa: S101  (the scene was heard, says the check)
        return scene_from_msg(self._newest)

    def seconds(self) -> float:
        """Return the time of the ROS clock [s]."""
        return float(self._node.get_clock().now().nanoseconds) * 1e-9

    def wait(self, seconds: float) -> None:
        """Let the ROS clock advance.

        Raises:
            StaleStateError, CancelledError: as `scene`.
        """
        until = self.seconds() + seconds
        while self.seconds() < until:
            self._check()
            time.sleep(_POLL)

    def run_skill(self, skill: str, arguments: Arguments) -> tuple[bool, str]:
        """Run a skill on the skill server.

        Raises:
            StaleStateError: the robot, the scene or the server was lost meanwhile.
            CancelledError: the task was cancelled; the skill was told, and holds the arm.
        """
        self._check()
        goal = ExecuteSkill.Goal(skill=skill, arguments=json.dumps(arguments))
        sent = call_in_executor(self._node, lambda: self._skills.send_goal_async(goal))
        handle = self._until_done(sent)
        if not handle.accepted:
            return False, f"the skill server rejected {skill}"
        result = call_in_executor(self._node, handle.get_result_async)
        try:
            answer = self._until_done(result)
        except CancelledError:
            handle.cancel_goal_async()
            _wait_at_most(result, _CANCEL_TIMEOUT)
            raise
        except StaleStateError:
            # should the skill server live on, it must not start another motion
            handle.cancel_goal_async()
            raise
        succeeded = answer.result.success and answer.status == GoalStatus.STATUS_SUCCEEDED
        return succeeded, "" if succeeded else answer.result.reason or f"{skill} ended without a reason"

    def _until_done(self, future: Future) -> Any:
        while not future.done():
            self._check()
            time.sleep(_POLL)
        return future.result()

    def start_episode(self, request: EpisodeStart.Request) -> None:
        """Begin recording.

        Raises:
            ExecutionError: the recorder refused or is not there; says why.
        """
        self._call(self._starter, request, _RECORDER_TIMEOUT)

    def stop_episode(self, request: EpisodeStop.Request) -> str:
        """End the recording; returns the path of the committed episode.

        Raises:
            ExecutionError: nothing was committed; says why.
        """
        alive = self._joints.alive and self._scenes.alive
        return str(self._call(self._stopper, request, _RECORDER_TIMEOUT if alive else _LOST_TIMEOUT).path)

    @staticmethod
    def _check_service(client: Client) -> None:
        if not client.service_is_ready():
            raise StaleStateError(f"there is no service {client.srv_name!r}. Is the recorder running?")

    def _call(self, client: Client, request: Any, timeout: float) -> Any:
        self._check_service(client)
        future = client.call_async(request)
        if not _wait_at_most(future, timeout):
            raise ExecutionError(f"{client.srv_name!r} did not answer within {timeout:g} s")
        response = future.result()
        if not response.success:
            raise ExecutionError(response.message)
        return response

    def publish_event(self, kind: int, label: str, *, success: bool = False, detail: str = "") -> None:
        """Label the recording, now."""
        event = EpisodeEvent(kind=kind, label=label, success=success, detail=detail)
        event.header.stamp = self._node.get_clock().now().to_msg()
        self._events.publish(event)


def _wait_at_most(future: Future, timeout: float) -> bool:
    """Wait without watching the graph; returns whether the future is done."""
    deadline = time.monotonic() + timeout
    while not future.done() and time.monotonic() < deadline:
        time.sleep(_POLL)
    return bool(future.done())
