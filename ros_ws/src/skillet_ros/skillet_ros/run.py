"""Start, spin and end a node the same way everywhere."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from skillet_core.errors import SkilletError

_POLL = 0.1
"""How often a spinning node looks for a signal [s]. (Without a time-out the events executor of rclpy 7.1
keeps Python's lock.)"""


def run_node(make: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """Make a node, spin it until SIGINT or SIGTERM, and close it.

    rclpy's own handlers would invalidate every publisher at once and raise in the middle of whatever
    runs. Here a signal only ends the spinning, so that a node's threads can end in order.

    The executor is the one that is driven by events: rclpy's others look at every entity of the node
    for every message, and take half a core for a few hundred messages a second. It has one thread, so
    a callback that has to block does so in a thread of its own, see `skillet_ros.worker`.

    Args:
        make: builds the node. A `SkilletError` from it is printed without a traceback.
        args: command line with ROS arguments; None: the process's own.

    Returns:
        The process's exit status: 0 after a requested stop, 2 when the node could not start, and
        whatever a node that ended by itself left in its attribute ``exit_status``.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    node: Node | None = None
    executor = EventsExecutor()
    never: Future = Future()
    try:
        node = make()
        executor.add_node(node)
        while not stop.is_set() and rclpy.ok():
            executor.spin_until_future_complete(never, timeout_sec=_POLL)
    except SkilletError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except ExternalShutdownException:
        pass  # the node ended itself, see exit_status
    finally:
        if node is not None:
            node.destroy_node()
        executor.shutdown(timeout_sec=1.0)
        rclpy.try_shutdown()
    return int(getattr(node, "exit_status", 0))
