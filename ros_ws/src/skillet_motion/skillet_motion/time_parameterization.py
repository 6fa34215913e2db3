"""Joint paths become trajectories: as fast as the limits allow, smooth, and exact at both ends.

Three steps. TOPP-RA (Pham and Pham, "A new approach to time-optimal path parameterization based on
reachability analysis", 2018) finds the fastest timing of the path, whose accelerations jump. Averages of
the way covered over a moving window of time soften it. Positions at even times then become the control
points of a cubic B-spline in time: its velocities, accelerations and jerks are averages of the control
points' differences, so that what these do not exceed, the spline does not; what they do is removed by
stretching time. The quintic that the joint trajectory controller lays through the spline's knots is the
spline itself.

A straight segment needs none of this: see `skillet_motion.jerk_limited`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
import toppra
from scipy.interpolate import BSpline, CubicSpline

from skillet_core.errors import PlanningError
from skillet_core.geometry import Array
from skillet_core.trajectory import JointTrajectory

SAMPLE_PERIOD = 0.015
"""Time between the points of a trajectory [s]; a stretched one's are farther apart."""
_SHORTEST = 1e-6
"""TOPP-RA's tolerances are absolute, and too coarse for shorter paths; one period is enough for these."""
_GRID, _PROBES = 80, 300
_CURVATURE_SHARE = 0.5
_WINDOWS = 8


class JointPath(Protocol):
    """A twice differentiable curve through joint space over a parameter, without a notion of time."""

    def __call__(self, parameter: Array, order: int = 0) -> Array:
        """Return the ``order``-th derivative at parameters, shape (k,) → (k, n) [rad]."""


class _GeometricPath(toppra.interpolator.AbstractGeometricPath):  # type: ignore[misc]
    """A `JointPath` as TOPP-RA wants it."""

    def __init__(self, path: JointPath, end: float, dof: int) -> None:
        self._path, self._end, self._dof = path, end, dof

    def __call__(self, path_positions: Array, order: int = 0) -> Array:
        return self._path(path_positions, order)

    @property
    def dof(self) -> int:
        return self._dof

    @property
    def path_interval(self) -> Array:
        return np.array([0.0, self._end])


def rounded_path(waypoints: Array, spacing: float) -> tuple[BSpline, float]:
    """Round the corners of a polyline with a cubic B-spline that stays on its straight parts.

    The control points lie on the polyline, ``spacing`` apart. A cubic B-spline stays within the hull of
    four neighbouring control points, so straight parts are kept exactly and a corner is cut by at most
    ``spacing / 3``. The end points are met, with no curvature.

    Args:
        waypoints: shape (k, n), k >= 2 [rad], no two neighbours equal.
        spacing: distance between control points [rad].

    Returns:
        The curve and the end of its parameter range, which begins at 0.
    """
    lengths = np.linalg.norm(np.diff(waypoints, axis=0), axis=1)
    control = [waypoints[:1]]
    for start, end, length in zip(waypoints, waypoints[1:], lengths, strict=False):
        count = max(2, int(np.ceil(length / spacing)))
        control.append(start + np.linspace(0, 1, count + 1)[1:, None] * (end - start))
    points = np.concatenate(control)
    # One mirrored point beyond each end makes the curve pass through the end points.
    points = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    end_parameter = len(points) - 3
    knots = np.arange(-3, end_parameter + 4, dtype=np.float64)
    scale = float(lengths.sum()) / end_parameter
    return BSpline(knots * scale, points, 3), end_parameter * scale


def interpolated_path(points: Array) -> tuple[CubicSpline, float]:
    """Lay a cubic spline through dense points of a smooth curve, parameterised by joint distance.

    Args:
        points: shape (k, n), k >= 2 [rad], no two neighbours equal.

    Returns:
        The curve and the end of its parameter range, which begins at 0.
    """
    parameter = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return CubicSpline(parameter, points, bc_type="natural"), float(parameter[-1])


def parameterize(
    path: JointPath,
    end: float,
    joint_names: tuple[str, ...],
    *,
    velocity: Array,
    acceleration: Array,
    jerk: Array,
) -> JointTrajectory:
    """Time a path within limits, from rest to rest.

    Args:
        path: the curve over the parameter range [0, end].
        end: end of the parameter range, about the path's length [rad]; 0: it rests at its start.
        joint_names: n names.
        velocity: limits, shape (n,), > 0 [rad/s].
        acceleration: limits, shape (n,), > 0 [rad/s^2].
        jerk: limits, shape (n,), > 0 [rad/s^3].

    Returns:
        Points at even times with positions, velocities and accelerations. The quintic interpolation
        between them exceeds no limit. It begins and ends on the path, and leaves it by no more than
        ``period**2 / 6`` times the acceleration, in each joint.

    Raises:
        PlanningError: the path has no timing, e.g. because it contains NaN.
    """
    if not (0.0 <= end < np.inf and np.isfinite(path(np.array([0.0, end]))).all()):
        msg = f"the path found cannot be timed: it is not finite between 0 and its end, {end}"
        raise PlanningError(msg)
    covered, period = _fastest(path, end, velocity, acceleration)
    longest = min(np.ceil(float(np.max(2 * acceleration / jerk)) / period), len(covered))
    counts = np.unique(np.geomspace(1, max(1, longest), _WINDOWS).round().astype(np.intp))
    limits = (velocity, acceleration, jerk)
    controls = [path(_averaged(covered, int(count))) for count in counts]
    # A longer average takes more time itself, but leaves less to stretch.
    periods = [period * _stretch(control, period, limits) for control in controls]
    best = int(np.argmin([(len(each) - 3) * step for each, step in zip(controls, periods, strict=True)]))
    return _spline(controls[best], periods[best], joint_names)


