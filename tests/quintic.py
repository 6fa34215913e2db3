"""The quintic through a trajectory's points, evaluated apart from the code under test; random limits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skillet_core.robot import load_robot

_ORDERS = np.arange(6)


class Limits(NamedTuple):
    velocity: np.ndarray
    acceleration: np.ndarray
    jerk: np.ndarray

    @classmethod
    def of(cls, robot_name):
        robot = load_robot(robot_name)
        jerk = np.array([joint.limits.jerk for joint in robot.joints])
        return cls(robot.max_velocity, robot.max_acceleration, jerk)

    def scaled(self, rng):
        """Lower them as a request may, and the jerk besides."""
        return Limits(
            self.velocity * rng.uniform(0.05, 1.0),
            self.acceleration * rng.uniform(0.1, 1.0),
            self.jerk * rng.choice([1.0, rng.uniform(0.05, 1.0)]),
        )


def _rows(shares, derivative):
    """Rows that turn coefficients over a segment into a derivative at shares of it, shape (k, 6)."""
    factors = np.prod([_ORDERS - k for k in range(derivative)], axis=0) if derivative else np.ones(6)
    return factors * np.asarray(shares)[:, None] ** np.maximum(_ORDERS - derivative, 0)


def derivative(trajectory, order, per_segment=9):
    """A derivative of the quintic at even shares of every segment, shape (k - 1, per_segment, n)."""
    steps = np.diff(trajectory.times)[:, None]
    origin = trajectory.positions[:-1]
    quantities = (trajectory.positions, trajectory.velocities, trajectory.accelerations)
    ends = [
        (values[side] - (origin if number == 0 else 0.0)) * steps**number
        for side in (slice(None, -1), slice(1, None))
        for number, values in enumerate(quantities)
    ]
    meets = np.concatenate([_rows([side], number) for side in (0.0, 1.0) for number in range(3)])
    coefficients = np.linalg.solve(meets, np.reshape(ends, (6, -1)))
    values = _rows(np.linspace(0.0, 1.0, per_segment), order) @ coefficients
    shaped = np.moveaxis(values.reshape(per_segment, *origin.shape), 0, 1)
    return shaped / steps[:, None] ** order + (origin[:, None] if order == 0 else 0.0)


def peak_ratios(trajectory, velocity, acceleration, jerk):
    """The largest shares of the three limits that a trajectory uses anywhere."""
    limits = enumerate((velocity, acceleration, jerk), start=1)
    return tuple(float(np.max(np.abs(derivative(trajectory, order)) / limit)) for order, limit in limits)


def assert_timed(trajectory, start, end, limits):
    """From rest at start to rest at end, no limit exceeded by more than a thousandth."""
    trajectory.check()
    np.testing.assert_allclose(trajectory.positions[[0, -1]], [start, end], rtol=0, atol=1e-12)
    for values in (trajectory.velocities, trajectory.accelerations):
        assert not values[[0, -1]].any()
    assert max(peak_ratios(trajectory, *limits)) <= 1.001
