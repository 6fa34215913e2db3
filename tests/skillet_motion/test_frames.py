from __future__ import annotations

import numpy as np
import pytest

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Pose
from skillet_motion.frames import frame_pose
from skillet_motion.planning_scene import PlanningScene


@pytest.fixture(scope="module")
def known(robot, task):
    return PlanningScene(robot, task)


def assert_same(pose, other):
    assert pose.distance_to(other) == pytest.approx((0.0, 0.0), abs=1e-6)


@pytest.mark.parametrize("name", ["", "world", "base"])
def test_the_world_and_the_base_are_where_the_robot_stands(known, at_home, tidy_scene, name):
    name = known.robot.base_frame if name == "base" else name
    assert_same(frame_pose(name, known, at_home, tidy_scene), Pose.identity())


def test_an_object_is_where_the_scene_has_it(known, at_home, tidy_scene):
    expected = tidy_scene.object("green_block").pose
    assert_same(frame_pose("green_block", known, at_home, tidy_scene), expected)


def test_a_link_is_where_the_arm_has_it(known, at_home, tidy_scene):
    grasp_frame = known.robot.gripper.grasp_frame
    expected = known.kinematics.forward(at_home.positions)
    assert_same(frame_pose(grasp_frame, known, at_home, tidy_scene), expected)


def test_a_finger_is_as_far_open_as_the_gripper(known, at_home, tidy_scene):
    left, right = known.robot.gripper.finger_links[0], known.robot.gripper.finger_links[-1]
    gap = frame_pose(left, known, at_home, tidy_scene), frame_pose(right, known, at_home, tidy_scene)
    shut = type(at_home)(0.0, at_home.positions, at_home.velocities, 0.0)
    closed = frame_pose(left, known, shut, tidy_scene), frame_pose(right, known, shut, tidy_scene)
    apart, together = (np.linalg.norm(a.position - b.position) for a, b in (gap, closed))
    assert apart > together + 0.03


def test_an_unknown_frame_is_refused_with_the_nearest(known, at_home, tidy_scene):
    with pytest.raises(UnknownNameError, match=r"unknown frame 'grasp_fram'\. Did you mean 'grasp_frame'"):
        frame_pose("grasp_fram", known, at_home, tidy_scene)
