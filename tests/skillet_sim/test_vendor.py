"""Vendor models are found, corrected as the data says, and missed with a message that helps."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from skillet_core.errors import InvalidFileError, SkilletError, UnknownNameError
from skillet_sim import vendor
from skillet_sim.vendor import VendorModel, load_vendor_model, vendor_file

URDF = """<robot name="toy">
  <link name="base_link"><visual><geometry><mesh filename="part.obj"/></geometry></visual></link>
  <link name="arm"><inertial><mass value="2.0"/><inertia ixx="4" iyy="6" izz="8"/></inertial></link>
  <link name="hand"/>
  <link name="finger"/>
  <joint name="shoulder" type="revolute"><parent link="base_link"/><child link="arm"/>
    <limit drake:acceleration="2.5" effort="1" velocity="1" lower="0" upper="1"/></joint>
  <joint name="wrist" type="fixed"><origin xyz="1 2 3"/><parent link="arm"/><child link="hand"/></joint>
  <joint name="knuckle" type="fixed"><parent link="hand"/><child link="finger"/></joint>
  <transmission name="t"/>
  <drake:collision_filter_group name="g"/>
</robot>"""


@pytest.fixture
def corrected(tmp_path: Path):
    (tmp_path / "toy.urdf").write_text(URDF)
    for name in ("part.obj", "a.obj", "b.obj"):
        (tmp_path / name).write_text("")

    def correct(**changes: object) -> ET.Element:
        model = VendorModel.model_validate({"distribution": "airo-models", "file": "toy.urdf", **changes})
        return ET.fromstring(vendor._corrected(tmp_path / "toy.urdf", model))  # noqa: S314 - our own text

    return correct


def _names(tree: ET.Element, tag: str) -> list[str | None]:
    return [element.get("name") for element in tree.iterfind(tag)]


def test_drake_attributes_and_transmissions_are_removed(corrected) -> None:
    tree = corrected()
    assert [key for element in tree.iter() for key in element.attrib if "drake" in key] == []
    assert {element.tag for element in tree} == {"link", "joint"}


def test_dropped_links_take_with_them_what_hangs_on_them(corrected) -> None:
    tree = corrected(drop=["hand"])
    assert _names(tree, "link") == ["base_link", "arm"]
    assert _names(tree, "joint") == ["shoulder"]


def test_a_root_keeps_only_what_hangs_on_it(corrected) -> None:
    tree = corrected(root="hand")
    assert _names(tree, "link") == ["hand", "finger"]
    assert _names(tree, "joint") == ["knuckle"]


def test_a_corrected_mass_scales_the_inertia(corrected) -> None:
    tree = corrected(masses={"arm": 3.0})
    assert tree.find("link[@name='arm']/inertial/mass").get("value") == "3.0"
    assert tree.find("link[@name='arm']/inertial/inertia").attrib == {
        "ixx": "6.0",
        "iyy": "9.0",
        "izz": "12.0",
    }


def test_a_mesh_can_be_replaced_by_several(corrected) -> None:
    tree = corrected(meshes={"part.obj": ["a.obj", "b.obj"]})
    files = [Path(mesh.get("filename")) for mesh in tree.iter("mesh")]
    assert sorted(file.name for file in files) == ["a.obj", "b.obj"]
    assert all(file.is_absolute() for file in files)


def test_renamed_links_are_renamed_in_the_joints_too(corrected) -> None:
    tree = corrected(rename={"hand": "gripper"})
    assert tree.find("joint[@name='wrist']/child").get("link") == "gripper"
    assert tree.find("joint[@name='knuckle']/parent").get("link") == "gripper"


def test_a_joints_turn_can_be_corrected(corrected) -> None:
    tree = corrected(joint_rpy={"wrist": [0.0, 0.0, 1.5]})
    assert tree.find("joint[@name='wrist']/origin").attrib == {"xyz": "1 2 3", "rpy": "0.0 0.0 1.5"}


@pytest.mark.parametrize(
    "changes",
    [
        {"drop": ["hund"]},
        {"root": "hund"},
        {"masses": {"hund": 1.0}},
        {"rename": {"hund": "x"}},
        {"joint_rpy": {"hund": [0, 0, 0]}},
    ],
)
def test_a_correction_of_something_that_is_not_there_is_refused(corrected, changes) -> None:
    with pytest.raises(UnknownNameError, match="hund"):
        corrected(**changes)


def test_a_mesh_that_is_not_there_is_named(corrected) -> None:
    with pytest.raises(InvalidFileError, match=r"missing\.obj"):
        corrected(meshes={"part.obj": ["missing.obj"]})


def test_an_unknown_vendor_model_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="ur5e") as caught:
        load_vendor_model("ur55e")
    assert {"ur5e", "panda", "robotiq_2f85", "franka_hand", "d435"} <= set(caught.value.valid)


def test_a_package_that_is_not_installed_is_named_with_the_command_to_install_it() -> None:
    with pytest.raises(SkilletError, match="pip install no-such-robots"):
        vendor._locate("no-such-robots", "arm.urdf")


def test_a_file_that_the_package_lacks_is_named_with_the_version() -> None:
    with pytest.raises(SkilletError, match=r"airo-models 0\.0\.12 has no nowhere"):
        vendor._locate("airo-models", "nowhere.urdf")


def test_a_mesh_model_is_passed_as_it_is() -> None:
    assert vendor_file("d435").name == "d435.obj"


def test_the_prepared_file_is_named_by_its_content() -> None:
    assert vendor_file("panda") == vendor_file("panda")
    assert vendor_file("panda") != vendor_file("franka_hand")
