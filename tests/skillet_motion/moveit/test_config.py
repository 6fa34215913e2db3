"""The files of `urdf/moveit/` against the URDF, the robot's YAML and Skillet's own collision checks."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import yaml

import make_moveit_config
from skillet_core import contract
from skillet_core.errors import InvalidFileError
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_motion.moveit.config import (
    PATH_PIPELINE,
    PIPELINE,
    WORLD,
    moveit_config,
    pair,
    read_srdf,
    unchecked_pairs,
    write_parameters,
)
from skillet_motion.moveit.requests import PLANNERS
from skillet_motion.search import CHECK_STEP
from skillet_sim.robot_model import compose_urdf

SAMPLES = 500


@pytest.fixture(scope="module")
def urdf(robot):
    return ET.fromstring(compose_urdf(robot))  # noqa: S314


@pytest.fixture(scope="module")
def srdf(robot):
    return ET.fromstring(read_srdf(robot))  # noqa: S314


@pytest.fixture(scope="module")
def config(robot):
    return moveit_config(robot, use_sim_time=True)


@pytest.fixture
def free_world(stack, at_home, tidy_scene):
    stack.scene.update(at_home, tidy_scene)
    return stack.scene.collisions


def names(tree, tag):
    return {element.get("name") for element in tree.iterfind(tag)}


def test_the_files_are_what_the_robots_description_gives(robot) -> None:
    folder = make_moveit_config.ROOT / "urdf" / "moveit" / robot.name
    made = make_moveit_config.files(robot)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


def test_every_link_and_joint_of_the_srdf_is_in_the_urdf(srdf, urdf) -> None:
    links, joints = names(urdf, "link"), names(urdf, "joint")
    assert {entry.get("name") for entry in srdf.iter("link")} <= links
    assert {entry.get("name") for entry in srdf.iter("joint")} <= joints
    for entry in srdf.iterfind("disable_collisions"):
        assert {entry.get("link1"), entry.get("link2")} <= links


def test_the_planning_frame_is_the_urdfs_root(urdf) -> None:
    children = {child.get("link") for child in urdf.iterfind("joint/child")}
    assert names(urdf, "link") - children == {WORLD}


def test_the_arms_chain_holds_exactly_the_arms_joints(robot, srdf, urdf) -> None:
    chain = srdf.find("group[@name='arm']/chain")
    above = {joint.find("child").get("link"): joint for joint in urdf.iterfind("joint")}
    moving, link = [], chain.get("tip_link")
    while link != chain.get("base_link"):
        joint = above[link]
        moving += [joint.get("name")] if joint.get("type") != "fixed" else []
        link = joint.find("parent").get("link")
    assert tuple(reversed(moving)) == robot.joint_names


def test_the_grasp_frame_is_fixed_to_the_chains_tip(robot, srdf, urdf) -> None:
    above = {joint.find("child").get("link"): joint for joint in urdf.iterfind("joint")}
    link = robot.gripper.grasp_frame
    while link != srdf.find("group[@name='arm']/chain").get("tip_link"):
        assert above[link].get("type") == "fixed"
        link = above[link].find("parent").get("link")


def test_home_is_the_robots_and_free(robot, srdf, free_world) -> None:
    joints = srdf.findall("group_state[@name='home']/joint")
    assert {j.get("name"): float(j.get("value")) for j in joints} == {j.name: j.home for j in robot.joints}
    assert free_world.is_free(robot.home)


def adjacent(urdf, links):
    """Whether only links without shapes lie between two links."""
    solid = {link.get("name") for link in urdf.iterfind("link") if link.find("collision") is not None}
    above = {j.find("child").get("link"): j.find("parent").get("link") for j in urdf.iterfind("joint")}
    for low, high in (sorted(links), sorted(links, reverse=True)):
        link = above.get(low)
        while link is not None and link not in solid:
            link = above.get(link)
        if link == high:
            return True
    return False


def test_pairs_left_unchecked_are_neighbours_or_meant_to_overlap_or_never_meet(
    robot, srdf, urdf, free_world
) -> None:
    meant = {pair(*links) for links in robot.ignored_collisions}
    meant |= {pair(*links) for links in itertools.combinations(robot.gripper.links, 2)}
    never = set()
    for entry in srdf.iterfind("disable_collisions"):
        links = pair(entry.get("link1"), entry.get("link2"))
        match entry.get("reason"):
            case "Adjacent":
                assert adjacent(urdf, links), sorted(links)
            case "User":
                assert links in meant, sorted(links)
            case reason:
                assert reason == "Never", sorted(links)
                never.add(links)
    rng, met = np.random.default_rng(99), set()
    for _ in range(SAMPLES):
        for overlap in free_world.overlaps(rng.uniform(robot.lower, robot.upper)):
            met.add(pair(overlap.first.removeprefix(ROBOT_PREFIX), overlap.second.removeprefix(ROBOT_PREFIX)))
    assert len(met) > 20, "the postures do collide"
    assert not met & never


def test_limits_are_the_robots(robot, config) -> None:
    limits = config["robot_description_planning"]["joint_limits"]
    for joint in robot.joints:
        entry = limits[joint.name]
        assert (entry["max_velocity"], entry["max_acceleration"], entry["max_jerk"]) == (
            joint.limits.velocity,
            joint.limits.acceleration,
            joint.limits.jerk,
        )
        assert entry["has_velocity_limits"]
        assert entry["has_acceleration_limits"]
        assert entry["has_jerk_limits"]


def test_position_limits_which_moveit_takes_from_the_urdf_are_the_robots(robot, urdf) -> None:
    for joint in robot.joints:
        limit = urdf.find(f"joint[@name='{joint.name}']/limit")
        assert float(limit.get("lower")) == pytest.approx(joint.limits.lower, abs=1e-4)
        assert float(limit.get("upper")) == pytest.approx(joint.limits.upper, abs=1e-4)


def test_controllers_are_the_contracts(robot, config) -> None:
    manager = config["moveit_simple_controller_manager"]
    actions = {
        f"{name}/{manager[name]['action_ns']}": (manager[name]["type"], manager[name]["joints"])
        for name in manager["controller_names"]
    }
    assert actions == {
        contract.FOLLOW_JOINT_TRAJECTORY: ("FollowJointTrajectory", list(robot.joint_names)),
        contract.GRIPPER: ("GripperCommand", [robot.gripper.joint]),
    }


def test_both_pipelines_have_skillets_planners_and_only_one_times_paths(config) -> None:
    assert config["planning_pipelines"] == [PIPELINE, PATH_PIPELINE]
    for pipeline in config["planning_pipelines"]:
        assert set(config[pipeline]["arm"]["planner_configs"]) == set(PLANNERS.values())
        assert set(config[pipeline]["planner_configs"]) == set(PLANNERS.values())
    timing = "default_planning_response_adapters/AddTimeOptimalParameterization"
    assert timing in config[PIPELINE]["response_adapters"]
    assert timing not in config[PATH_PIPELINE]["response_adapters"]


def test_segments_are_checked_so_finely_that_nothing_thin_is_missed(robot, config) -> None:
    extent = float((robot.upper - robot.lower).sum())
    for pipeline in config["planning_pipelines"]:
        assert config[pipeline]["arm"]["longest_valid_segment_fraction"] * extent <= 3 * CHECK_STEP


def test_kinematics_is_configured_for_the_arm(config, srdf) -> None:
    assert set(config["robot_description_kinematics"]) <= names(srdf, "group")
    assert "arm" in config["robot_description_kinematics"]


def test_parameters_are_written_as_ros_reads_them(config, tmp_path) -> None:
    path = write_parameters(config, tmp_path)
    assert yaml.safe_load(path.read_text()) == {"/**": {"ros__parameters": config}}
    assert "&id" not in path.read_text(), "rcl refuses YAML's anchors"


def test_a_robot_without_files_is_told_how_to_make_them(robot) -> None:
    with pytest.raises(InvalidFileError, match=r"make_moveit_config\.py"):
        read_srdf(robot.model_copy(update={"name": "robby"}))


def test_unchecked_pairs_are_those_of_the_srdf(srdf, robot) -> None:
    assert len(unchecked_pairs(read_srdf(robot))) == len(srdf.findall("disable_collisions"))
