"""Work that blocks, beside an executor with one thread that must not."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.service import Service
from rclpy.task import Future

from skillet_core.errors import StaleStateError

Result = TypeVar("Result")
CALL_TIME = 2.0
"""How long an executor may take to come to a call [s]."""


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


def service_in_thread(node: Node, kind: Any, name: str, function: Callable[[Any, Any], Any]) -> Service:
    """Serve a service whose callback blocks; each call runs in a thread of its own.

    The events executor of rclpy 7.1 does not await a service's callback. It hands what the callback
    returns to `Service.send_response` with the header that says whom to answer: so the callback
    returns the call itself, and it is sending the response that takes place in the thread.

    Args:
        node: that serves it.
        kind: the service's type.
        name: the service's name.
        function: fills in and returns the response. What it raises is printed, and nobody is answered.
    """
    service = node.create_service(kind, name, lambda request, response: (request, response))
    answer = service.send_response

    def answer_later(call: tuple[Any, Any], header: Any) -> None:
        threading.Thread(target=lambda: answer(function(*call), header), name=name, daemon=True).start()

    service.send_response = answer_later  # type: ignore[method-assign]
    return service


def call_in_executor(node: Node, function: Callable[[], Result]) -> Result:
    """Call a function in the thread of the node's executor, and wait for what it returns.

    An action client of rclpy 7.1 notes that it has asked only after it has asked. When it asks in
    another thread than the executor's, the answer can come first, and is dropped.

    Args:
        node: whose executor is spun by another thread than the calling one.
        function: does not block.

    Raises:
        StaleStateError: the executor does not spin.
    """
    answer: concurrent.futures.Future[Result] = concurrent.futures.Future()

    def call() -> None:
        try:
            answer.set_result(function())
        except BaseException as error:  # noqa: BLE001  (raised again in the thread that waits)
            answer.set_exception(error)

    if node.executor is not None:
        node.executor.create_task(call)
    try:
        return answer.result(CALL_TIME)
    except concurrent.futures.TimeoutError as error:
        raise StaleStateError(f"the executor of {node.get_name()!r} does not spin") from error
