"""Is a trajectory one that this arm can follow? Decided before anything moves."""

from __future__ import annotations

import numpy as np

from skillet_control.errors import RefusedTrajectoryError
from skillet_control.goals import ErrorCode
from skillet_control.spline import Spline
from skillet_core.errors import TrajectoryError
from skillet_core.geometry import Array
from skillet_core.robot import RobotDescription
from skillet_core.trajectory import JointTrajectory

_SAMPLES_PER_SEGMENT = 9
_ROUNDING = 1e-6
"""Positions beyond a limit by less than this [rad] are on it."""


def well_formed(trajectory: JointTrajectory, joint_names: tuple[str, ...]) -> JointTrajectory:
    """Return the trajectory with its joints in the arm's order.

    Raises:
        RefusedTrajectoryError: what `JointTrajectory.check` and `reordered` refuse, or a last point
            that still moves.
    """
    try:
        trajectory.check()
    except TrajectoryError as error:
        raise RefusedTrajectoryError(ErrorCode.INVALID_GOAL, str(error)) from error
    try:
        trajectory = trajectory.reordered(joint_names)
    except TrajectoryError as error:
        raise RefusedTrajectoryError(ErrorCode.INVALID_JOINTS, str(error)) from error
    if trajectory.velocities is not None and (np.abs(trajectory.velocities[-1]) > _ROUNDING).any():
        joint = int(np.argmax(np.abs(trajectory.velocities[-1])))
        raise RefusedTrajectoryError(
            ErrorCode.INVALID_GOAL,
            f"{joint_names[joint]} still moves at {trajectory.velocities[-1, joint]:.3g} rad/s at the last "
            f"point ({len(trajectory.times) - 1}); a trajectory must end at rest",
        )
    return trajectory


def require_points_within(trajectory: JointTrajectory, robot: RobotDescription) -> None:
    """Refuse points out of the position limits.

    Raises:
        RefusedTrajectoryError: naming the first such point, its joint, value and limit.
    """
    outside = np.argwhere(
        (trajectory.positions < robot.lower - _ROUNDING) | (trajectory.positions > robot.upper + _ROUNDING)
    )
    if len(outside):
        point, joint = outside[0]
        raise RefusedTrajectoryError(
            ErrorCode.INVALID_GOAL,
            f"point {point} puts {robot.joint_names[joint]} at {trajectory.positions[point, joint]:.4f} rad; "
            f"its range is {robot.lower[joint]:.4f} to {robot.upper[joint]:.4f} rad",
        )


def require_curve_within(spline: Spline, robot: RobotDescription, tolerance: float, *, name: str) -> None:
    """Refuse a curve that breaks a limit between or at its points.

    Args:
        spline: sampled at nine times in every segment.
        robot: whose limits hold.
        tolerance: share by which velocities and accelerations may exceed their limits.
        name: what the curve is, for the message, e.g. ``"between points"``.

    Raises:
        RefusedTrajectoryError: naming the worst sample's joint, segment, time, value and limit.
    """
    times, values = spline.scan(_SAMPLES_PER_SEGMENT)
    position = values[:, :, 0]
    beyond = np.maximum(position - robot.upper, robot.lower - position)
    if beyond.size and beyond.max() > _ROUNDING:
        k, m, j = np.unravel_index(int(beyond.argmax()), beyond.shape)
        raise RefusedTrajectoryError(
            ErrorCode.INVALID_GOAL,
            f"{name} {k} and {k + 1} (at {times[k, m]:.3f} s) {robot.joint_names[j]} swings to "
            f"{position[k, m, j]:.4f} rad; its range is {robot.lower[j]:.4f} to {robot.upper[j]:.4f} rad",
        )
    for row, quantity, unit, limit in (
        (1, "a velocity", "rad/s", robot.max_velocity),
        (2, "an acceleration", "rad/s^2", robot.max_acceleration),
    ):
        ratio = np.abs(values[:, :, row]) / limit
        if ratio.size and ratio.max() > 1 + tolerance:
            k, m, j = np.unravel_index(int(ratio.argmax()), ratio.shape)
            raise RefusedTrajectoryError(
                ErrorCode.INVALID_GOAL,
                f"{name} {k} and {k + 1} (at {times[k, m]:.3f} s) {robot.joint_names[j]} has {quantity} of "
                f"{values[k, m, row, j]:.4g} {unit}; its limit is {limit[j]:.4g} {unit}",
            )


def require_near(position: Array, reference: Array, robot: RobotDescription, tolerance: float) -> None:
    """Refuse a start away from where the arm is commanded to be.

    Raises:
        RefusedTrajectoryError: naming the farthest joint, both positions and the tolerance.
    """
    distance = np.abs(position - reference)
    if distance.max() > tolerance:
        joint = int(distance.argmax())
        raise RefusedTrajectoryError(
            ErrorCode.INVALID_GOAL,
            f"the trajectory starts with {robot.joint_names[joint]} at {position[joint]:.4f} rad, but the "
            f"arm is at {reference[joint]:.4f} rad, more than {tolerance:.4g} rad away. Plan from where the "
            "arm is, or give the first point a time above 0 to be led there",
        )
