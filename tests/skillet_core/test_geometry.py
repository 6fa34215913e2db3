from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from skillet_core.geometry import Pose

lengths = st.floats(-10, 10)
poses = st.builds(
    lambda xyz, rotvec: Pose(np.array(xyz), Rotation.from_rotvec(rotvec)),
    st.tuples(lengths, lengths, lengths),
    st.tuples(*[st.floats(-3, 3)] * 3),
)


def assert_same(a: Pose, b: Pose) -> None:
    np.testing.assert_allclose(a.matrix, b.matrix, atol=1e-9)


@given(poses)
def test_a_pose_and_its_inverse_cancel(pose):
    assert_same(pose @ pose.inverse(), Pose.identity())
    assert_same(pose.inverse() @ pose, Pose.identity())


@given(poses, poses, poses)
def test_composition_is_associative(a, b, c):
    assert_same((a @ b) @ c, a @ (b @ c))


@given(poses, poses)
def test_composition_is_the_product_of_matrices(a, b):
    np.testing.assert_allclose((a @ b).matrix, a.matrix @ b.matrix, atol=1e-9)


@given(poses)
def test_matrix_and_quaternion_say_the_same(pose):
    assert_same(Pose.from_matrix(pose.matrix), pose)
    assert_same(Pose.from_quaternion(pose.position, pose.quaternion), pose)


@given(poses, st.tuples(lengths, lengths, lengths))
def test_points_are_mapped_as_the_matrix_does(pose, point):
    expected = pose.matrix @ [*point, 1.0]
    np.testing.assert_allclose(pose.apply(np.array(point)), expected[:3], atol=1e-9)


def test_roll_pitch_yaw_turn_about_fixed_axes_as_in_urdf():
    pose = Pose.from_xyz_rpy([0, 0, 0], [np.pi / 2, 0, np.pi / 2])
    # roll takes y to z; yaw then leaves z where it is
    np.testing.assert_allclose(pose.apply(np.array([0.0, 1.0, 0.0])), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(pose.apply(np.array([1.0, 0.0, 0.0])), [0, 1, 0], atol=1e-12)


def test_quaternions_are_ordered_x_y_z_w():
    half = np.sqrt(0.5)
    turned = Pose.from_quaternion([0, 0, 0], [0, 0, half, half])
    np.testing.assert_allclose(turned.apply(np.array([1.0, 0.0, 0.0])), [0, 1, 0], atol=1e-12)


def test_distance_is_in_metres_and_radians():
    a = Pose.from_xyz_rpy([0, 0, 0])
    b = Pose.from_xyz_rpy([3, 4, 0], [0, 0, 0.5])
    assert a.distance_to(b) == pytest.approx((5.0, 0.5))


@pytest.mark.parametrize("quaternion", [[0, 0, 0, 0], [0, 0, 0, 2], [0, 0, 0, float("nan")], [1, 0, 0]])
def test_what_is_no_rotation_is_refused(quaternion):
    with pytest.raises(ValueError, match="unit length"):
        Pose.from_quaternion([0, 0, 0], quaternion)


@pytest.mark.parametrize("position", [[0, 0], [0, 0, float("nan")], [0, 0, float("inf")]])
def test_what_is_no_position_is_refused(position):
    with pytest.raises(ValueError, match="three finite numbers"):
        Pose(np.array(position))


def test_a_pose_does_not_change_with_the_callers_array():
    position = np.zeros(3)
    pose = Pose(position)
    position[0] = 1.0
    assert pose.position[0] == 0.0
