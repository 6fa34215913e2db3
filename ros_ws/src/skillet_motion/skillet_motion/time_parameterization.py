"""Joint paths become trajectories: as fast as the limits allow, smooth, and exact at both ends.

Three steps. TOPP-RA (Pham and Pham, "A new approach to time-optimal path parameterization based on
reachability analysis", 2018) finds the fastest timing of the path, whose accelerations jump. A moving
average over time then rounds the jumps: an average of admissible velocities (accelerations) is
admissible, so no limit is lost, and the jerk becomes finite. What numerical excess remains is measured
on the very curve that the controller will follow, and removed by stretching time.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import toppra
from scipy.interpolate import BSpline, CubicSpline

from skillet_core.errors import PlanningError
from skillet_core.geometry import Array
from skillet_core.trajectory import JointTrajectory

SAMPLE_PERIOD = 0.02
"""Time between the points of a trajectory [s]."""
RAMP_MIN = 0.02
"""Shortest time to build up full acceleration [s], where the jerk limits would allow less: five periods of
a 250 Hz controller, which would follow a steeper ramp as a jump."""
HEADROOM = 0.99
"""Share of the limits given to TOPP-RA, which overshoots between its grid points."""
EXCESS = 1e-3
"""Relative excess over a limit that is left as numerical noise."""
_GRID_STEP, _GRID_MIN, _GRID_MAX = 0.02, 40, 300
_WINDOW_MIN, _WINDOW_MAX = 0.02, 0.12
_QUADRATURE = 24
_CHECKS_PER_SEGMENT = 5


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
        end: end of the parameter range, > 0.
        joint_names: n names.
        velocity: limits, shape (n,) [rad/s].
        acceleration: limits, shape (n,) [rad/s^2].
        jerk: wished limits, shape (n,) [rad/s^3]; the smoothing window follows from them, within bounds.

    Returns:
        Points every `SAMPLE_PERIOD` with positions, velocities and accelerations. The quintic
        interpolation between them exceeds no limit by more than `EXCESS`.

    Raises:
        PlanningError: the path has no timing, e.g. because it contains NaN.
    """
    timing = _time_optimal(path, end, len(joint_names), velocity * HEADROOM, acceleration * HEADROOM)
    window = float(np.clip(np.max(2 * acceleration / jerk), _WINDOW_MIN, _WINDOW_MAX))
    times, samples = _moving_average(timing, window)
    trajectory = JointTrajectory(joint_names, times, *samples)
    return _stretched(trajectory, velocity, acceleration)


def at_rest(positions: Array, joint_names: tuple[str, ...]) -> JointTrajectory:
    """Return the trajectory that stays at positions, shape (n,) [rad], for one `SAMPLE_PERIOD`."""
    zero = np.zeros((2, len(joint_names)))
    return JointTrajectory(joint_names, np.array([0.0, SAMPLE_PERIOD]), positions + zero, zero, zero)


class _Timing:
    """The time-optimal motion along a path; outside its duration it rests at the ends."""

    def __init__(self, path: JointPath, grid: Array, speeds: Array) -> None:
        """Integrate the squared speeds of TOPP-RA's grid, between which the acceleration is constant.

        Args:
            path: the curve.
            grid: parameters, shape (g,).
            speeds: of the parameter at the grid points, shape (g,).
        """
        steps = 2 * np.diff(grid) / (speeds[:-1] + speeds[1:])
        self._path, self._grid, self._speeds = path, grid, speeds
        self._times = np.concatenate([[0.0], np.cumsum(steps)])
        self._accelerations = np.diff(speeds) / steps
        self.duration = float(self._times[-1])

    def __call__(self, times: Array) -> tuple[Array, Array]:
        """Return positions and velocities at times, shape (k,) → (k, n)."""
        inside = np.clip(times, 0.0, self.duration)
        index = np.clip(np.searchsorted(self._times, inside, side="right") - 1, 0, len(self._grid) - 2)
        since = inside - self._times[index]
        speed = self._speeds[index] + self._accelerations[index] * since
        parameter = self._grid[index] + (self._speeds[index] + speed) / 2 * since
        return self._path(parameter), self._path(parameter, 1) * speed[:, None]


