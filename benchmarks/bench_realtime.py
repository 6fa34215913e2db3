"""Does the simulated graph keep up with the wall clock, cameras and all, everything over ROS 2?

Starts the graph of ``sim.launch.xml``, subscribes to joint states, both cameras (colour and depth) and
diagnostics from another process, and compares simulation time with wall time: once as fast as it goes
(``sim.realtime_factor``), and once held to real time, as people use it.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

SETTLE, MEASURE = 7.0, 10.0
"""Time for the graph to start, and time measured [s]."""


@contextmanager
def _graph(folder: str, factor: float) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "skillet_cli.main", "launch", "sim.launch.xml"]
    command += [f"episodes:={folder}", f"real_time_factor:={factor}"]
    graph = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        yield graph
    finally:
        graph.send_signal(signal.SIGINT)
        graph.wait(10)


def _observe(robot: str) -> dict[str, float]:
    import rclpy  # noqa: PLC0415  (reads ROS_DOMAIN_ID, which run() sets)
    from diagnostic_msgs.msg import DiagnosticArray  # noqa: PLC0415
    from rclpy.experimental import EventsExecutor  # noqa: PLC0415
    from rclpy.task import Future  # noqa: PLC0415
    from sensor_msgs.msg import Image, JointState  # noqa: PLC0415

    from skillet_core import contract  # noqa: PLC0415
    from skillet_core.robot import load_robot  # noqa: PLC0415
    from skillet_ros import qos  # noqa: PLC0415
    from skillet_ros.convert import time_from_msg  # noqa: PLC0415

    rclpy.init()
    node = rclpy.create_node("realtime_benchmark")
    counts: Counter[str] = Counter()
    stamps: list[tuple[float, float]] = []
    period_errors: list[float] = []

    def on_joints(msg: JointState) -> None:
        counts["joints"] += 1
        stamps.append((time.monotonic(), time_from_msg(msg.header.stamp)))

    def on_diagnostics(msg: DiagnosticArray) -> None:
        values = {item.key: float(item.value) for item in msg.status[0].values}
        period_errors.append(values["period_error_p99_ms"])

    subscriptions = [node.create_subscription(JointState, contract.JOINT_STATES, on_joints, qos.STATE)]
    subscriptions.append(node.create_subscription(DiagnosticArray, "/diagnostics", on_diagnostics, qos.STATE))
    cameras = [camera.name for camera in load_robot(robot).cameras]
    image_topics = [topic(name) for name in cameras for topic in (contract.color_image, contract.depth_image)]
    for topic in image_topics:

        def on_image(_: bytes, topic: str = topic) -> None:
            counts[topic] += 1

        # raw: counts what arrives without paying for its conversion to Python objects
        subscriptions.append(node.create_subscription(Image, topic, on_image, qos.IMAGE, raw=True))
    executor = EventsExecutor()
    executor.add_node(node)
    never: Future = Future()
    executor.spin_until_future_complete(never, timeout_sec=SETTLE)
    counts.clear()
    stamps.clear()
    period_errors.clear()
    executor.spin_until_future_complete(never, timeout_sec=MEASURE)
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown()
    if len(stamps) < 2:  # noqa: PLR2004
        raise RuntimeError("no joint states arrived; does the graph start? (skillet launch sim.launch.xml)")
    wall, simulated = (stamps[-1][k] - stamps[0][k] for k in (0, 1))
    images = [counts[topic] for topic in image_topics]
    return {
        "realtime_factor": simulated / wall,
        "joint_states_hz": counts["joints"] / MEASURE,
        "camera_hz": min(images) / MEASURE,
        "period_p99_error_ms": statistics.median(period_errors),
    }


def run() -> dict[str, float]:
    """Measure with the default robot, task and image size."""
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
    with tempfile.TemporaryDirectory() as folder:
        with _graph(folder, 0.0):
            fastest = _observe("ur5e")
        with _graph(folder, 1.0):
            held = _observe("ur5e")
    return {
        "sim.realtime_factor": fastest["realtime_factor"],
        "sim.held_realtime_factor": held["realtime_factor"],
        "sim.joint_states_hz": held["joint_states_hz"],
        "sim.camera_hz": held["camera_hz"],
        "control.period_p99_error_ms": held["period_p99_error_ms"],
    }
