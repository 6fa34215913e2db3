"""Start, spin and end a node the same way everywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node

from skillet_core.errors import SkilletError


def run_node(make: Callable[[], Node], args: Sequence[str] | None = None, *, threads: int = 1) -> int:
    """Make a node, spin it until it is told to stop, and close it.

    Args:
        make: builds the node. A `SkilletError` from it is printed without a traceback.
        args: command line with ROS arguments; None: the process's own.
        threads: callbacks that may run at the same time.

    Returns:
        The process's exit status: 0 after a requested stop, 2 when the node could not start, and
        whatever a node that ended by itself left in its attribute ``exit_status``.
    """
    rclpy.init(args=args)
    node: Node | None = None
    try:
        node = make()
        executor = SingleThreadedExecutor() if threads == 1 else MultiThreadedExecutor(threads)
        executor.add_node(node)
        executor.spin()
    except SkilletError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return int(getattr(node, "exit_status", 0))
