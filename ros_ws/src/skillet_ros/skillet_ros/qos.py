"""Quality of service of the contract's topics, one profile a kind of stream."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _keep_last(depth: int, *, reliable: bool = True, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
    )


STATE = _keep_last(100)
"""Joint states, tf, controller and scene state: every sample matters to a recorder."""

LATCHED = _keep_last(1, latched=True)
"""Robot description, safety status, static transforms: a late subscriber gets the last one."""

IMAGE = _keep_last(5)
"""Camera images and their intrinsics, as the RealSense driver offers them."""

CLOCK = _keep_last(1, reliable=False)
"""Simulation time: only the newest is of interest."""

COMMAND = _keep_last(1)
"""Streamed commands: an old one must never be executed after a newer one."""
