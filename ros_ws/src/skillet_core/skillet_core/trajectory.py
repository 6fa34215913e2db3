"""Joint trajectories and robot states: what planners produce and controllers consume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skillet_core.errors import TrajectoryError
from skillet_core.geometry import Array


@dataclass(frozen=True, eq=False)
class JointTrajectory:
    """Positions over time for named joints, in whatever order the names give.

    Attributes:
        joint_names: n names.
        times: shape (k,), seconds from the start, strictly increasing, first >= 0.
        positions: shape (k, n) [rad].
        velocities: shape (k, n) [rad/s], or None: the controller interpolates linearly.
        accelerations: shape (k, n) [rad/s^2], or None. With velocities: quintic; without: cubic.
    """

    joint_names: tuple[str, ...]
    times: Array
    positions: Array
    velocities: Array | None = None
    accelerations: Array | None = None

    @property
    def duration(self) -> float:
        """Time of the last point [s]."""
        return float(self.times[-1])

    def check(self) -> None:
        """Refuse what no controller can follow.

        Raises:
            TrajectoryError: no points, NaN or infinity, wrong shapes, times that do not increase,
                a joint named twice, accelerations without velocities. The message names the joint
                and the point.
        """
        names, count = self.joint_names, len(self.times)
        if count == 0 or not names:
            msg = "a trajectory needs at least one joint and one point"
            raise TrajectoryError(msg)
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            msg = f"joint named twice: {', '.join(twice)}"
            raise TrajectoryError(msg)
        if not np.isfinite(self.times).all() or self.times[0] < 0 or (np.diff(self.times) <= 0).any():
            got = np.round(self.times, 4).tolist()
            raise TrajectoryError(f"times from start must be >= 0 and strictly increasing, got {got}")
        if self.accelerations is not None and self.velocities is None:
            msg = "accelerations were given without velocities"
            raise TrajectoryError(msg)
        for quantity in ("positions", "velocities", "accelerations"):
            values = getattr(self, quantity)
            if values is None:
                continue
            if values.shape != (count, len(names)):
                msg = f"{quantity} must have shape ({count} points, {len(names)} joints), got {values.shape}"
                raise TrajectoryError(msg)
            bad = np.argwhere(~np.isfinite(values))
            if len(bad):
                point, joint = bad[0]
                msg = f"{quantity} of {names[joint]} at point {point} is {values[point, joint]}"
                raise TrajectoryError(msg)

    def reordered(self, joint_names: tuple[str, ...]) -> JointTrajectory:
        """Return the same trajectory with its joints in another order.

        Raises:
            TrajectoryError: a joint is unknown or missing; the message names it.
        """
        unknown = [name for name in self.joint_names if name not in joint_names]
        missing = [name for name in joint_names if name not in self.joint_names]
        if unknown or missing:
            parts = []
            if unknown:
                parts.append(f"unknown joint: {', '.join(unknown)}")
            if missing:
                parts.append(f"missing joint: {', '.join(missing)}")
            msg = f"{'; '.join(parts)}. The arm has: {', '.join(joint_names)}"
            raise TrajectoryError(msg)
        order = [self.joint_names.index(name) for name in joint_names]
        return JointTrajectory(
            joint_names,
            self.times,
            self.positions[:, order],
            None if self.velocities is None else self.velocities[:, order],
            None if self.accelerations is None else self.accelerations[:, order],
        )


@dataclass(frozen=True, eq=False)
class RobotState:
    """What is known of a robot at one time.

    Attributes:
        stamp: time of the measurement, seconds of the robot's clock.
        positions: arm joints in the description's order, shape (n,) [rad].
        velocities: shape (n,) [rad/s].
        opening: gap between the finger pads [m].
    """

    stamp: float
    positions: Array
    velocities: Array
    opening: float
