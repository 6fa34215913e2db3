"""Interpolation between trajectory points: linear, cubic or quintic, by what the points carry."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

import numpy as np

from skillet_core.geometry import Array


@dataclass(frozen=True, eq=False)
class Setpoint:
    """Where joints shall be at one time. Every array has shape (n,): [rad], [rad/s], [rad/s^2]."""

    position: Array
    velocity: Array
    acceleration: Array


def _coefficients(
    times: Array, positions: Array, velocities: Array | None, accelerations: Array | None
) -> Array:
    """Return polynomials of the local time of each segment, shape (k - 1, 6, n), lowest order first.

    They match the points' positions; with velocities these too (cubic), and with accelerations these
    too (quintic): the Hermite interpolants.
    """
    h = np.diff(times)[:, np.newaxis]
    p0, p1 = positions[:-1], positions[1:]
    out = np.zeros((len(times) - 1, 6, positions.shape[1]))
    out[:, 0] = p0
    if velocities is None:
        out[:, 1] = (p1 - p0) / h
        return out
    v0, v1 = velocities[:-1], velocities[1:]
    out[:, 1] = v0
    if accelerations is None:
        out[:, 2] = (3 * (p1 - p0) / h - 2 * v0 - v1) / h
        out[:, 3] = (2 * (p0 - p1) / h + v0 + v1) / h**2
        return out
    a0, a1 = accelerations[:-1], accelerations[1:]
    # what the first three terms leave of position, velocity and acceleration at the segment's end
    rest = p1 - p0 - v0 * h - a0 * h**2 / 2
    rest_v = (v1 - v0 - a0 * h) * h
    rest_a = (a1 - a0) * h**2
    out[:, 2] = a0 / 2
    out[:, 3] = (10 * rest - 4 * rest_v + rest_a / 2) / h**3
    out[:, 4] = (-15 * rest + 7 * rest_v - rest_a) / h**4
    out[:, 5] = (6 * rest - 3 * rest_v + rest_a / 2) / h**5
    return out


def _powers(t: float) -> Array:
    """Return the rows that turn coefficients into position, velocity and acceleration, shape (3, 6)."""
    t2 = t * t
    t3 = t2 * t
    t4 = t3 * t
    return np.array(
        (
            (1.0, t, t2, t3, t4, t4 * t),
            (0.0, 1.0, 2 * t, 3 * t2, 4 * t3, 5 * t4),
            (0.0, 0.0, 2.0, 6 * t, 12 * t2, 20 * t3),
        )
    )


class Spline:
    """A curve through points; constant before the first and after the last."""

    def __init__(
        self,
        times: Array,
        positions: Array,
        velocities: Array | None = None,
        accelerations: Array | None = None,
    ) -> None:
        """Interpolate.

        Args:
            times: shape (k,), strictly increasing [s].
            positions: shape (k, n) [rad].
            velocities: shape (k, n) [rad/s]; None: linear.
            accelerations: shape (k, n) [rad/s^2]; None: cubic at most.
        """
        self._times = times.tolist()
        self._segments = _coefficients(times, positions, velocities, accelerations)
        still = np.zeros(positions.shape[1])
        self._first = Setpoint(positions[0].copy(), still, still)
        self._last = Setpoint(positions[-1].copy(), still, still)

    @property
    def start(self) -> float:
        """Time of the first point [s]."""
        return float(self._times[0])

    @property
    def end(self) -> float:
        """Time of the last point [s]."""
        return float(self._times[-1])

    def sample(self, time: float) -> Setpoint:
        """Return the curve at a time [s]."""
        if time >= self._times[-1]:
            return self._last
        if time < self._times[0]:
            return self._first
        segment = bisect.bisect_right(self._times, time) - 1
        rows = _powers(time - self._times[segment]) @ self._segments[segment]
        return Setpoint(rows[0], rows[1], rows[2])

    def scan(self, per_segment: int) -> tuple[Array, Array]:
        """Sample every segment evenly, its ends included.

        Returns:
            Times, shape (k - 1, m), and values, shape (k - 1, m, 3, n): position, velocity,
            acceleration.
        """
        times = np.array(self._times)
        share = np.linspace(0.0, 1.0, per_segment)
        local = np.diff(times)[:, np.newaxis] * share
        t = local[..., np.newaxis]
        order = np.arange(6)
        powers = t**order
        first = order * t ** np.maximum(order - 1, 0)
        second = order * (order - 1) * t ** np.maximum(order - 2, 0)
        rows = np.stack([powers, first, second], axis=2)
        return times[:-1, np.newaxis] + local, np.einsum("kmro,kon->kmrn", rows, self._segments)
