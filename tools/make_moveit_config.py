#!/usr/bin/env python3
"""Write the MoveIt files of every robot, `urdf/moveit/<robot>/`, from its YAML and its URDF.

    .venv/bin/with-ros python tools/make_moveit_config.py

Which pairs of links need no collision check is found out here: links joined to each other, links that
the robot's YAML lets overlap, and links that do not come near each other in any of many random postures.
A test runs this again and compares, so that the files cannot drift from what they are made from.
"""

from __future__ import annotations

import itertools
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import yaml

from skillet_core import contract
from skillet_core.robot import RobotDescription, load_robot, robot_names
from skillet_motion.moveit.config import ARM, GRIPPER, Pair, pair
from skillet_sim import urdf
from skillet_sim.robot_model import compose_urdf, robot_spec

ROOT = Path(__file__).resolve().parents[1]
SAMPLES, SEED = 10_000, 0
NEARNESS = 0.02
"""Links that come closer than this are near each other [m]."""


def main() -> int:
    """Write the files of every robot."""
    for name in robot_names():
        folder = ROOT / "urdf" / "moveit" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files(load_robot(name)).items():
            (folder / file).write_text(text, encoding="utf-8")
            print(folder / file)
    return 0


def files(robot: RobotDescription) -> dict[str, str]:
    """Return the text of each file of a robot, by name."""
    tree = ET.fromstring(compose_urdf(robot))  # noqa: S314 - composed from our own files
    return {
        "robot.srdf": srdf(robot, tree),
        "joint_limits.yaml": _dump(joint_limits(robot, tree), "limits of the robot's YAML, and the URDF's"),
        "moveit_controllers.yaml": _dump(controllers(robot), "the contract's action servers"),
    }


def srdf(robot: RobotDescription, tree: ET.Element) -> str:
    """Return groups, named states, end effector and pairs of links that need no collision check."""
    root = ET.Element("robot", name=robot.name)
    root.append(ET.Comment(" Made by tools/make_moveit_config.py: do not edit. "))
    group = ET.SubElement(root, "group", name=ARM)
    ET.SubElement(group, "chain", base_link=robot.base_frame, tip_link=robot.flange_frame)
    group = ET.SubElement(root, "group", name=GRIPPER)
    for link in robot.gripper.links:
        ET.SubElement(group, "link", name=link)
    ET.SubElement(group, "joint", name=robot.gripper.joint)
    state = ET.SubElement(root, "group_state", name="home", group=ARM)
    for joint in robot.joints:
        ET.SubElement(state, "joint", name=joint.name, value=repr(joint.home))
    for word, opening in (("open", robot.gripper.max_opening), ("closed", 0.0)):
        state = ET.SubElement(root, "group_state", name=word, group=GRIPPER)
        value = repr(robot.gripper.joint_position(opening))
        ET.SubElement(state, "joint", name=robot.gripper.joint, value=value)
    parent = robot.flange_frame
    ET.SubElement(root, "end_effector", name=GRIPPER, parent_link=parent, parent_group=ARM, group=GRIPPER)
    for links, reason in sorted(disabled_pairs(robot, tree).items(), key=lambda item: sorted(item[0])):
        first, second = sorted(links)
        ET.SubElement(root, "disable_collisions", link1=first, link2=second, reason=reason)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def disabled_pairs(robot: RobotDescription, tree: ET.Element) -> dict[Pair, str]:
    """Return the pairs of links that need no collision check, and why."""
    solid = sorted({shape.link for shape in urdf.shapes(tree, "collision")})
    every = frozenset(itertools.starmap(pair, itertools.combinations(solid, 2)))
    found = dict.fromkeys(every - near_pairs(robot), "Never")
    found |= dict.fromkeys((pair(*links) for links in robot.ignored_collisions), "User")
    gripper = sorted(set(robot.gripper.links) & set(solid))
    found |= dict.fromkeys(itertools.starmap(pair, itertools.combinations(gripper, 2)), "User")
    return found | dict.fromkeys(adjacent_pairs(tree, frozenset(solid)), "Adjacent")


