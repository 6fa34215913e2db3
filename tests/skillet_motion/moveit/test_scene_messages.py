from __future__ import annotations

import numpy as np
import pytest
from moveit_stand_ins import message

from skillet_core.geometry import Pose
from skillet_core.robot import load_robot
from skillet_motion.collision import PADDING, RESTING_DEPTH
from skillet_motion.moveit.config import pair
from skillet_motion.moveit.scene_messages import SceneContent, cleared_scene, planning_scene
from skillet_motion.moveit.solids import Solid

IN_HAND = Pose.from_xyz_rpy((0.0, 0.0, 0.01), (0.0, 0.0, 0.3))
TRIANGLES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], dtype=np.int32)


@pytest.fixture
def ur5e():
    return load_robot("ur5e")


@pytest.fixture
def content(ur5e) -> SceneContent:
    corners = np.vstack([np.zeros(3), np.eye(3)]) * 0.1
    return SceneContent(
        solids={
            "table": (Solid("box", Pose(np.array([0.0, 0.0, -0.02])), (1.0, 2.0, 0.04)),),
            "block": (Solid("box", Pose.identity(), (0.04, 0.04, 0.04)),),
            "stone": (Solid("mesh", Pose.identity(), vertices=corners, triangles=TRIANGLES),),
        },
        poses={
            "table": Pose(np.array([0.4, 0.0, 0.0])),
            "block": Pose.identity(),
            "stone": Pose(np.array([0.5, 0.2, 0.0])),
        },
        attached={"block": IN_HAND},
        arm=ur5e.home,
        opening=0.03,
        allowed=frozenset({pair("left_inner_finger_pad", "stone"), pair("block", "block")}),
    )


@pytest.fixture
def scene(ur5e, content):
    unchecked = [pair("forearm_link", "upper_arm_link")]
    return planning_scene(message, ur5e, content, links=["tool0", "forearm_link"], unchecked=unchecked)


def named(objects):
    return {item.id: item for item in objects}


def test_the_message_is_a_change_that_leaves_the_transforms_and_the_octomap(scene) -> None:
    assert scene.is_diff
    assert scene.robot_state.is_diff
    assert scene.robot_model_name == "ur5e"


def test_a_cleared_scene_removes_everything_from_world_and_gripper() -> None:
    cleared = cleared_scene(message)
    assert cleared.is_diff
    assert cleared.robot_state.is_diff
    (carried,), (lying,) = cleared.robot_state.attached_collision_objects, cleared.world.collision_objects
    assert (carried.object.id, carried.object.operation) == ("", b"\x01")
    assert (lying.id, lying.operation) == ("", b"\x01")


def test_objects_are_where_they_are_made_of_what_they_are_made_of(scene) -> None:
    world = named(scene.world.collision_objects)
    assert set(world) == {"table", "stone"}
    table = world["table"]
    assert (table.header.frame_id, table.pose.position.x) == ("world", 0.4)
    assert (table.primitives[0].type, table.primitives[0].dimensions) == (1, [1.0, 2.0, 0.04])
    assert table.primitive_poses[0].position.z == -0.02
    (mesh,) = world["stone"].meshes
    assert [list(triangle.vertex_indices) for triangle in mesh.triangles] == TRIANGLES.tolist()
    assert (mesh.vertices[1].x, mesh.vertices[2].y) == (0.1, 0.1)


def test_a_carried_object_hangs_on_the_grasp_frame_and_is_gone_from_the_world(scene, ur5e) -> None:
    (carried,) = scene.robot_state.attached_collision_objects
    assert (carried.link_name, carried.object.header.frame_id) == ("grasp_frame", "grasp_frame")
    assert carried.object.pose.position.z == pytest.approx(0.01)
    assert carried.touch_links == list(ur5e.gripper.links)


def test_a_carried_object_is_smaller_by_what_may_rest_on_a_table(scene) -> None:
    (carried,) = scene.robot_state.attached_collision_objects
    assert carried.object.primitives[0].dimensions == pytest.approx([0.04 - 2 * RESTING_DEPTH] * 3)


def test_arm_and_fingers_are_where_they_are(scene, ur5e) -> None:
    joints = scene.robot_state.joint_state
    positions = dict(zip(joints.name, joints.position, strict=True))
    assert [positions[name] for name in ur5e.joint_names] == ur5e.home.tolist()
    driven = ur5e.gripper.joint_position(0.03)
    assert positions["finger_joint"] == driven
    assert positions["left_inner_finger_joint"] == -driven
    assert set(positions) == {*ur5e.joint_names, *ur5e.gripper.joint_names}


def test_the_matrix_allows_exactly_the_pairs_that_may_touch_both_ways(scene) -> None:
    matrix = scene.allowed_collision_matrix
    allowed = {
        pair(row, column)
        for row, entry in zip(matrix.entry_names, matrix.entry_values, strict=True)
        for column, enabled in zip(matrix.entry_names, entry.enabled, strict=True)
        if enabled
    }
    assert allowed == {pair("forearm_link", "upper_arm_link"), pair("left_inner_finger_pad", "stone")}
    table = np.array([entry.enabled for entry in matrix.entry_values])
    assert (table == table.T).all()


def test_links_are_padded_as_in_skillets_own_checks(scene) -> None:
    assert {entry.link_name: entry.padding for entry in scene.link_padding} == {
        "tool0": PADDING,
        "forearm_link": PADDING,
    }
