"""The hand without its arm, on a table of blocks, held against the collision checks of the whole robot."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from skillet_core.geometry import Pose
from skillet_core.scene import ObjectState
from skillet_motion.collision import PADDING
from skillet_motion.grasping.closing import Closed, close, obstacle
from skillet_motion.grasping.hand import Hand

DOWN = np.array([0.0, np.sqrt(0.5), np.sqrt(0.5), 0.0])
"""Straight down, closing along the world's x, where there is room (w, x, y, z)."""


@pytest.fixture(scope="module")
def hand(robot, stack, tidy_scene) -> Hand:
    hand = Hand(stack.scene.model, robot)
    hand.update(tidy_scene)
    return hand


def height(hand, width, tip=0.006):
    """Of the grasp frame so that the closed tips are this far above the table."""
    return tip + float(np.interp(width, hand.pads.openings, hand.pads.upper))


def test_pads_are_where_the_fingertips_are(hand, robot):
    assert (hand.pads.lower < hand.pads.upper).all()
    assert (hand.pads.palm < hand.pads.lower).all()
    assert 0.005 < hand.pads.half_width < 0.02
    np.testing.assert_allclose(hand.pads.openings[-1], robot.gripper.max_opening)


def test_a_closed_hand_meets_the_table_where_its_pads_say(hand):
    opening, gap = float(hand.pads.openings[0]), 0.004
    place = np.array([0.3, 0.0, height(hand, opening, gap)])
    nearest = min(touch.distance for touch in hand.touches(place, DOWN, opening) if touch.other == "table")
    assert nearest == pytest.approx(gap, abs=1e-3)


def test_it_sees_what_the_whole_robot_sees(hand, robot, stack, tidy_scene, at_home):
    rng = np.random.default_rng(0)
    compared = 0
    for _ in range(60):
        target = Pose.from_xyz_rpy(
            rng.uniform((0.35, -0.15, 0.02), (0.55, 0.15, 0.08)), (np.pi, 0, rng.uniform(-1, 1))
        )
        solutions = stack.scene.kinematics.solutions(target, robot.home, rng=rng, seeds=4)
        if not solutions:
            continue
        compared += 1
        stack.scene.update(at_home, tidy_scene)
        seen = {
            o.second for o in stack.scene.collisions.overlaps(solutions[0]) if o.first.startswith("robot/")
        }
        seen |= {
            o.first for o in stack.scene.collisions.overlaps(solutions[0]) if o.second.startswith("robot/")
        }
        quaternion = np.roll(target.quaternion, 1)
        touches = hand.touches(target.position, quaternion, at_home.opening)
        mine = {touch.other for touch in touches if touch.distance < PADDING - 2e-4}
        assert mine <= {name for name in seen if not name.startswith("robot/")}
    assert compared > 20


def test_fingers_close_on_a_block_at_its_width(hand):
    place = np.array([0.45, 0.1, height(hand, 0.04)])
    assert obstacle(hand, "red_block", place, DOWN, 0.064) is None
    closed = close(hand, "red_block", place, DOWN, opening=0.064, expected=0.04)
    assert isinstance(closed, Closed)
    assert closed.opening == pytest.approx(0.04, abs=0.002)
    assert closed.gap == pytest.approx(0.006, abs=0.001)


@pytest.mark.parametrize(
    ("offset", "why"),
    [
        ((0.0, 0.0, 0.1), "close on nothing"),
        ((0.011, 0.0, 0.0), "one finger touches long before"),
    ],
)
def test_a_grasp_that_would_not_hold_says_why(hand, offset, why):
    place = np.array([0.45, 0.1, height(hand, 0.04)]) + offset
    assert why in close(hand, "red_block", place, DOWN, opening=0.074, expected=0.04)


def test_only_the_edge_of_the_pads_is_not_enough(hand):
    tip = float(np.interp(0.04, hand.pads.openings, hand.pads.upper))
    place = np.array([0.45, 0.1, 0.04 + tip - 0.002])
    assert close(hand, "red_block", place, DOWN, opening=0.064, expected=0.04) == (
        "the pads touch only its edge"
    )


def test_a_neighbour_beside_the_fingers_is_in_the_way(robot, stack, tidy_scene):
    hand = Hand(stack.scene.model, robot)
    objects = tidy_scene.objects | {"green_block": ObjectState(Pose(np.array([0.503, 0.1, 0.02])))}
    hand.update(dataclasses.replace(tidy_scene, objects=objects))
    place = np.array([0.45, 0.1, height(hand, 0.04)])
    assert obstacle(hand, "red_block", place, DOWN, 0.064) == "green_block"


def test_the_table_is_in_the_way_of_fingers_that_reach_too_deep(hand):
    place = np.array([0.45, 0.1, height(hand, 0.064, -0.004)])
    assert obstacle(hand, "red_block", place, DOWN, 0.064) == "table"
