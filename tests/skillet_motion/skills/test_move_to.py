from __future__ import annotations

import numpy as np
import pytest

from skillet_core.errors import UnknownNameError
from skillet_motion.skills import SkillArgumentError
from skillet_motion.skills.carrying import held_object


def test_the_orientation_is_kept_where_none_is_given(blocks):
    before = blocks.robot.grasp_pose()
    blocks.done("move_to", x=0.45, y=0.1, z=0.3)
    after = blocks.robot.grasp_pose()
    np.testing.assert_allclose(after.position, [0.45, 0.1, 0.3], atol=0.005)
    assert (before.rotation.inv() * after.rotation).magnitude() < 0.03


def test_a_frame_of_an_object_and_of_the_base_can_be_meant(blocks):
    qx, qy, qz, qw = (1.0, 0.0, 0.0, 0.0)
    blocks.done("move_to", x=0.0, y=0.0, z=0.25, qx=qx, qy=qy, qz=qz, qw=qw, frame="left_bin")
    expected = blocks.pose("left_bin").position + np.array([0.0, 0.0, 0.25])
    np.testing.assert_allclose(blocks.robot.grasp_pose().position, expected, atol=0.005)
    base = blocks.robot.description.base_frame
    blocks.done("move_to", x=0.4, y=0.0, z=0.3, frame=base, straight=True)
    np.testing.assert_allclose(blocks.robot.grasp_pose().position, [0.4, 0.0, 0.3], atol=0.005)


def test_a_straight_motion_stays_on_the_line(blocks):
    blocks.done("move_to", x=0.45, y=0.1, z=0.3)
    path = []
    blocks.on_every_period(lambda *_: path.append(blocks.robot.grasp_pose().position))
    blocks.done("move_to", x=0.45, y=-0.1, z=0.3, straight=True)
    assert np.abs(np.array(path)[:, [0, 2]] - [0.45, 0.3]).max() < 0.006


def test_what_is_held_comes_along(blocks):
    blocks.done("grasp", object="red_block")
    blocks.done("move_to", x=0.4, y=-0.1, z=0.3)
    assert held_object(blocks.robot) == "red_block"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"x": 2.0, "y": 0.0, "z": 0.3}, "unreachable"),
        ({"x": 0.45, "y": 0.0, "z": -0.01}, "table"),
        ({"x": 0.45, "y": 0.0, "z": -0.01, "straight": True}, "table"),
    ],
)
def test_goals_out_of_reach_and_in_collision_fail_and_nothing_moves(blocks, arguments, reason):
    before = blocks.robot.time
    result = blocks.do("move_to", **arguments)
    assert not result.success
    assert reason in result.reason
    assert blocks.robot.time == before


@pytest.mark.parametrize(
    ("extra", "error", "message"),
    [
        ({"frame": "left_bim"}, UnknownNameError, "unknown frame 'left_bim'. Did you mean 'left_bin'"),
        ({"qx": 0.0, "qy": 0.0, "qz": 0.0, "qw": 2.0}, SkillArgumentError, "unit length.*has length 2"),
        ({"qx": 0.0, "qw": 1.0}, SkillArgumentError, "give all four or none"),
        ({"z": float("nan")}, SkillArgumentError, "z: Input should be a finite number"),
    ],
)
def test_wrong_frames_and_quaternions_are_refused_and_nothing_moves(blocks, extra, error, message):
    before = blocks.robot.time
    with pytest.raises(error, match=message):
        blocks.do("move_to", **{"x": 0.45, "y": 0.0, "z": 0.3, **extra})
    assert blocks.robot.time == before
