from __future__ import annotations

import numpy as np
import pytest
from quintic import Limits, assert_timed, derivative, peak_ratios

from skillet_core.errors import PlanningError
from skillet_motion.jerk_limited import PHASE_MIN, straight
from skillet_motion.time_parameterization import SAMPLE_PERIOD, parameterize, rounded_path

LIMITS = Limits(np.full(3, 2.0), np.array([8.0, 4.0, 12.0]), np.array([200.0, 100.0, 300.0]))
NAMES = ("a", "b", "c")
START = np.array([0.3, -1.2, 2.5])


def timed(delta, limits=LIMITS, start=START):
    names = tuple(f"joint_{number}" for number in range(len(start)))
    return straight(start, start + np.array(delta), names, **limits._asdict())


@pytest.mark.parametrize("robot_name", ["panda", "ur5e"])
def test_of_a_hundred_random_segments_none_exceeds_a_limit_or_leaves_its_line(robot_name):
    rng, full = np.random.default_rng(20), Limits.of(robot_name)
    for _ in range(100):
        limits = full.scaled(rng)
        start = rng.uniform(-2.5, 2.5, len(limits.velocity))
        delta = rng.uniform(-1, 1, len(start)) * 10 ** rng.uniform(-7, 0.4)
        trajectory = timed(delta, limits, start)
        assert_timed(trajectory, start, start + delta, limits)
        steps = np.diff(trajectory.times)
        assert PHASE_MIN * 0.999 <= steps.min() <= steps.max() <= SAMPLE_PERIOD * 1.001
        away = derivative(trajectory, 0) - start
        along = away @ delta / (delta @ delta)
        np.testing.assert_allclose(away, along[..., None] * delta, rtol=0, atol=1e-12)
        assert (np.diff(along.ravel()) > -1e-9).all()


def test_a_long_segment_takes_the_least_time_there_is():
    distance = 3.0
    trajectory = timed([distance, 0.0, 0.0])
    velocity, acceleration, jerk = (limit[0] for limit in LIMITS)
    least = distance / velocity + velocity / acceleration + acceleration / jerk
    assert trajectory.duration == pytest.approx(least, rel=1e-9)
    assert peak_ratios(trajectory, *LIMITS) == pytest.approx((1.0, 1.0, 1.0))


def test_a_short_segment_takes_the_least_time_there_is():
    distance = 0.01
    least = (32 * distance / LIMITS.jerk[0]) ** (1 / 3)  # four phases of nothing but full jerk
    assert timed([distance, 0.0, 0.0]).duration == pytest.approx(least, rel=1e-9)


def test_the_joint_that_takes_longest_sets_the_pace_for_all():
    alone, together = timed([0.0, 0.8, 0.0]), timed([0.1, 0.8, -0.3])
    assert together.duration == pytest.approx(alone.duration)
    shares = (together.positions - START) / np.array([0.1, 0.8, -0.3])
    np.testing.assert_allclose(shares, shares[:, :1] + np.zeros(3), atol=1e-12)


def test_it_is_no_slower_than_timing_the_same_segment_as_a_curve():
    for distance in (0.02, 0.2, 2.0):
        waypoints = np.array([START, START + distance])
        curve = parameterize(*rounded_path(waypoints, 0.3), NAMES, **LIMITS._asdict())
        assert timed(waypoints[1] - waypoints[0]).duration <= curve.duration


def test_going_nowhere_is_two_points_at_rest():
    trajectory = timed([0.0, 0.0, 0.0])
    trajectory.check()
    np.testing.assert_array_equal(trajectory.positions, [START, START])
    assert not trajectory.velocities.any()


@pytest.mark.parametrize("distance", [1e-3, 1e-7, 1e-12])
def test_tiny_segments_are_timed_too(distance):
    trajectory = timed([distance, 0.0, -distance / 3])
    assert_timed(trajectory, START, START + np.array([distance, 0.0, -distance / 3]), LIMITS)
    assert 4 * PHASE_MIN - 1e-9 <= trajectory.duration < 0.1


def test_ends_that_are_not_finite_are_refused():
    with pytest.raises(PlanningError, match="finite ends"):
        timed([np.nan, 0.0, 0.0])
