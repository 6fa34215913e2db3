"""Camera images between two processes: how many are lost, and how old they are on arrival.

640x480 rgb8 at 30 Hz with the contract's quality of service, first with what Skillet's launch files
set for every process, then, for comparison, with Fast DDS as it comes.
"""

from __future__ import annotations

import array
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from skillet_cli.launch import read_launch

MIDDLEWARE = Path(__file__).resolve().parent.parent / "launch" / "parts" / "middleware.launch.xml"
WIDTH, HEIGHT, RATE, FRAMES = 640, 480, 30.0, 300
TOPIC = "bench/image_raw"


def run() -> dict[str, float]:
    """Measure with both profiles; losses in percent, latencies in milliseconds."""
    ours, default = _measure(_launched_environment()), _measure({})
    return {
        "transport.image_loss_pct": ours["loss_pct"],
        "transport.image_latency_p50_ms": ours["p50_ms"],
        "transport.image_latency_p99_ms": ours["p99_ms"],
        "transport.default_image_loss_pct": default["loss_pct"],
        "transport.default_image_latency_p99_ms": default["p99_ms"],
    }


def _bare_environment() -> dict[str, str]:
    """This process's environment without what Skillet sets for its middleware."""
    ours = ("DEFAULT_PROFILES_FILE", "MALLOC_")
    bare = {name: value for name, value in os.environ.items() if not any(part in name for part in ours)}
    return bare | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "ROS_DOMAIN_ID": str(40 + os.getpid() % 60)}


def _launched_environment() -> dict[str, str]:
    """What Skillet's launch files set for every process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.launch.xml"
        path.write_text(f'<launch><include file="{MIDDLEWARE}"/><executable cmd="true"/></launch>')
        (process,) = read_launch(path, {}, {})
    return dict(process.environment)


def _measure(settings: dict[str, str]) -> dict[str, float]:
    environment = _bare_environment() | settings
    command = [sys.executable, __file__]
    with subprocess.Popen([*command, "publish"], env=environment) as publisher:
        try:
            received = subprocess.run(
                [*command, "subscribe"], env=environment, stdout=subprocess.PIPE, check=True, timeout=120
            )
        finally:
            publisher.terminate()
    latencies: list[float] = json.loads(received.stdout.splitlines()[-1])
    return {
        "loss_pct": 100.0 * (1.0 - len(latencies) / FRAMES),
        "p50_ms": float(np.percentile(latencies, 50)) if latencies else float("nan"),
        "p99_ms": float(np.percentile(latencies, 99)) if latencies else float("nan"),
    }


def _publish() -> None:
    import rclpy  # noqa: PLC0415 - only the two measuring processes need ROS
    from sensor_msgs.msg import Image  # noqa: PLC0415

    from skillet_ros.qos import IMAGE  # noqa: PLC0415

    rclpy.init()
    node = rclpy.create_node("bench_publisher")
    publisher = node.create_publisher(Image, TOPIC, IMAGE)
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    while publisher.get_subscription_count() == 0:
        time.sleep(0.02)
    time.sleep(1.0)  # both sides have to know of each other; one side's count says so for one side
    due = time.monotonic()
    for frame in range(FRAMES):
        message = Image(width=WIDTH, height=HEIGHT, encoding="rgb8", step=3 * WIDTH)
        message.data = array.array("B", pixels.tobytes())
        message.header.frame_id = str(frame)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(time.monotonic_ns(), 10**9)
        publisher.publish(message)
        due += 1.0 / RATE
        time.sleep(max(0.0, due - time.monotonic()))
    time.sleep(5.0)  # the writer must live until a reliable reader has had everything


def _subscribe() -> None:
    import rclpy  # noqa: PLC0415 - only the two measuring processes need ROS
    from rclpy.executors import SingleThreadedExecutor  # noqa: PLC0415
    from sensor_msgs.msg import Image  # noqa: PLC0415

    from skillet_ros.qos import IMAGE  # noqa: PLC0415

    rclpy.init()
    node = rclpy.create_node("bench_subscriber")
    latencies: dict[str, float] = {}

    def received(message: Image) -> None:
        sent = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        latencies[message.header.frame_id] = (time.monotonic_ns() - sent) / 1e6
        np.frombuffer(message.data, np.uint8).reshape(HEIGHT, WIDTH, 3)

    node.create_subscription(Image, TOPIC, received, IMAGE)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    deadline = time.monotonic() + FRAMES / RATE + 8.0
    while str(FRAMES - 1) not in latencies and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.5)
    print(json.dumps(list(latencies.values())))


if __name__ == "__main__":
    {"publish": _publish, "subscribe": _subscribe}[sys.argv[1]]()
