from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skillet_core.evaluation import is_grasped
from skillet_motion.skills.carrying import held_object


def holds(stage, name):
    return is_grasped(name, stage.robot.scene(), stage.robot.description.gripper)


@pytest.mark.parametrize("name", ["soup_can", "banana", "marker"])
def test_things_of_different_shape_are_held_and_lifted(tabletop, name):
    before = tabletop.pose(name).position[2]
    tabletop.done("grasp", object=name)
    assert holds(tabletop, name)
    assert tabletop.pose(name).position[2] > before + 0.08


def test_a_planar_grasp_points_straight_down(tabletop):
    tabletop.done("grasp", object="soup_can", mode="planar")
    assert tabletop.robot.grasp_pose().rotation.as_matrix()[2, 2] < -0.98


def test_without_a_lift_the_object_stays_where_it_stands(blocks):
    before = blocks.pose("red_block").position[2]
    blocks.done("grasp", object="red_block", lift=0.0)
    assert holds(blocks, "red_block")
    assert abs(blocks.pose("red_block").position[2] - before) < 0.005


def test_a_handle_is_grasped_where_it_is(workbench):
    workbench.done("grasp", object="top_drawer", handle=True)
    assert holds(workbench, "top_drawer")


def test_what_is_held_already_is_a_success_without_motion(blocks):
    blocks.done("grasp", object="red_block")
    before, phases = blocks.robot.time, []
    assert blocks.do("grasp", phases.append, object="red_block").success
    assert (blocks.robot.time, phases) == (before, [])


def test_a_full_gripper_is_a_failure_that_says_what_it_holds(blocks):
    blocks.done("grasp", object="red_block")
    result = blocks.do("grasp", object="blue_block")
    assert "holds red_block" in result.reason
    assert held_object(blocks.robot) == "red_block"


def test_an_object_taken_away_before_the_grasp_is_looked_for_again(blocks):
    phases = []

    def take_away(phase):
        phases.append(phase)
        if phase == "grasp" and phases.count("grasp") == 1:
            blocks.put("red_block", (0.4, -0.2, 0.02))

    result = blocks.do("grasp", take_away, object="red_block")
    assert result.success, result.reason
    assert phases.count("plan") == 2
    assert phases[phases.index("grasp") + 1] == "retreat"
    assert holds(blocks, "red_block")


def test_after_the_last_attempt_the_arm_is_clear_and_the_fingers_open(blocks):
    low = []
    blocks.on_every_period(lambda *_: low.append(blocks.robot.grasp_pose().position[2]))

    def take_away(phase):
        if phase == "grasp":
            blocks.put("red_block", (0.2, -0.45, 0.02))

    result = blocks.do("grasp", take_away, object="red_block", attempts=1)
    assert "closed on nothing" in result.reason
    assert blocks.robot.grasp_pose().position[2] > min(low) + 0.03
    assert blocks.robot.state().opening > 0.05


def test_an_object_out_of_reach_fails_with_a_reason_and_nothing_moves(blocks):
    blocks.put("red_block", (1.3, 0.9, 0.02))
    before, begin = blocks.robot.state().positions, blocks.robot.time
    result = blocks.do("grasp", object="red_block")
    assert not result.success
    assert "red_block" in result.reason
    assert blocks.robot.time == begin
    np.testing.assert_array_equal(blocks.robot.state().positions, before)


def test_a_turned_object_is_grasped_along_its_sides(blocks):
    blocks.put("red_block", (0.45, 0.2, 0.02), Rotation.from_euler("z", 0.9))
    blocks.done("grasp", object="red_block", mode="planar")
