"""What every test run has: a ROS graph of its own, and a middleware that stays on this host."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

# the same examples in every run, and no verdict that depends on how busy the machine is
settings.register_profile(
    "skillet", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("skillet")

ROOT = Path(__file__).resolve().parent.parent

# set before rclpy can be imported by any test; a run on the same host must not hear this one
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(ROOT / "config" / "fastdds.xml")
os.environ["RMW_IMPLEMENTATION"] = "rmw_fastrtps_cpp"
