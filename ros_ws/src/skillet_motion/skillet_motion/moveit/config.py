"""What MoveIt has to know of a robot: the files in ``urdf/moveit/``, put together as parameters."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import yaml

from skillet_core.errors import InvalidFileError
from skillet_core.resources import share_dir
from skillet_core.robot import RobotDescription
from skillet_sim.robot_model import compose_urdf

ARM, GRIPPER = "arm", "gripper"
"""The planning groups of every robot's SRDF."""
WORLD = "world"
"""Root link of every robot's URDF, and so MoveIt's planning frame."""
PIPELINE = "ompl"
"""For those who plan and execute through MoveIt itself, e.g. in RViz: timed by MoveIt."""
PATH_PIPELINE = "ompl_path"
"""For Skillet: the same planners; paths come untimed, on the very segments that were checked."""

Pair = frozenset[str]


def pair(first: str, second: str) -> Pair:
    """Return two links in no order."""
    return frozenset((first, second))


def read_srdf(robot: RobotDescription) -> str:
    """Return a robot's SRDF.

    Raises:
        InvalidFileError: there is none.
    """
    return _read(f"{robot.name}/robot.srdf")


def unchecked_pairs(srdf: str) -> frozenset[Pair]:
    """Return the pairs of links that an SRDF excludes from collision checks."""
    root = ET.fromstring(srdf)  # noqa: S314 - our own file
    return frozenset(
        pair(entry.get("link1", ""), entry.get("link2", "")) for entry in root.iterfind("disable_collisions")
    )


def moveit_config(robot: RobotDescription, *, use_sim_time: bool = False) -> dict[str, Any]:
    """Return the parameters, nested, of a ``move_group`` or a ``moveit_py`` that plans for a robot.

    Raises:
        InvalidFileError: a file is missing or is not YAML.
        SkilletError: the URDF cannot be composed, see `compose_urdf`.
    """
    path_only = _yaml("ompl_planning.yaml")
    path_only["response_adapters"] = ["default_planning_response_adapters/ValidateSolution"]
    return {
        "use_sim_time": use_sim_time,
        "robot_description": compose_urdf(robot),
        "robot_description_semantic": read_srdf(robot),
        "robot_description_kinematics": _yaml("kinematics.yaml"),
        "robot_description_planning": _yaml(f"{robot.name}/joint_limits.yaml"),
        "planning_pipelines": [PIPELINE, PATH_PIPELINE],
        "default_planning_pipeline": PIPELINE,
        PIPELINE: _yaml("ompl_planning.yaml"),
        PATH_PIPELINE: path_only,
        **_yaml(f"{robot.name}/moveit_controllers.yaml"),
        "publish_planning_scene": True,
        "publish_geometry_updates": True,
        "publish_state_updates": True,
        "publish_transforms_updates": True,
    }


def write_parameters(config: dict[str, Any], folder: Path) -> Path:
    """Write parameters for any node as a file that ROS reads, and return it."""
    path = folder / "moveit.yaml"
    path.write_text(yaml.safe_dump({"/**": {"ros__parameters": config}}), encoding="utf-8")
    return path


def _yaml(name: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(_read(name))
    except yaml.YAMLError as error:
        raise InvalidFileError(f"urdf/moveit/{name} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise InvalidFileError(f"urdf/moveit/{name} must be a mapping, got {type(content).__name__}")
    return content


def _read(name: str) -> str:
    path = share_dir() / "urdf" / "moveit" / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidFileError(
            f"cannot read {path}: {error.strerror}. tools/make_moveit_config.py makes a robot's files"
        ) from error
