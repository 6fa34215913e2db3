"""How a node starts and ends, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("skillet_interfaces", reason="needs the built workspace")

pytestmark = pytest.mark.ros

NODE = """
import sys, threading
from rclpy.node import Node
from std_msgs.msg import String
from skillet_core.errors import SkilletError
from skillet_ros.run import run_node

class Example(Node):
    def __init__(self):
        super().__init__("example")
        {body}

    def destroy_node(self):
        print("closed", self.publisher.publish(String(data="last words")) is None, flush=True)
        super().destroy_node()

sys.exit(run_node(Example, []))
"""
READY = 'self.publisher = self.create_publisher(String, "words", 1); print("ready", flush=True)'
ENDS_ITSELF = READY + "; self.exit_status = 3; threading.Timer(0.2, self.context.try_shutdown).start()"


def start(body):
    return subprocess.Popen(
        [sys.executable, "-c", NODE.format(body=body)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_node_in_order_with_its_publishers_still_usable(number):
    process = start(READY)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    assert (out, errors) == ("closed True\n", "")
    assert process.returncode == 0


def test_an_error_meant_for_people_is_printed_without_a_traceback():
    process = start('raise SkilletError("no such robot")')
    _, errors = process.communicate(timeout=30)
    assert errors == "error: no such robot\n"
    assert process.returncode == 2


def test_a_node_that_ends_itself_says_with_which_status():
    process = start(ENDS_ITSELF.replace(READY, 'self.publisher = None; print("ready", flush=True)'))
    process.communicate(timeout=30)
    assert process.returncode not in {0, None}
