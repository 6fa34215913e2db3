"""An action server over `Goal`s: its threads never wait, and a refusal is answered with its reason.

rclpy cannot send a reason with a rejected goal. So every goal is accepted, and one that a
controller refuses is aborted at once with the reason in its result, as ros2_control does too.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from skillet_control.goals import Goal, GoalStatus
from skillet_core.errors import SkilletError

GoalType = TypeVar("GoalType", bound=Goal)


class GoalFace(Protocol[GoalType]):
    """Translates between an action and a controller's goals."""

    def start(self, request: Any) -> GoalType:
        """Begin what the action's goal asks for, or raise a `SkilletError`."""

    def cancel(self, goal: GoalType) -> None:
        """End it as CANCELED."""

    def feedback(self, goal: GoalType) -> Any:
        """Return the action's feedback."""

    def result(self, goal: GoalType) -> Any:
        """Return the action's result for a goal that has ended."""

    def refusal(self, error: SkilletError) -> Any:
        """Return the action's result for a goal that was refused."""


@dataclass
class _Running(Generic[GoalType]):
    handle: ServerGoalHandle
    goal: GoalType
    ended: Future
    cancel_requested: bool = False


class GoalServer(Generic[GoalType]):
    """Serves one action. Call `spin` from the control loop: it carries out cancels, sends feedback."""

    def __init__(
        self, node: Node, action: Any, name: str, face: GoalFace[GoalType], *, feedback_rate: float = 20.0
    ) -> None:
        """Serve an action.

        Args:
            node: that hosts it.
            action: its type.
            name: its name.
            face: to the controller.
            feedback_rate: [Hz].
        """
        self._node, self._face, self._name = node, face, name
        self._feedback_period, self._feedback_due = 1.0 / feedback_rate, 0.0
        self._lock = threading.Lock()
        self._running: dict[bytes, _Running[GoalType]] = {}
        self._refused: dict[bytes, SkilletError] = {}
        self._server = ActionServer(
            node,
            action,
            name,
            execute_callback=self._execute,
            handle_accepted_callback=self._accept,
            cancel_callback=self._request_cancel,
        )

    def spin(self, now: float) -> None:
        """Carry out requested cancels and publish feedback that is due at ``now`` [s]."""
        if not self._running:
            return
        with self._lock:
            running = list(self._running.values())
        due = not 0 <= self._feedback_due - now <= self._feedback_period
        if due:
            self._feedback_due = now + self._feedback_period
        for item in running:
            if item.goal.done:
                continue
            # only now is rclpy's handle in the state that a canceled goal must come from
            if item.cancel_requested and item.handle.is_cancel_requested:
                self._face.cancel(item.goal)
            elif due:
                item.handle.publish_feedback(self._face.feedback(item.goal))

    def destroy(self) -> None:
        """Take the action off the graph."""
        self._server.destroy()

    def _accept(self, handle: ServerGoalHandle) -> None:
        key = bytes(handle.goal_id.uuid)
        try:
            goal = self._face.start(handle.request)
        except SkilletError as error:
            self._node.get_logger().warning(f"{self._name}: a goal was refused: {error}")
            self._refused[key] = error
        else:
            running = _Running(handle, goal, Future())
            with self._lock:
                self._running[key] = running
            goal.when_done(lambda: self._wake(running.ended))
        handle.execute()

    def _wake(self, ended: Future) -> None:
        ended.set_result(None)
        # a future that is not the executor's own does not wake it
        if self._node.executor is not None:
            self._node.executor.wake()

    def _request_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        with self._lock:
            running = self._running.get(bytes(handle.goal_id.uuid))
            if running is None or running.goal.done:
                return CancelResponse.REJECT
            running.cancel_requested = True
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> Any:
        key = bytes(handle.goal_id.uuid)
        if (error := self._refused.pop(key, None)) is not None:
            handle.abort()
            return self._face.refusal(error)
        running = self._running[key]
        await running.ended
        with self._lock:
            del self._running[key]
        goal = running.goal
        if goal.status is GoalStatus.SUCCEEDED:
            handle.succeed()
        elif goal.status is GoalStatus.CANCELED and handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        if goal.status is not GoalStatus.SUCCEEDED:
            self._node.get_logger().info(f"{self._name}: {goal.status.value}: {goal.message}")
        return self._face.result(goal)
