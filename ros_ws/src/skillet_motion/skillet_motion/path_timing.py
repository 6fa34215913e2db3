"""Free paths become trajectories: which curve to lay through a path, where to stop, and how to time it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from skillet_core.geometry import Array
from skillet_core.trajectory import JointTrajectory
from skillet_motion.jerk_limited import straight
from skillet_motion.search import CHECK_STEP
from skillet_motion.time_parameterization import (
    JointPath,
    at_rest,
    interpolated_path,
    parameterize,
    rounded_path,
)

_SPACINGS = (0.3, 0.12, 0.04)
_NO_MOTION = 1e-6


class Limits(NamedTuple):
    """What a motion may not exceed, each of shape (n,): [rad/s], [rad/s^2], [rad/s^3]."""

    velocity: Array
    acceleration: Array
    jerk: Array


def time_polyline(
    waypoints: Array, joint_names: tuple[str, ...], limits: Limits, curve_is_free: Callable[[Array], bool]
) -> JointTrajectory:
    """Round the corners of a path as far as that stays free, and time it.

    Args:
        waypoints: corners of a free path, shape (k, n) [rad]; all alike: no motion.
        joint_names: n names.
        limits: of the motion.
        curve_is_free: whether a curve is free at points `CHECK_STEP` apart, shape (m, n) [rad].
    """
    if float(np.abs(waypoints - waypoints[0]).max()) < _NO_MOTION:
        return at_rest(waypoints[-1], joint_names)
    if len(waypoints) == 2:  # noqa: PLR2004 - a straight segment, which needs no rounding
        return straight(waypoints[0], waypoints[1], joint_names, **limits._asdict())
    for spacing in _SPACINGS:
        path, end = rounded_path(waypoints, spacing)
        # Timing leaves the curve by far less than the padding: see `parameterize`.
        if curve_is_free(path(np.linspace(0.0, end, max(2, int(np.ceil(end / CHECK_STEP)) + 1)))):
            return _timed(path, end, joint_names, limits)
    # Stopping at every corner is slow, but exactly on the path that was checked.
    return joined(
        straight(start, end, joint_names, **limits._asdict()) for start, end in itertools.pairwise(waypoints)
    )


def time_curve(
    points: Array, stops: Iterable[int], joint_names: tuple[str, ...], limits: Limits
) -> JointTrajectory:
    """Time a curve that was checked, as it is.

    Args:
        points: dense on the curve, shape (k, n) [rad]; k = 1: no motion.
        stops: rising indices of points to come to rest at, neither end among them.
        joint_names: n names.
        limits: of the motion.
    """
    if len(points) == 1:
        return at_rest(points[0], joint_names)
    ends = [0, *stops, len(points) - 1]
    return joined(
        _timed(*interpolated_path(points[first : last + 1]), joint_names, limits)
        for first, last in itertools.pairwise(ends)
    )


def joined(trajectories: Iterable[JointTrajectory]) -> JointTrajectory:
    """Append trajectories that begin where the one before came to rest; all have accelerations."""
    first, *others = trajectories
    if not others:
        return first
    legs = [first, *others]
    offsets = np.cumsum([0.0, *(leg.duration for leg in legs[:-1])])
    # Every leg but the first repeats a point: its start.
    skips = [0] + [1] * len(others)
    times = [leg.times[skip:] + offset for leg, skip, offset in zip(legs, skips, offsets, strict=True)]
    parts = [
        np.concatenate([np.asarray(getattr(leg, name))[skip:] for leg, skip in zip(legs, skips, strict=True)])
        for name in ("positions", "velocities", "accelerations")
    ]
    return JointTrajectory(first.joint_names, np.concatenate(times), *parts)


def _timed(path: JointPath, end: float, joint_names: tuple[str, ...], limits: Limits) -> JointTrajectory:
    return parameterize(path, end, joint_names, **limits._asdict())
