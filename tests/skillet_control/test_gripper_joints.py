"""The gripper's joints agree with the description's own conversion."""

from __future__ import annotations

import numpy as np
import pytest

from skillet_control.gripper_joints import GripperJoints
from skillet_core.robot import load_gripper


@pytest.mark.parametrize("name", ["franka_hand", "robotiq_2f85"])
def test_positions_rates_and_efforts_agree_with_the_description(name):
    gripper = load_gripper(name)
    joints = GripperJoints(gripper)
    factors = [1.0, *gripper.mimic.values()]
    for opening in np.linspace(0.002, gripper.max_opening - 0.001, 23):
        position, velocity, effort = joints.at(opening, 0.1, 20.0)
        np.testing.assert_allclose(position, gripper.joint_position(opening) * np.array(factors))
        later, _, _ = joints.at(opening + 1e-6 * 0.1, 0.1, 20.0)
        np.testing.assert_allclose(velocity, (later - position) / 1e-6, rtol=0.2)
        assert abs(effort[0]) == pytest.approx(gripper.drive_effort(float(position[0]), 20.0))
        assert effort[0] * velocity[0] > 0, "a force that opens drives the joint in its opening direction"


def test_an_opening_beyond_the_table_is_at_its_end():
    gripper = load_gripper("franka_hand")
    joints = GripperJoints(gripper)
    np.testing.assert_allclose(joints.at(1.0, 0.0, 0.0)[0], [0.04, 0.04])
    np.testing.assert_allclose(joints.at(-1.0, 0.0, 0.0)[0], [0.0, 0.0])
