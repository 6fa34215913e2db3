"""The demonstration's client: one goal on ``execute_task``, its progress on the terminal."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import rclpy
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future
from skillet_interfaces.action import ExecuteTask

from skillet_cli.task_outcome import TaskOutcome
from skillet_core import contract
from skillet_core.errors import ExecutionError
from skillet_core.task_tree import TaskReport
from skillet_ros.worker import call_in_executor


class TaskClient:
    """Sends sentences to the planner node of a running graph.

    A context manager: it owns its ROS context and a thread that spins it.
    """

    def __init__(self) -> None:
        self._context = rclpy.Context()
        self._context.init()
        self._node = Node("skillet_client", context=self._context)
        self._action = ActionClient(self._node, ExecuteTask, contract.EXECUTE_TASK)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, name="client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._thread.join(timeout=2.0)
        self._node.destroy_node()
        self._context.try_shutdown()

    def wait_until_ready(self, timeout: float, still_running: Callable[[], bool]) -> None:
        """Wait for the graph's action server.

        Raises:
            ExecutionError: it did not appear within ``timeout`` seconds, or the graph has ended.
        """
        deadline = time.monotonic() + timeout
        while not self._action.wait_for_server(timeout_sec=0.2):
            if not still_running():
                raise ExecutionError("the graph ended before it was ready; see its log")
            if time.monotonic() > deadline:
                raise ExecutionError(f"no {contract.EXECUTE_TASK!r} action server within {timeout:g} s")

    def execute(
        self,
        goal: ExecuteTask.Goal,
        on_feedback: Callable[[ExecuteTask.Feedback], None],
        *,
        timeout: float,
        still_running: Callable[[], bool],
    ) -> TaskOutcome:
        """Run one sentence to its end.

        Raises:
            ExecutionError: the goal was rejected, the graph ended, or ``timeout`` seconds passed.
        """
        deadline = time.monotonic() + timeout
        sent = call_in_executor(
            self._node,
            lambda: self._action.send_goal_async(goal, lambda message: on_feedback(message.feedback)),
        )
        handle = self._wait(sent, deadline, still_running)
        if not handle.accepted:
            raise ExecutionError("the planner node rejected the goal: it is busy with another")
        outcome = call_in_executor(self._node, handle.get_result_async)
        answer = self._wait(outcome, deadline, still_running)
        result = answer.result
        report = TaskReport.model_validate(json.loads(result.report)) if result.report else None
        success = result.success and answer.status == GoalStatus.STATUS_SUCCEEDED
        return TaskOutcome(success, result.refused, result.reason, report, result.episode)

    @staticmethod
    def _wait(future: Future, deadline: float, still_running: Callable[[], bool]) -> Any:
        while not future.done():
            if not still_running():
                raise ExecutionError("the graph ended during the task; see its log")
            if time.monotonic() > deadline:
                raise ExecutionError("the task did not end in time")
            time.sleep(0.02)
        return future.result()
