"""Robots are data: files that fit their model, and messages that help where they do not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from skillet_core.errors import InvalidFileError, UnknownNameError
from skillet_core.resources import share_dir
from skillet_core.robot import GripperDescription, load_gripper, load_robot, robot_names

CLOSED_AT_HIGH = {
    "name": "toy",
    "title": "Toy",
    "xacro": "toy.xacro",
    "joint": "finger",
    "mimic": {"other": -1.0},
    "opening_to_joint": [[0.0, 0.8], [0.02, 0.5], [0.08, 0.0]],
    "max_force": 50.0,
    "max_speed": 0.1,
    "grasp_frame": "grasp",
    "fingertip": 0.01,
    "fingers": [["left"], ["right"]],
    "links": ["palm", "left", "right"],
    "stiffness": 10.0,
    "damping": 1.0,
    "armature": 0.0,
}


@pytest.fixture
def gripper() -> GripperDescription:
    return GripperDescription.model_validate(CLOSED_AT_HIGH)


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the data files that a test may spoil."""
    for folder in ("urdf", "assets"):
        shutil.copytree(share_dir() / folder, tmp_path / folder)
    monkeypatch.setenv("SKILLET_SHARE", str(tmp_path))
    return tmp_path


def test_both_robots_are_there_with_the_contracts_joint_names() -> None:
    assert robot_names() == ("panda", "ur5e")
    assert load_robot("panda").joint_names == tuple(f"panda_joint{i}" for i in range(1, 8))
    assert load_robot("ur5e").joint_names == (
        "shoulder_pan_joint",
        "shoulder_lift_joint",
        "elbow_joint",
        "wrist_1_joint",
        "wrist_2_joint",
        "wrist_3_joint",
    )
    assert load_robot("panda").gripper.joint_names == ("panda_finger_joint1", "panda_finger_joint2")


@pytest.mark.parametrize("name", ["panda", "ur5e"])
def test_a_robot_is_consistent(name: str) -> None:
    robot = load_robot(name)
    assert robot.name == name
    assert (robot.lower < robot.home).all()
    assert (robot.home < robot.upper).all()
    assert (
        robot.home.shape == robot.max_velocity.shape == robot.max_acceleration.shape == (len(robot.joints),)
    )
    assert {camera.name for camera in robot.cameras} == {"wrist", "front"}
    assert {link for finger in robot.gripper.fingers for link in finger} <= set(robot.gripper.links)


def test_an_unknown_robot_lists_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown robot 'pandda'.*'panda'.*Valid: panda, ur5e"):
        load_robot("pandda")


def test_an_unknown_gripper_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="franka_hand, robotiq_2f85"):
        load_gripper("hook")


def test_a_robot_with_an_unknown_gripper_says_so(share: Path) -> None:
    path = share / "urdf" / "robots" / "ur5e.yaml"
    path.write_text(path.read_text().replace("gripper: robotiq_2f85", "gripper: hook"))
    with pytest.raises(UnknownNameError, match="hook"):
        load_robot("ur5e")


def test_a_misspelt_field_is_named(share: Path) -> None:
    path = share / "urdf" / "robots" / "ur5e.yaml"
    path.write_text(path.read_text().replace("base_frame:", "base_frane:"))
    with pytest.raises(InvalidFileError, match="base_frane"):
        load_robot("ur5e")


def test_only_a_known_closed_form_is_accepted(share: Path) -> None:
    assert load_robot("ur5e").closed_form == "ur"
    assert load_robot("panda").closed_form is None
    path = share / "urdf" / "robots" / "ur5e.yaml"
    path.write_text(path.read_text().replace("closed_form: ur", "closed_form: scara"))
    with pytest.raises(InvalidFileError, match="closed_form"):
        load_robot("ur5e")


def test_a_new_file_is_a_new_robot(share: Path) -> None:
    folder = share / "urdf" / "robots"
    (folder / "ur5e_two.yaml").write_text(
        (folder / "ur5e.yaml").read_text().replace("name: ur5e\n", "name: two\n")
    )
    assert "ur5e_two" in robot_names()
    assert load_robot("ur5e_two").name == "two"


@pytest.mark.parametrize(
    ("opening", "joint"),
    [(0.0, 0.8), (0.01, 0.65), (0.02, 0.5), (0.05, 0.25), (0.08, 0.0), (1.0, 0.0), (-1.0, 0.8)],
)
def test_an_opening_maps_to_the_driven_joint_clamped(
    gripper: GripperDescription, opening: float, joint: float
) -> None:
    assert gripper.joint_position(opening) == pytest.approx(joint)


def test_the_driven_joint_maps_back(gripper: GripperDescription) -> None:
    for opening in np.linspace(0.0, 0.08, 9):
        assert gripper.opening(gripper.joint_position(opening)) == pytest.approx(opening)


def test_drive_effort_follows_virtual_work(gripper: GripperDescription) -> None:
    # between 0.5 and 0.8 rad the gap changes by 2 cm in 0.3 rad, below by 6 cm in 0.5 rad
    assert gripper.drive_effort(0.6, 30.0) == pytest.approx(30.0 * 0.02 / 0.3)
    assert gripper.drive_effort(0.1, 30.0) == pytest.approx(30.0 * 0.06 / 0.5)


def test_a_table_that_does_not_rise_is_refused() -> None:
    with pytest.raises(ValueError, match="must rise"):
        GripperDescription.model_validate({**CLOSED_AT_HIGH, "opening_to_joint": [[0.02, 0.0], [0.02, 0.5]]})


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        GripperDescription.model_validate({**CLOSED_AT_HIGH, "max_force": float("inf")})
