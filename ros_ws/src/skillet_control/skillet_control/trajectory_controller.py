"""The joint trajectory controller: ros2_control's semantics, without ROS.

A trajectory is prepared (checked against the arm's limits) by any thread, then started from the
*reference*: the state last commanded, so that replacing a moving goal does not jerk.

* First point at a time above 0: a lead-in from the reference to that point is put before it.
* First point at time 0: it must be near the reference; the small difference fades out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skillet_control import trajectory_checks
from skillet_control.errors import RefusedTrajectoryError
from skillet_control.goals import ErrorCode, GoalStatus, TrajectoryGoal
from skillet_control.parameters import TrajectoryParameters
from skillet_control.spline import Setpoint, Spline
from skillet_core.geometry import Array
from skillet_core.robot import RobotDescription
from skillet_core.trajectory import JointTrajectory

Tolerance = float | Mapping[str, float] | None
"""[rad], for all joints or by name (others: the default). None: the default. 0: unchecked."""

_FADE_ACCELERATION = 0.02
"""Share of the acceleration limit that fading out an initial distance may add."""
_FADE_BRAKING = 0.5
"""The same for an initial difference of velocity."""


@dataclass(frozen=True, eq=False)
class PreparedTrajectory:
    """A trajectory that has passed every check that does not depend on where the arm is."""

    points: JointTrajectory
    spline: Spline
    path_tolerance: Array
    goal_tolerance: Array
    goal_time_tolerance: float


@dataclass(frozen=True, eq=False)
class _Motion:
    goal: TrajectoryGoal
    prepared: PreparedTrajectory
    begin: float
    lead_in: Spline | None
    fade: Spline | None

    def sample(self, time: float) -> Setpoint:
        if self.lead_in is not None and time < self.lead_in.end:
            return self.lead_in.sample(time)
        setpoint = self.prepared.spline.sample(time)
        if self.fade is None or time >= self.fade.end:
            return setpoint
        rest = self.fade.sample(time)
        return Setpoint(
            setpoint.position + rest.position,
            setpoint.velocity + rest.velocity,
            setpoint.acceleration + rest.acceleration,
        )


class TrajectoryController:
    """Follows one trajectory at a time. Not thread-safe but for `prepare`."""

    def __init__(self, robot: RobotDescription, parameters: TrajectoryParameters | None = None) -> None:
        """Make a controller for a robot; the default parameters when None."""
        self._robot = robot
        self._parameters = parameters or TrajectoryParameters()
        self._motion: _Motion | None = None
        self._setpoint: Setpoint | None = None

    @property
    def goal(self) -> TrajectoryGoal | None:
        """The goal being followed."""
        return None if self._motion is None else self._motion.goal

    @property
    def setpoint(self) -> Setpoint | None:
        """Where the arm should be by the last update; None when nothing is being followed."""
        return self._setpoint

    def prepare(
        self,
        trajectory: JointTrajectory,
        *,
        path_tolerance: Tolerance = None,
        goal_tolerance: Tolerance = None,
        goal_time_tolerance: float | None = None,
    ) -> PreparedTrajectory:
        """Check a trajectory; may be called from any thread.

        Args:
            trajectory: joints in any order.
            path_tolerance: distance from the reference that aborts the motion.
            goal_tolerance: distance from the last point that counts as reached.
            goal_time_tolerance: how late the goal may be reached [s]; 0: without end.

        Raises:
            RefusedTrajectoryError: NaN, wrong joints or times, a limit broken at or between points.
        """
        points = trajectory_checks.well_formed(trajectory, self._robot.joint_names)
        trajectory_checks.require_points_within(points, self._robot)
        spline = Spline(points.times, points.positions, points.velocities, points.accelerations)
        trajectory_checks.require_curve_within(
            spline, self._robot, self._parameters.limit_tolerance, name="between points"
        )
        late = self._parameters.goal_time_tolerance if goal_time_tolerance is None else goal_time_tolerance
        return PreparedTrajectory(
            points,
            spline,
            self._tolerance(path_tolerance, self._parameters.path_tolerance, "path"),
            self._tolerance(goal_tolerance, self._parameters.goal_tolerance, "goal"),
            late if late > 0 else np.inf,
        )

    def start(
        self, prepared: PreparedTrajectory, now: float, reference: Setpoint, *, begin: float | None = None
    ) -> TrajectoryGoal:
        """Follow a trajectory from the present command on. A goal in progress ends PREEMPTED.

        Args:
            prepared: by `prepare`.
            now: time of the last update [s].
            reference: the arm's last command.
            begin: time of the trajectory's time 0 [s]; None: now.

        Raises:
            RefusedTrajectoryError: it starts away from the reference, or it is over already; a goal
                in progress goes on.
        """
        begin = now if begin is None else begin
        motion = self._splice(prepared, now - begin, begin, reference)
        if self._motion is not None:
            self._motion.goal.finish(GoalStatus.PREEMPTED, "replaced by a new trajectory")
        self._motion, self._setpoint = motion, None
        return motion.goal

    def update(self, now: float, measured_position: Array, measured_velocity: Array) -> Setpoint | None:
        """Advance to ``now`` and return where the arm shall be; None: nothing is being followed.

        Args:
            now: [s].
            measured_position: shape (n,) [rad].
            measured_velocity: shape (n,) [rad/s].
        """
        motion = self._motion
        if motion is None:
            return None
        if self._setpoint is not None and self._off_path(motion, self._setpoint, measured_position):
            return None
        elapsed = now - motion.begin
        setpoint = self._setpoint = motion.sample(elapsed)
        late = elapsed - motion.prepared.points.duration
        if late >= 0:
            self._try_to_end(motion, late, setpoint, measured_position, measured_velocity)
        return setpoint

    def cancel(self, message: str = "canceled by request") -> None:
        """End the goal as CANCELED; the arm is the caller's to hold."""
        if (goal := self._end()) is not None:
            goal.finish(GoalStatus.CANCELED, message)

    def abort(self, message: str, code: ErrorCode = ErrorCode.INVALID_GOAL) -> None:
        """End the goal as ABORTED; the arm is the caller's to hold."""
        if (goal := self._end()) is not None:
            goal.abort(code, message)

    def _end(self) -> TrajectoryGoal | None:
        goal, self._motion, self._setpoint = self.goal, None, None
        return goal

    def _tolerance(self, given: Tolerance, default: float, kind: str) -> Array:
        """Return a tolerance for each joint, infinite where unchecked."""
        names = self._robot.joint_names
        by_name = given if isinstance(given, Mapping) else {}
        if unknown := sorted(set(by_name) - set(names)):
            raise RefusedTrajectoryError(
                ErrorCode.INVALID_JOINTS,
                f"{kind} tolerance for an unknown joint: {', '.join(unknown)}. "
                f"The arm has: {', '.join(names)}",
            )
        common = default if given is None or isinstance(given, Mapping) else given
        values = np.array([by_name.get(name, common) for name in names], dtype=np.float64)
        if np.isnan(values).any() or (values < 0).any():
            joint = int(np.argmax(np.isnan(values) | (values < 0)))
            raise RefusedTrajectoryError(
                ErrorCode.INVALID_GOAL,
                f"the {kind} tolerance of {names[joint]} is {values[joint]}; "
                "it must be 0 (unchecked) or more",
            )
        return np.where(values == 0, np.inf, values)

    def _splice(
        self, prepared: PreparedTrajectory, elapsed: float, begin: float, reference: Setpoint
    ) -> _Motion:
        """Join a trajectory, ``elapsed`` seconds into it, to the present command."""
        points, goal = prepared.points, TrajectoryGoal(prepared.points.duration)
        if elapsed > points.duration:
            raise RefusedTrajectoryError(
                ErrorCode.OLD_HEADER_TIMESTAMP,
                f"the trajectory ended {elapsed - points.duration:.3f} s ago by its time stamp",
            )
        if elapsed < prepared.spline.start:
            lead_in = self._lead_in(prepared, elapsed, reference)
            try:
                trajectory_checks.require_curve_within(
                    lead_in, self._robot, self._parameters.limit_tolerance, name="leading in, between points"
                )
            except RefusedTrajectoryError:
                distance = np.abs(points.positions[0] - reference.position)
                if distance.max() > self._parameters.start_tolerance:
                    raise
            else:
                return _Motion(goal, prepared, begin, lead_in, None)
        at = prepared.spline.sample(max(elapsed, prepared.spline.start))
        trajectory_checks.require_near(
            at.position, reference.position, self._robot, self._parameters.start_tolerance
        )
        return _Motion(goal, prepared, begin, None, self._fade(prepared, elapsed, at, reference))

    def _lead_in(self, prepared: PreparedTrajectory, elapsed: float, reference: Setpoint) -> Spline:
        points = prepared.points
        velocities, accelerations = points.velocities, points.accelerations
        return Spline(
            np.array([elapsed, points.times[0]]),
            np.stack([reference.position, points.positions[0]]),
            None if velocities is None else np.stack([reference.velocity, velocities[0]]),
            None if accelerations is None else np.stack([reference.acceleration, accelerations[0]]),
        )

    def _fade(
        self, prepared: PreparedTrajectory, elapsed: float, at: Setpoint, reference: Setpoint
    ) -> Spline | None:
        """Return the difference between reference and trajectory, dying away; None: there is none.

        A quintic from distance e and speed u to rest within T peaks at 5.78 e / T^2 and 3.9 u / T.
        """
        distance, speed = reference.position - at.position, reference.velocity - at.velocity
        limit = self._robot.max_acceleration
        slow = np.sqrt(5.78 * np.max(np.abs(distance) / (_FADE_ACCELERATION * limit)))
        brisk = 3.9 * np.max(np.abs(speed) / (_FADE_BRAKING * limit))
        duration = min(float(max(slow, brisk)), prepared.points.duration - elapsed)
        if duration <= 0:
            return None
        still = np.zeros_like(distance)
        return Spline(
            np.array([elapsed, elapsed + duration]),
            np.stack([distance, still]),
            np.stack([speed, still]),
            np.stack([still, still]),
        )

    def _off_path(self, motion: _Motion, setpoint: Setpoint, measured: Array) -> bool:
        """Abort if the arm is too far from where it was to be."""
        distance = np.abs(measured - setpoint.position)
        if not (distance > motion.prepared.path_tolerance).any():
            return False
        joint = int(np.argmax(distance / motion.prepared.path_tolerance))
        self.abort(
            f"{self._robot.joint_names[joint]} is {distance[joint]:.4f} rad from its path, more than the "
            f"tolerance of {motion.prepared.path_tolerance[joint]:.4f} rad",
            ErrorCode.PATH_TOLERANCE_VIOLATED,
        )
        return True

    def _try_to_end(
        self, motion: _Motion, late: float, setpoint: Setpoint, position: Array, velocity: Array
    ) -> None:
        """Succeed when the arm is at the goal and at rest; abort when that takes too long."""
        distance, tolerance = np.abs(position - setpoint.position), motion.prepared.goal_tolerance
        stopped = self._parameters.stopped_velocity or np.inf
        arrived = not (distance > tolerance).any()
        if arrived and not (np.abs(velocity) > stopped).any():
            self._end()
            motion.goal.finish(GoalStatus.SUCCEEDED)
        elif late > motion.prepared.goal_time_tolerance:
            joint = int(np.argmax(np.abs(velocity) if arrived else distance / tolerance))
            what = (
                f"still moves at {velocity[joint]:.4f} rad/s"
                if arrived
                else f"is {distance[joint]:.4f} rad from its goal, more than {tolerance[joint]:.4f} rad"
            )
            self.abort(
                f"{self._robot.joint_names[joint]} {what}, {late:.2f} s after the end of the trajectory",
                ErrorCode.GOAL_TOLERANCE_VIOLATED,
            )
