"""MoveIt's own ``move_group``, started with the parameters of a robot.

The URDF and what else it has to know are put together when it starts, so that a launch file names the
robot and nothing is written twice. The process becomes move_group: signals and remappings reach it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import rclpy
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from rclpy.node import Node

from skillet_core.errors import BackendUnavailableError, SkilletError
from skillet_core.model import DataModel
from skillet_core.robot import load_robot
from skillet_motion.moveit.config import moveit_config, write_parameters
from skillet_ros.parameters import declare_parameters

PACKAGE = "moveit_ros_move_group"


class MoveGroupParameters(DataModel):
    """What the starter can be asked for."""

    robot: str = "ur5e"


def main() -> int:
    """Become move_group."""
    try:
        program, parameters = prepare()
    except SkilletError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    arguments = sys.argv[1:] if "--ros-args" in sys.argv else [*sys.argv[1:], "--ros-args"]
    command = [str(program), *arguments, "--params-file", str(parameters)]
    return os.execv(program, command)  # noqa: S606


def prepare() -> tuple[Path, Path]:
    """Return the program and a file of its parameters.

    Raises:
        BackendUnavailableError: MoveIt is not installed.
        SkilletError: the robot does not exist, or a file of it is missing.
    """
    try:
        program = Path(get_package_prefix(PACKAGE)) / "lib" / PACKAGE / "move_group"
    except PackageNotFoundError as error:
        raise BackendUnavailableError(
            f"{PACKAGE} is not installed: apt install ros-jazzy-moveit-ros-move-group, or choose "
            "planner:=ompl, which needs nothing."
        ) from error
    rclpy.init()
    node = Node("move_group")
    try:
        robot = declare_parameters(node, MoveGroupParameters).robot
        config = moveit_config(load_robot(robot), use_sim_time=node.get_parameter("use_sim_time").value)
    finally:
        node.destroy_node()
        rclpy.shutdown()
    return program, write_parameters(config, Path(tempfile.mkdtemp(prefix="move_group_")))


if __name__ == "__main__":
    sys.exit(main())
