"""Asking for MoveIt where it is not installed; where it is, see `tests/full_ros/test_moveit.py`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

pytest.importorskip("rclpy")

import rclpy
from rclpy.node import Node

from skillet_core.errors import BackendUnavailableError
from skillet_motion.moveit_planner_node import moveit_stack

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec("moveit_msgs") is not None, reason="MoveIt is installed"),
]


@pytest.mark.parametrize(
    ("backend", "package"),
    [("moveit", "ros-jazzy-moveit-py"), ("move_group", "ros-jazzy-moveit-ros-move-group")],
)
def test_the_package_and_the_choice_that_needs_none_are_named(robot, task, backend, package) -> None:
    rclpy.init()
    node = Node("asks_for_moveit")
    try:
        with pytest.raises(BackendUnavailableError, match=rf"{package}.*planner:=ompl"):
            moveit_stack(node, robot, task, backend)
    finally:
        node.destroy_node()
        rclpy.shutdown()


def test_move_group_cannot_be_started_and_says_what_is_missing() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "skillet_motion.move_group_node"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "ros-jazzy-moveit-ros-move-group" in ended.stderr
    assert "Traceback" not in ended.stderr
