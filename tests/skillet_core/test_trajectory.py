from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from skillet_core.errors import TrajectoryError
from skillet_core.trajectory import JointTrajectory

NAMES = ("shoulder", "elbow")


def trajectory(**changes) -> JointTrajectory:
    good = JointTrajectory(
        NAMES,
        times=np.array([0.0, 0.5, 1.0]),
        positions=np.array([[0.0, 1.0], [0.1, 1.1], [0.2, 1.2]]),
        velocities=np.zeros((3, 2)),
        accelerations=np.zeros((3, 2)),
    )
    return dataclasses.replace(good, **changes)


def test_a_good_trajectory_passes():
    trajectory().check()
    trajectory(velocities=None, accelerations=None).check()
    assert trajectory().duration == 1.0


@pytest.mark.parametrize("quantity", ["positions", "velocities", "accelerations"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_refused_and_names_joint_and_point(quantity, value):
    bad = np.zeros((3, 2))
    bad[2, 1] = value
    with pytest.raises(TrajectoryError, match=f"{quantity} of elbow at point 2"):
        trajectory(**{quantity: bad}).check()


@pytest.mark.parametrize(
    "times", [[0.0, 0.5, 0.5], [0.0, 1.0, 0.5], [-0.1, 0.5, 1.0], [0.0, float("nan"), 1.0]]
)
def test_times_that_do_not_increase_are_refused(times):
    with pytest.raises(TrajectoryError, match="strictly increasing"):
        trajectory(times=np.array(times)).check()


@pytest.mark.parametrize("quantity", ["positions", "velocities", "accelerations"])
def test_a_wrong_shape_is_refused_with_the_right_one(quantity):
    with pytest.raises(TrajectoryError, match=rf"{quantity} must have shape \(3 points, 2 joints\)"):
        trajectory(**{quantity: np.zeros((3, 3))}).check()


def test_no_points_no_joints_and_a_joint_named_twice_are_refused():
    with pytest.raises(TrajectoryError, match="at least one"):
        trajectory(times=np.zeros(0)).check()
    with pytest.raises(TrajectoryError, match="at least one"):
        trajectory(joint_names=()).check()
    with pytest.raises(TrajectoryError, match="joint named twice: elbow"):
        trajectory(joint_names=("elbow", "elbow")).check()


def test_accelerations_without_velocities_are_refused():
    with pytest.raises(TrajectoryError, match="without velocities"):
        trajectory(velocities=None).check()


def test_reordering_moves_every_quantity_with_its_joint():
    turned = trajectory(velocities=np.array([[1.0, 2.0]] * 3)).reordered(("elbow", "shoulder"))
    assert turned.joint_names == ("elbow", "shoulder")
    assert turned.positions[0].tolist() == [1.0, 0.0]
    assert turned.velocities[0].tolist() == [2.0, 1.0]
    again = turned.reordered(NAMES)
    np.testing.assert_array_equal(again.positions, trajectory().positions)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("shoulder", "wrist"), "unknown joint: elbow; missing joint: wrist"),
        (("shoulder",), "unknown joint: elbow"),
        (("shoulder", "elbow", "wrist"), "missing joint: wrist"),
    ],
)
def test_unknown_and_missing_joints_are_named(names, said):
    with pytest.raises(TrajectoryError, match=said):
        trajectory().reordered(names)
