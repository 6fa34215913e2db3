from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from skillet_core.conditions import All, Any, AtRest, Closed, Grasped, Inside, Not, OnTopOf, Opened
from skillet_core.errors import UnknownNameError
from skillet_core.evaluation import (
    CARRIED_NORMAL,
    CLOSED_SHARE,
    OPENED_SHARE,
    REST_ANGULAR,
    REST_LINEAR,
    holds,
    inside_fraction,
    open_share,
)
from skillet_core.geometry import Pose
from skillet_core.robot import load_gripper
from skillet_core.scene import ContactPair, ObjectDescription, ObjectState, SceneState, TaskDescription

GRIPPER = load_gripper("franka_hand")
LEFT, RIGHT = (f"robot/{link}" for link in GRIPPER.finger_links[:2])
BLOCK = ObjectDescription.model_validate({"phrases": ["block"], "bounds": {"size": [0.04, 0.04, 0.04]}})
BIN = ObjectDescription.model_validate(
    {
        "phrases": ["bin"],
        "kind": "container",
        "bounds": {"size": [0.22, 0.22, 0.22]},
        "interior": {"size": [0.2, 0.2, 0.2]},
    }
)
# closed at 0.3 rad, open at -0.7 rad: neither is zero, and it opens backwards
LID = ObjectDescription.model_validate(
    {
        "phrases": ["lid"],
        "kind": "fixture",
        "bounds": {"size": [0.2, 0.2, 0.01]},
        "articulation": {
            "joint": "hinge",
            "kind": "revolute",
            "axis": [0, 1, 0],
            "closed": 0.3,
            "opened": -0.7,
        },
    }
)
TASK = TaskDescription.model_validate(
    {
        "name": "test",
        "title": "test",
        "scene": "scene.xml",
        "instructions": ["put the block in the bin"],
        "time_limit": 1.0,
        "objects": {"block": BLOCK, "bin": BIN, "lid": LID},
        "success": {"kind": "inside", "object": "block", "container": "bin"},
    }
)
INSIDE = Inside(object="block", container="bin")


def scene(
    block: ObjectState, contacts: tuple[ContactPair, ...] = (), bin_pose: Pose | None = None
) -> SceneState:
    objects = {"block": block, "bin": ObjectState(bin_pose or Pose.identity())}
    return SceneState(0.0, "test", 0, 0, success=False, objects=objects, contacts=contacts)


def at(x: float, y: float = 0.0, z: float = 0.0) -> ObjectState:
    return ObjectState(Pose(np.array([x, y, z])))


def contact(body_a: str, body_b: str) -> ContactPair:
    return ContactPair(body_a, body_b, (0.0, 0.0, 1.0))


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [(1.0, True), (0.8, True), (0.75, True), (0.7, False), (0.25, False), (0.0, False)],
)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_inside_needs_three_quarters_of_the_box(overlap, expected, axis):
    """The block straddles the wall at 0.1 m, a share ``overlap`` of it inside."""
    position = np.zeros(3)
    # a ten-thousandth of a sample towards the inside keeps rounding off the threshold
    position[axis] = 0.1 + 0.04 * (0.5 - overlap) - 1e-7
    assert holds(INSIDE, scene(ObjectState(Pose(position))), TASK, GRIPPER) is expected


@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
def test_for_aligned_boxes_the_fraction_is_the_overlap_to_a_tenth_per_axis(x, y, z):
    fraction = inside_fraction(BLOCK, at(x, y, z), BIN, at(0))
    shares = [np.clip((min(0.1, c + 0.02) - max(-0.1, c - 0.02)) / 0.04, 0, 1) for c in (x, y, z)]
    assert np.prod(np.maximum(np.array(shares) - 0.051, 0)) <= fraction
    assert fraction <= np.prod(np.minimum(np.array(shares) + 0.051, 1)) + 1e-9


@given(st.floats(-0.15, 0.15), st.floats(-0.15, 0.15), st.floats(-np.pi, np.pi), st.floats(-1, 1))
def test_the_fraction_does_not_depend_on_where_the_pair_stands(x, y, yaw, shift):
    move = Pose(np.array([shift, -shift, 0.3]), Rotation.from_euler("xyz", [0.2, shift, yaw]))
    # off the sampling grid, so that rounding cannot carry a sample over the wall
    block = Pose(np.array([x + 1e-5, y + 1e-5, 1e-5]))
    still = inside_fraction(BLOCK, ObjectState(block), BIN, at(0))
    moved = inside_fraction(BLOCK, ObjectState(move @ block), BIN, ObjectState(move))
    assert moved == pytest.approx(still, abs=0.11)