def adjacent_pairs(tree: ET.Element, solid: frozenset[str]) -> Iterator[Pair]:
    """Yield the solid links that a joint connects, or a chain of joints through links without shapes."""
    parents: dict[str, str] = {}
    for joint in tree.iterfind("joint"):
        parent, child = joint.find("parent"), joint.find("child")
        if parent is not None and child is not None:
            parents[child.get("link", "")] = parent.get("link", "")
    for link in sorted(solid):
        above = parents.get(link)
        while above is not None and above not in solid:
            above = parents.get(above)
        if above is not None:
            yield pair(link, above)


def near_pairs(robot: RobotDescription) -> frozenset[Pair]:
    """Return the links that come near each other in any of many random postures."""
    spec = robot_spec(robot)
    for exclude in list(spec.excludes):
        spec.delete(exclude)
    # MuJoCo would not look at neighbours, of which some are fixed to each other by nothing that touches.
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_FILTERPARENT
    model = spec.compile()
    model.geom_margin[:] = NEARNESS
    data, rng = mujoco.MjData(model), np.random.default_rng(SEED)
    near = np.zeros((model.nbody, model.nbody), dtype=bool)
    for _ in range(SAMPLES):
        place(robot, model, data, rng)
        near[tuple(model.geom_bodyid[data.contact.geom].T)] = True
    names = [model.body(index).name for index in range(model.nbody)]
    return frozenset(pair(names[a], names[b]) for a, b in np.argwhere(near))


def place(
    robot: RobotDescription, model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator
) -> None:
    """Put the robot into a random posture within its limits and find its contacts."""
    for joint in robot.joints:
        data.joint(joint.name).qpos = rng.uniform(joint.limits.lower, joint.limits.upper)
    driven = robot.gripper.joint_position(rng.uniform(0.0, robot.gripper.max_opening))
    for name, factor in {robot.gripper.joint: 1.0, **robot.gripper.mimic}.items():
        data.joint(name).qpos = factor * driven
    mujoco.mj_kinematics(model, data)
    mujoco.mj_collision(model, data)


def joint_limits(robot: RobotDescription, tree: ET.Element) -> dict[str, Any]:
    """Return MoveIt's limits: the robot's for the arm; for the gripper's joints the URDF's velocity."""
    limits = {
        joint.name: {
            "has_velocity_limits": True,
            "max_velocity": joint.limits.velocity,
            "has_acceleration_limits": True,
            "max_acceleration": joint.limits.acceleration,
            "has_jerk_limits": True,
            "max_jerk": joint.limits.jerk,
        }
        for joint in robot.joints
    }
    for name in robot.gripper.joint_names:
        limit = tree.find(f"joint[@name='{name}']/limit")
        if limit is not None:
            velocity = float(limit.get("velocity", "0"))
            limits[name] = {
                "has_velocity_limits": True,
                "max_velocity": velocity,
                "has_acceleration_limits": False,
            }
    return {"joint_limits": limits}


def controllers(robot: RobotDescription) -> dict[str, Any]:
    """Return how MoveIt reaches the controllers, for those who execute through MoveIt itself."""
    arm, gripper = contract.FOLLOW_JOINT_TRAJECTORY.split("/"), contract.GRIPPER.split("/")
    return {
        "moveit_controller_manager": "moveit_simple_controller_manager/MoveItSimpleControllerManager",
        "moveit_simple_controller_manager": {
            "controller_names": [arm[0], gripper[0]],
            arm[0]: {
                "type": "FollowJointTrajectory",
                "action_ns": arm[1],
                "default": True,
                "joints": list(robot.joint_names),
            },
            gripper[0]: {
                "type": "GripperCommand",
                "action_ns": gripper[1],
                "default": True,
                "joints": [robot.gripper.joint],
            },
        },
    }


def _dump(content: dict[str, Any], what: str) -> str:
    note = f"# Made by tools/make_moveit_config.py from {what}: do not edit.\n"
    return note + yaml.safe_dump(content, sort_keys=False)


if __name__ == "__main__":
    sys.exit(main())
