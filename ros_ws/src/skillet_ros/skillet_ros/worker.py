"""Work that blocks, beside an executor with one thread that must not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from typing import Any

from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future


def in_thread(
    node: Node, function: Callable[[ServerGoalHandle], Any]
) -> Callable[[ServerGoalHandle], Coroutine[Any, Any, Any]]:
    """Turn a function that blocks until a goal has ended into an action's execute callback.

    Args:
        node: that serves the action.
        function: runs a goal in a thread of its own and returns the action's result.
    """

    async def execute(goal: ServerGoalHandle) -> Any:
        ended = Future()

        def work() -> None:
            try:
                ended.set_result(function(goal))
            except BaseException as error:  # noqa: BLE001  (raised again where the callback awaits)
                ended.set_exception(error)
            # a future that is not the executor's own does not wake it
            if node.executor is not None:
                node.executor.wake()

        threading.Thread(target=work, name="goal", daemon=True).start()
        return await ended

    return execute