def _time_optimal(path: JointPath, end: float, dof: int, velocity: Array, acceleration: Array) -> _Timing:
    grid = np.linspace(0.0, end, int(np.clip(end / _GRID_STEP, _GRID_MIN, _GRID_MAX)) + 1)
    constraints = [
        toppra.constraint.JointVelocityConstraint(np.stack([-velocity, velocity], axis=1)),
        toppra.constraint.JointAccelerationConstraint(
            np.stack([-acceleration, acceleration], axis=1),
            discretization_scheme=toppra.constraint.DiscretizationType.Interpolation,
        ),
    ]
    solver = toppra.algorithm.TOPPRA(
        constraints, _GeometricPath(path, end, dof), gridpoints=grid, solver_wrapper="seidel"
    )
    _, speeds, _ = solver.compute_parameterization(0.0, 0.0)
    # Two neighbouring grid points at rest would never be left.
    if speeds is None or not np.isfinite(speeds).all() or (speeds[:-1] + speeds[1:] <= 0).any():
        msg = "the path found cannot be timed within the joints' velocity and acceleration limits"
        raise PlanningError(msg)
    return _Timing(path, grid, speeds)


def _moving_average(timing: _Timing, window: float) -> tuple[Array, tuple[Array, Array, Array]]:
    """Average the motion over a sliding window of time.

    Velocity and acceleration of the average are differences of positions and velocities across the
    window, exactly; the position is a mean over Gauss-Legendre nodes.
    """
    count = int(np.ceil((timing.duration + window) / SAMPLE_PERIOD))
    times = np.linspace(0.0, timing.duration + window, count + 1)
    before, after = times - window, times
    nodes, weights = np.polynomial.legendre.leggauss(_QUADRATURE)
    spread = before[:, None] + (nodes + 1) / 2 * window
    inner, _ = timing(spread.ravel())
    positions = np.einsum("kqn,q->kn", inner.reshape(len(times), _QUADRATURE, -1), weights / 2)
    (first, first_velocity), (last, last_velocity) = timing(before), timing(after)
    velocities, accelerations = (last - first) / window, (last_velocity - first_velocity) / window
    positions[0], positions[-1] = first[0], last[-1]
    velocities[[0, -1]] = 0.0
    accelerations[[0, -1]] = 0.0
    return times, (positions, velocities, accelerations)


def peak_ratios(trajectory: JointTrajectory, velocity: Array, acceleration: Array) -> tuple[float, float]:
    """Return the largest share of the velocity and acceleration limits used between the points, too.

    Evaluates the quintic through the points' positions, velocities and accelerations, which is what
    the joint trajectory controller follows, at `_CHECKS_PER_SEGMENT` places of every segment.

    Raises:
        ValueError: the trajectory has no velocities or accelerations.
    """
    if trajectory.velocities is None or trajectory.accelerations is None:
        msg = "only trajectories with velocities and accelerations define a quintic"
        raise ValueError(msg)
    steps = np.diff(trajectory.times)[:, None]
    p0, p1 = trajectory.positions[:-1], trajectory.positions[1:]
    v0, v1 = trajectory.velocities[:-1] * steps, trajectory.velocities[1:] * steps
    a0, a1 = trajectory.accelerations[:-1] * steps**2, trajectory.accelerations[1:] * steps**2
    gap = p1 - p0 - v0 - a0 / 2
    slope, bend = v1 - v0 - a0, a1 - a0
    c3 = 10 * gap - 4 * slope + bend / 2
    c4 = -15 * gap + 7 * slope - bend
    c5 = 6 * gap - 3 * slope + bend / 2
    worst_velocity = worst_acceleration = 0.0
    for x in np.linspace(0.0, 1.0, _CHECKS_PER_SEGMENT + 1):
        speed = (v0 + a0 * x + 3 * c3 * x**2 + 4 * c4 * x**3 + 5 * c5 * x**4) / steps
        push = (a0 + 6 * c3 * x + 12 * c4 * x**2 + 20 * c5 * x**3) / steps**2
        worst_velocity = max(worst_velocity, float(np.max(np.abs(speed) / velocity)))
        worst_acceleration = max(worst_acceleration, float(np.max(np.abs(push) / acceleration)))
    return worst_velocity, worst_acceleration


def _stretched(trajectory: JointTrajectory, velocity: Array, acceleration: Array) -> JointTrajectory:
    """Slow the trajectory down by what it exceeds the limits, if it does."""
    worst_velocity, worst_acceleration = peak_ratios(trajectory, velocity, acceleration)
    factor = max(worst_velocity, float(np.sqrt(worst_acceleration)))
    if factor <= 1.0 + EXCESS / 2:
        return trajectory
    velocities, accelerations = trajectory.velocities, trajectory.accelerations
    if velocities is None or accelerations is None:
        return trajectory
    return JointTrajectory(
        trajectory.joint_names,
        trajectory.times * factor,
        trajectory.positions,
        velocities / factor,
        accelerations / factor**2,
    )
