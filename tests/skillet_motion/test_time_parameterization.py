from __future__ import annotations

import numpy as np
import pytest

from skillet_core.errors import PlanningError
from skillet_core.trajectory import JointTrajectory
from skillet_motion.time_parameterization import (
    SAMPLE_PERIOD,
    at_rest,
    interpolated_path,
    parameterize,
    peak_ratios,
    rounded_path,
)

VELOCITY, ACCELERATION, JERK = np.full(3, 2.0), np.array([8.0, 4.0, 12.0]), np.full(3, 400.0)
NAMES = ("a", "b", "c")


def timed(path, end, velocity=VELOCITY, acceleration=ACCELERATION):
    return parameterize(path, end, NAMES, velocity=velocity, acceleration=acceleration, jerk=JERK)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("corners", [2, 3, 6])
def test_the_quintic_between_the_points_stays_within_a_thousandth_of_the_limits(seed, corners):
    waypoints = np.random.default_rng(seed).uniform(-1.5, 1.5, (corners, 3))
    trajectory = timed(*rounded_path(waypoints, 0.12))
    worst_velocity, worst_acceleration = peak_ratios(trajectory, VELOCITY, ACCELERATION)
    assert worst_velocity <= 1.001
    assert worst_acceleration <= 1.001


def test_a_motion_begins_and_ends_at_rest_exactly_at_its_ends():
    waypoints = np.array([[0.0, 0.0, 0.0], [0.5, -0.2, 0.1], [1.0, 0.3, -0.4]])
    trajectory = timed(*rounded_path(waypoints, 0.1))
    trajectory.check()
    np.testing.assert_allclose(trajectory.positions[[0, -1]], waypoints[[0, -1]], atol=1e-12)
    assert not trajectory.velocities[[0, -1]].any()
    assert not trajectory.accelerations[[0, -1]].any()


def test_velocities_and_accelerations_are_the_derivatives_of_the_positions():
    trajectory = timed(*rounded_path(np.array([[0.0, 0.0, 0.0], [0.6, -0.9, 0.3], [1.0, 0.3, 0.5]]), 0.12))
    step = trajectory.times[1] - trajectory.times[0]
    middle = (trajectory.positions[2:] - trajectory.positions[:-2]) / (2 * step)
    np.testing.assert_allclose(middle, trajectory.velocities[1:-1], atol=0.02)


def test_a_straight_motion_is_nearly_as_fast_as_the_limits_allow():
    distance = 1.0
    trajectory = timed(*rounded_path(np.array([np.zeros(3), [distance, 0.0, 0.0]]), 0.3))
    fastest = distance / VELOCITY[0] + VELOCITY[0] / ACCELERATION[0]
    assert fastest <= trajectory.duration <= 1.2 * fastest


def test_halving_the_velocity_limit_slows_a_long_motion_down():
    path, end = rounded_path(np.array([np.zeros(3), [2.0, 0.0, 0.0]]), 0.3)
    assert timed(path, end, velocity=VELOCITY / 2).duration > 1.6 * timed(path, end).duration


def test_rounding_keeps_straight_parts_and_cuts_a_corner_by_a_third_of_the_spacing_at_most():
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    path, end = rounded_path(corner, 0.2)
    points = path(np.linspace(0.0, end, 400))
    to_first, to_second = np.abs(points[:, 1]), np.abs(points[:, 0] - 1.0)
    assert np.minimum(to_first, to_second).max() <= 0.2 / 3
    np.testing.assert_allclose(points[points[:, 0] < 0.7, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(points[[0, -1]], corner[[0, -1]], atol=1e-12)


def test_an_interpolated_path_goes_through_its_points():
    points = np.stack([np.sin(np.linspace(0, 1, 12) * k) for k in (1, 2, 3)], axis=1)
    path, end = interpolated_path(points)
    assert end > 0
    np.testing.assert_allclose(path(path.x), points, atol=1e-12)


def test_staying_where_it_is_is_two_points_at_rest():
    trajectory = at_rest(np.array([0.1, 0.2, 0.3]), NAMES)
    trajectory.check()
    np.testing.assert_allclose(trajectory.positions, [[0.1, 0.2, 0.3]] * 2)
    assert trajectory.duration == SAMPLE_PERIOD


def test_a_path_with_nan_has_no_timing():
    with pytest.raises(PlanningError, match="cannot be timed"):
        timed(lambda parameter, *_: np.full((len(parameter), 3), np.nan), 1.0)


def test_peaks_between_the_points_are_seen():
    times, still = np.array([0.0, 1.0]), np.zeros((2, 1))
    trajectory = JointTrajectory(("a",), times, np.array([[0.0], [1.0]]), still, still)
    # a quintic from rest to rest peaks at 15/8 of its mean speed and 5.7735 times its mean acceleration
    worst_velocity, worst_acceleration = peak_ratios(trajectory, np.ones(1), np.ones(1))
    assert 1.7 < worst_velocity <= 1.875
    assert 5.0 < worst_acceleration <= 5.7736