def at_rest(positions: Array, joint_names: tuple[str, ...]) -> JointTrajectory:
    """Return the trajectory that stays at positions, shape (n,) [rad], for one `SAMPLE_PERIOD`."""
    zero = np.zeros((2, len(joint_names)))
    return JointTrajectory(joint_names, np.array([0.0, SAMPLE_PERIOD]), positions + zero, zero, zero)


def _averaged(covered: Array, count: int) -> Array:
    """Average ``count`` neighbours, shape (k,), and repeat the ends to begin and end a spline at rest."""
    padded = np.pad(covered, count + 1, "edge")
    parameters = np.convolve(padded, np.full(count, 1 / count), "valid")
    parameters[:3], parameters[-3:] = covered[0], covered[-1]
    return parameters


def _stretch(control: Array, period: float, limits: Sequence[Array]) -> float:
    """Return by what a spline's time must be stretched, at least 1.

    Args:
        control: points of a cubic B-spline, shape (k, n) [rad].
        period: between its knots [s].
        limits: of velocity, acceleration and jerk, each of shape (n,).
    """
    stretch, change = 1.0, control
    for order, limit in enumerate(limits, start=1):
        change = np.diff(change, axis=0) / period
        stretch = max(stretch, float(np.max(np.abs(change) / limit)) ** (1 / order))
    return stretch


def _spline(control: Array, period: float, joint_names: tuple[str, ...]) -> JointTrajectory:
    """Return a cubic B-spline's values at its knots; three control points agree at each end."""
    before, at, after = control[:-2], control[1:-1], control[2:]
    positions = (before + 4 * at + after) / 6
    positions[[0, -1]] = control[[0, -1]]
    velocities = (after - before) / (2 * period)
    accelerations = (before - 2 * at + after) / period**2
    # Rounding must not pass for motion.
    velocities[[0, -1]] = accelerations[[0, -1]] = 0.0
    return JointTrajectory(
        joint_names, np.arange(len(at), dtype=np.float64) * period, positions, velocities, accelerations
    )


def _fastest(path: JointPath, end: float, velocity: Array, acceleration: Array) -> tuple[Array, float]:
    """Follow a path as fast as limits of velocity and acceleration, each of shape (n,), allow.

    Returns:
        Parameters reached at even times, shape (k,), 0 and ``end`` included, and the time between them.
    """
    if end < _SHORTEST:
        return np.array([0.0, end]), SAMPLE_PERIOD
    grid = _grid(path, end)
    solver = toppra.algorithm.TOPPRA(
        _constraints(tuple(velocity), tuple(acceleration)),
        _GeometricPath(path, end, len(velocity)),
        gridpoints=grid,
        solver_wrapper="seidel",
    )
    _, speeds, _ = solver.compute_parameterization(0.0, 0.0)
    # Two neighbouring grid points at rest would never be left.
    if speeds is None or not np.isfinite(speeds).all() or (speeds[:-1] + speeds[1:] <= 0).any():
        msg = "the path found cannot be timed within the joints' velocity and acceleration limits"
        raise PlanningError(msg)
    # Between grid points the acceleration of the parameter is constant.
    steps = 2 * np.diff(grid) / (speeds[:-1] + speeds[1:])
    starts = np.concatenate([[0.0], np.cumsum(steps)])
    duration = float(starts[-1])
    count = int(np.ceil(duration / SAMPLE_PERIOD))
    period = max(duration / count, SAMPLE_PERIOD / 2)
    times = np.minimum(np.arange(count + 1) * period, duration)
    index = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, len(steps) - 1)
    since = times - starts[index]
    slope = (speeds[index + 1] - speeds[index]) / steps[index]
    parameters = grid[index] + (speeds[index] + slope * since / 2) * since
    parameters[-1] = end
    return parameters, period


def _grid(path: JointPath, end: float) -> Array:
    """Spread TOPP-RA's grid points evenly by one half, and where the path is curved by the other."""
    probes = np.linspace(0.0, end, _PROBES + 1)
    bends = np.pad(np.linalg.norm(path(probes, 2), axis=1), 1, "edge")
    bend = np.maximum.reduce([bends[:-3], bends[1:-2], bends[2:-1], bends[3:]])  # around each interval
    mean = float(bend.mean())
    density = 1 + (_CURVATURE_SHARE / (1 - _CURVATURE_SHARE)) * (bend / mean if mean > 0 else 0.0)
    share = np.concatenate([[0.0], np.cumsum(density + np.zeros(_PROBES))])
    grid = np.interp(np.linspace(0.0, share[-1], _GRID + 1), share, probes)
    grid[-1] = end
    return grid


@lru_cache(maxsize=16)
def _constraints(velocity: tuple[float, ...], acceleration: tuple[float, ...]) -> list[object]:
    """Make TOPP-RA's constraints, which costs about as much as a quarter of its solution."""
    speeds, pushes = np.array(velocity), np.array(acceleration)
    return [
        toppra.constraint.JointVelocityConstraint(np.stack([-speeds, speeds], axis=1)),
        toppra.constraint.JointAccelerationConstraint(
            np.stack([-pushes, pushes], axis=1),
            discretization_scheme=toppra.constraint.DiscretizationType.Interpolation,
        ),
    ]
