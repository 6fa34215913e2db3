from __future__ import annotations

import numpy as np
import pytest
from quintic import Limits, assert_timed, derivative, peak_ratios
from scipy.spatial import cKDTree

from skillet_core.errors import PlanningError
from skillet_core.trajectory import JointTrajectory
from skillet_motion.time_parameterization import (
    SAMPLE_PERIOD,
    at_rest,
    interpolated_path,
    parameterize,
    rounded_path,
)

LIMITS = Limits(np.full(3, 2.0), np.array([8.0, 4.0, 12.0]), np.full(3, 400.0))
NAMES = ("a", "b", "c")


def timed(path, end, limits=LIMITS):
    names = tuple(f"joint_{number}" for number in range(len(limits.velocity)))
    return parameterize(path, end, names, **limits._asdict())


def rounded(rng, dof):
    """A polyline of three to six waypoints with rounded corners."""
    waypoints = rng.uniform(-1, 1, (rng.integers(3, 7), dof)) * rng.choice([0.2, 1.0, 1.5])
    return rounded_path(waypoints, rng.choice([0.3, 0.12, 0.04]))


def smooth(rng, dof):
    """A curve as a line in Cartesian space makes: a slope and a bow in every joint."""
    share = np.linspace(0, 1, rng.integers(8, 60))[:, None]
    bow = np.sin(np.pi * share * rng.uniform(0.3, 1.5, dof) + rng.uniform(0, 3, dof))
    return interpolated_path(rng.uniform(-0.8, 0.8, dof) * share + rng.uniform(-0.25, 0.25, dof) * bow)


def distances(points, path, end):
    """How far points, shape (k, n), are from a curve, laid as a fine polyline."""
    corners = path(np.linspace(0.0, end, 3001))
    nearest = np.clip(cKDTree(corners).query(points)[1], 1, len(corners) - 2)
    found = []
    for begin, finish in ((nearest - 1, nearest), (nearest, nearest + 1)):
        along, away = corners[finish] - corners[begin], points - corners[begin]
        share = np.clip(np.sum(away * along, axis=1) / np.sum(along**2, axis=1), 0.0, 1.0)
        found.append(np.linalg.norm(away - share[:, None] * along, axis=1))
    return np.minimum(*found)


@pytest.mark.parametrize("robot_name", ["panda", "ur5e"])
@pytest.mark.parametrize("shape", [rounded, smooth])
def test_of_two_hundred_random_paths_none_exceeds_a_limit_or_is_left(robot_name, shape):
    # with the straight segments of test_jerk_limited a thousand in all
    rng, full = np.random.default_rng(10), Limits.of(robot_name)
    for _ in range(200):
        limits = full.scaled(rng)
        path, end = shape(rng, len(limits.velocity))
        trajectory = timed(path, end, limits)
        assert_timed(trajectory, path(0.0), path(end), limits)
        period = trajectory.times[1]
        points = derivative(trajectory, 0, per_segment=3).reshape(-1, len(limits.velocity))
        bound = np.linalg.norm(limits.acceleration) * period**2 / 6
        assert distances(points, path, end).max() <= bound + 1e-4


def test_velocities_and_accelerations_are_the_derivatives_of_the_positions():
    trajectory = timed(*rounded_path(np.array([[0.0, 0.0, 0.0], [0.6, -0.9, 0.3], [1.0, 0.3, 0.5]]), 0.12))
    step = trajectory.times[1] - trajectory.times[0]
    middle = (trajectory.positions[2:] - trajectory.positions[:-2]) / (2 * step)
    np.testing.assert_allclose(middle, trajectory.velocities[1:-1], atol=0.02)


def test_a_straight_motion_is_nearly_as_fast_as_the_limits_allow():
    distance = 1.0
    trajectory = timed(*rounded_path(np.array([np.zeros(3), [distance, 0.0, 0.0]]), 0.3))
    fastest = distance / LIMITS.velocity[0] + LIMITS.velocity[0] / LIMITS.acceleration[0]
    assert fastest <= trajectory.duration <= 1.1 * fastest


def test_halving_the_velocity_limit_slows_a_long_motion_down():
    path, end = rounded_path(np.array([np.zeros(3), [2.0, 0.0, 0.0]]), 0.3)
    half = LIMITS._replace(velocity=LIMITS.velocity / 2)
    assert timed(path, end, half).duration > 1.6 * timed(path, end).duration


def test_lower_jerk_limits_slow_a_motion_down_without_cutting_its_corner():
    path, end = rounded_path(np.array([[0.0, 0.0, 0.0], [0.6, -0.9, 0.3], [1.0, 0.3, 0.5]]), 0.12)
    durations = []
    for jerk in (400.0, 40.0, 4.0, 0.4):
        limits = LIMITS._replace(jerk=np.full(3, jerk))
        trajectory = timed(path, end, limits)
        assert_timed(trajectory, path(0.0), path(end), limits)
        assert distances(trajectory.positions, path, end).max() < 2e-3
        durations.append(trajectory.duration)
    assert (np.diff(durations) > 0).all()


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-7, 1e-4])
def test_a_tiny_path_is_timed_too(size):
    path, end = interpolated_path(np.array([np.zeros(3), [1.0, 0.5, 0.0]]))
    trajectory = timed(path, end * size)
    assert_timed(trajectory, path(0.0), path(end * size), LIMITS)
    assert trajectory.duration < 0.1


def test_one_joint_may_move_alone():
    path, end = rounded_path(np.array([np.zeros(3), [0.0, 0.4, 0.0], [0.0, 0.1, 0.0]]), 0.1)
    trajectory = timed(path, end)
    assert_timed(trajectory, path(0.0), path(end), LIMITS)
    assert not trajectory.positions[:, [0, 2]].any()


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


@pytest.mark.parametrize("nan_from", [0.0, 0.5])
def test_a_path_with_nan_has_no_timing(nan_from):
    def path(parameter, *_):
        return np.where(np.asarray(parameter)[..., None] < nan_from, np.zeros(3), np.nan)

    with pytest.raises(PlanningError, match="cannot be timed"):
        timed(path, 1.0)
    with pytest.raises(PlanningError, match="cannot be timed"):
        timed(path, np.nan)


def test_peaks_between_the_points_are_seen():
    times, still = np.array([0.0, 1.0]), np.zeros((2, 1))
    trajectory = JointTrajectory(("a",), times, np.array([[0.0], [1.0]]), still, still)
    # a quintic from rest to rest peaks at 15/8 of its mean speed, 10 / sqrt(3) of that over its duration,
    # and 60 of that once more
    peaks = peak_ratios(trajectory, np.ones(1), np.ones(1), np.ones(1))
    assert peaks == pytest.approx((1.875, 10 / np.sqrt(3), 60.0), rel=0.03)
