"""Splines pass through their points with the derivatives that these carry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline

from skillet_control.spline import Spline

TIMES = np.array([0.5, 1.0, 2.5, 2.75])


@pytest.fixture
def points() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    return tuple(generator.normal(size=(3, 4, 2)))


def test_positions_alone_are_joined_by_straight_lines(points):
    spline = Spline(TIMES, points[0])
    for time in np.linspace(0.5, 2.74, 50):
        expected = [np.interp(time, TIMES, points[0][:, j]) for j in range(2)]
        np.testing.assert_allclose(spline.sample(time).position, expected, atol=1e-12)
    np.testing.assert_allclose(spline.sample(1.5).velocity, (points[0][2] - points[0][1]) / 1.5)


def test_with_velocities_it_is_the_cubic_hermite_interpolant(points):
    spline = Spline(TIMES, points[0], points[1])
    expected = CubicHermiteSpline(TIMES, points[0], points[1])
    for time in np.linspace(0.5, 2.7499, 60):
        setpoint = spline.sample(time)
        np.testing.assert_allclose(setpoint.position, expected(time), atol=1e-11)
        np.testing.assert_allclose(setpoint.velocity, expected(time, 1), atol=1e-10)
        np.testing.assert_allclose(setpoint.acceleration, expected(time, 2), atol=1e-8)


def test_with_accelerations_it_meets_all_three_from_both_sides(points):
    spline = Spline(TIMES, *points)
    for k, time in enumerate(TIMES[:-1]):
        after = spline.sample(time)
        for value, given in zip((after.position, after.velocity, after.acceleration), points, strict=True):
            np.testing.assert_allclose(value, given[k], atol=1e-9)
    for k, time in enumerate(TIMES[1:], start=1):
        before = spline.sample(time - 1e-9)
        for value, given in zip((before.position, before.velocity, before.acceleration), points, strict=True):
            np.testing.assert_allclose(value, given[k], atol=2e-5)


def test_it_rests_before_its_first_and_after_its_last_point(points):
    spline = Spline(TIMES, points[0], points[1])
    for time, k in ((0.0, 0), (2.75, -1), (9.0, -1)):
        np.testing.assert_array_equal(spline.sample(time).position, points[0][k])
        np.testing.assert_array_equal(spline.sample(time).velocity, 0.0)


def test_points_are_met_to_the_last_bit(points):
    spline = Spline(TIMES, points[0], points[1])
    for time, position in zip(TIMES, points[0], strict=True):
        np.testing.assert_array_equal(spline.sample(time).position, position)


def test_a_scan_is_what_sampling_gives(points):
    spline = Spline(TIMES, *points)
    times, values = spline.scan(5)
    assert values.shape == (3, 5, 3, 2)
    for k in range(3):
        for m in range(4):
            setpoint = spline.sample(times[k, m])
            np.testing.assert_allclose(values[k, m, 0], setpoint.position, atol=1e-9)
            np.testing.assert_allclose(values[k, m, 1], setpoint.velocity, atol=1e-9)
            np.testing.assert_allclose(values[k, m, 2], setpoint.acceleration, atol=1e-8)


def test_a_single_point_is_a_place_to_rest():
    spline = Spline(np.array([0.0]), np.array([[1.0, 2.0]]))
    np.testing.assert_array_equal(spline.sample(0.0).position, [1.0, 2.0])
    assert spline.scan(3)[1].size == 0