def test_nothing_is_inside_what_has_no_hollow():
    assert inside_fraction(BLOCK, at(0), BLOCK, at(0)) == 0.0


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ((), False),
        ((contact(LEFT, "block"),), False),
        ((contact(LEFT, "block"), contact("block", LEFT)), False),
        ((contact(LEFT, "block"), contact("block", RIGHT)), True),
        ((contact(LEFT, "block"), contact(RIGHT, "bin")), False),
        ((contact(LEFT, "block"), contact("robot/panda_link0", "block")), False),
    ],
)
def test_grasped_needs_both_fingers_on_the_object(contacts, expected):
    assert holds(Grasped(object="block"), scene(at(0), contacts), TASK, GRIPPER) is expected


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        (("left_inner_knuckle", "right_inner_knuckle"), True),
        (("left_inner_finger_pad", "right_inner_finger"), True),
        (("left_inner_finger_pad", "left_inner_knuckle"), False),
        (("left_inner_finger_pad", "robotiq_base_link"), False),
    ],
)
def test_any_links_of_two_fingers_hold_but_not_two_of_one(links, expected):
    contacts = tuple(ContactPair("block", f"robot/{link}", (0.0, 1.0, 0.0)) for link in links)
    gripper = load_gripper("robotiq_2f85")
    assert holds(Grasped(object="block"), scene(at(0), contacts), TASK, gripper) is expected


@pytest.mark.parametrize(
    ("linear", "angular", "expected"),
    [
        (0.0, 0.0, True),
        (REST_LINEAR * 0.99, REST_ANGULAR * 0.99, True),
        (REST_LINEAR * 1.01, 0.0, False),
        (0.0, REST_ANGULAR * 1.01, False),
    ],
)
def test_rest_has_a_limit_on_either_speed(linear, angular, expected):
    state = ObjectState(Pose.identity(), np.array([0, linear, 0]), np.array([0, 0, angular]))
    assert holds(AtRest(object="block"), scene(state), TASK, GRIPPER) is expected


@pytest.mark.parametrize(
    ("body_a", "body_b", "upward", "expected"),
    [
        ("bin", "block", CARRIED_NORMAL + 0.01, True),
        ("bin", "block", CARRIED_NORMAL - 0.01, False),
        ("bin", "block", -1.0, False),
        ("block", "bin", -CARRIED_NORMAL - 0.01, True),
        ("block", "bin", -CARRIED_NORMAL + 0.01, False),
        ("block", "bin", 1.0, False),
        ("lid", "block", 1.0, False),
        ("bin", "lid", 1.0, False),
    ],
)
def test_on_top_needs_a_contact_that_carries(body_a, body_b, upward, expected):
    """The normal points from the first body to the second: up, when the first carries the second."""
    touch = ContactPair(body_a, body_b, (np.sqrt(1 - upward**2), 0.0, upward))
    condition = OnTopOf(object="block", support="bin")
    assert holds(condition, scene(at(0), (touch,)), TASK, GRIPPER) is expected
    assert not holds(condition, scene(at(0)), TASK, GRIPPER)


def with_hinge_at(share: float) -> SceneState:
    return dataclasses.replace(scene(at(0)), articulation={"hinge": 0.3 - share})


@pytest.mark.parametrize(
    ("share", "opened", "closed"),
    [
        (-0.1, False, True),
        (0.0, False, True),
        (CLOSED_SHARE - 0.01, False, True),
        (CLOSED_SHARE + 0.01, False, False),
        (OPENED_SHARE - 0.01, False, False),
        (OPENED_SHARE + 0.01, True, False),
        (1.1, True, False),
    ],
)
def test_open_and_closed_have_a_gap_between_them(share, opened, closed):
    now = with_hinge_at(share)
    assert open_share("lid", now, TASK) == pytest.approx(share)
    assert holds(Opened(object="lid"), now, TASK, GRIPPER) is opened
    assert holds(Closed(object="lid"), now, TASK, GRIPPER) is closed


@pytest.mark.parametrize("kind", [Opened, Closed])
def test_only_what_has_a_joint_that_is_reported_opens(kind):
    with pytest.raises(UnknownNameError, match=r"object with a joint 'block'.*lid"):
        holds(kind(object="block"), with_hinge_at(0), TASK, GRIPPER)
    with pytest.raises(UnknownNameError, match="scene joint 'hinge'"):
        holds(kind(object="lid"), scene(at(0)), TASK, GRIPPER)


def test_conditions_combine_as_logic_does():
    now = scene(at(0))
    true, false = INSIDE, Grasped(object="block")
    assert holds(Not(condition=false), now, TASK, GRIPPER)
    assert holds(All(conditions=(true, true)), now, TASK, GRIPPER)
    assert not holds(All(conditions=(true, false)), now, TASK, GRIPPER)
    assert holds(Any(conditions=(false, true)), now, TASK, GRIPPER)
    assert not holds(Any(conditions=(false, false)), now, TASK, GRIPPER)


@pytest.mark.parametrize(
    "condition",
    [
        Grasped(object="teapot"),
        AtRest(object="teapot"),
        Opened(object="teapot"),
        Closed(object="teapot"),
        Inside(object="teapot", container="bin"),
        Inside(object="block", container="teapot"),
        OnTopOf(object="teapot", support="bin"),
        OnTopOf(object="block", support="teapot"),
    ],
)
def test_an_unknown_object_is_an_error_not_false(condition):
    with pytest.raises(UnknownNameError, match="teapot"):
        holds(condition, scene(at(0)), TASK, GRIPPER)
