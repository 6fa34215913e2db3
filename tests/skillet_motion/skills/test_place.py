from __future__ import annotations

import numpy as np
import pytest

from skillet_core.conditions import Inside, OnTopOf
from skillet_core.evaluation import holds, is_at_rest
from skillet_motion.skills.carrying import held_object

RED = "red_block"


def true(stage, condition):
    robot = stage.robot
    return holds(condition, robot.scene(), robot.task, robot.description.gripper)


@pytest.fixture
def holding(blocks):
    blocks.done("grasp", object=RED)
    return blocks


def test_a_block_ends_at_rest_in_the_bin_and_out_of_the_hand(holding):
    holding.done("place_in", object=RED, target="left_bin")
    assert true(holding, Inside(object=RED, container="left_bin"))
    assert is_at_rest(holding.robot.scene().object(RED))
    assert held_object(holding.robot) is None
    assert holding.robot.scene().success


def test_two_blocks_fit_into_one_bin(blocks):
    for name in (RED, "green_block"):
        blocks.done("grasp", object=name)
        blocks.done("place_in", object=name, target="right_bin")
    for name in (RED, "green_block"):
        assert true(blocks, Inside(object=name, container="right_bin"))


def test_a_thing_goes_into_an_open_drawer(workbench):
    workbench.turn("top_drawer", 0.16)
    workbench.put("toy_brick", (0.35, 0.25, 0.0145))
    workbench.done("grasp", object="toy_brick", mode="planar")
    workbench.done("place_in", object="toy_brick", target="top_drawer")
    assert true(workbench, Inside(object="toy_brick", container="top_drawer"))


def test_a_block_on_the_table_stands_clear_of_the_others(holding):
    holding.done("place_on", object=RED, target="table")
    assert true(holding, OnTopOf(object=RED, support="table"))
    for other in ("green_block", "blue_block"):
        assert np.linalg.norm(holding.pose(other).position - holding.pose(RED).position) > 0.04


def test_a_wished_place_and_turn_are_kept(holding):
    holding.done("place_on", object=RED, target="table", x=0.64, y=0.05, yaw=0.3)
    np.testing.assert_allclose(holding.pose(RED).position[:2], [0.64, 0.05], atol=0.02)
    turned = holding.pose(RED).rotation.as_euler("zyx")[0] - 0.3
    assert abs((turned + np.pi / 4) % (np.pi / 2) - np.pi / 4) < 0.1


def test_a_block_is_stacked_on_another(holding):
    holding.done("place_on", object=RED, target="green_block")
    assert true(holding, OnTopOf(object=RED, support="green_block"))


@pytest.mark.parametrize(("skill", "target"), [("place_in", "left_bin"), ("place_on", "table")])
def test_placing_what_is_not_held_fails_and_nothing_moves(blocks, skill, target):
    before = blocks.robot.time
    result = blocks.do(skill, object=RED, target=target)
    assert "does not hold red_block but nothing" in result.reason
    assert blocks.robot.time == before


def test_a_block_dropped_on_the_way_stops_the_arm_with_that_reason(holding):
    begin = []

    def drop(now, _):
        if begin and now > begin[0] + 0.3:
            holding.on_every_period(None)
            holding.put(RED, (0.2, -0.4, 0.02))

    holding.on_every_period(drop)
    result = holding.do(
        "place_in",
        lambda phase: begin.append(holding.robot.time) if phase == "carry" else None,
        object=RED,
        target="left_bin",
    )
    assert "red_block was dropped on the way" in result.reason
    assert holding.robot.time < begin[0] + 1.5
    assert np.abs(holding.robot.state().velocities).max() < 0.05


def test_a_place_that_nobody_reaches_is_refused_and_the_block_is_kept(holding):
    result = holding.do("place_on", object=RED, target="table", x=-0.75, y=0.65)
    assert not result.success
    assert held_object(holding.robot) == RED


def test_what_only_fits_in_lying_is_grasped_so_that_it_can_be_laid_down(tabletop):
    assert tabletop.pose("bottle").position[2] > 0.08  # it stands
    tabletop.done("grasp", object="bottle", target="basket")
    tabletop.done("place_in", object="bottle", target="basket")
    assert true(tabletop, Inside(object="bottle", container="basket"))


def test_what_would_stick_out_of_the_container_is_not_let_go(stages):
    stage = stages("tabletop", 4)
    stage.done("grasp", object="bottle", mode="planar")
    result = stage.do("place_in", object="bottle", target="basket")
    assert "% inside" in result.reason
    assert held_object(stage.robot) == "bottle"
