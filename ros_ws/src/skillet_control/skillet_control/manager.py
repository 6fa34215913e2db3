"""The controller manager: one loop that reads, lets the owner of the arm compute, filters and writes.

Who may move the arm:

* nothing owns it: whoever asks first;
* the trajectory controller owns it until its goal ends. Another trajectory replaces the goal;
  a streamed target is refused;
* the forward controller owns it while its stream speaks. A trajectory is refused until the stream
  has been silent for its timeout; then the trajectory takes over;
* after a stop nobody, until `reset`.

A refusal says who owns the arm. The gripper is commanded independently of the arm.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from skillet_control.errors import CommandError, RefusedTrajectoryError
from skillet_control.forward_controller import ForwardController
from skillet_control.goals import ErrorCode, Goal, GripperGoal, TrajectoryGoal
from skillet_control.gripper_controller import GripperController
from skillet_control.hardware import ArmHardware, HardwareCommand, HardwareState
from skillet_control.parameters import ControlParameters
from skillet_control.safety import SafetyFilter, SafetyStatus
from skillet_control.spline import Setpoint
from skillet_control.trajectory_controller import Tolerance, TrajectoryController
from skillet_core.geometry import Array
from skillet_core.robot import RobotDescription
from skillet_core.trajectory import JointTrajectory

TRAJECTORY_OWNER = "joint_trajectory_controller"
STREAM_OWNER = "forward_position_controller"


class ControllerManager:
    """Owns the controllers and the safety filter of one robot.

    `update` is called by one thread, once a control period. Everything else may be called from
    any thread. Times are seconds of the clock that ``now`` is read from.
    """

    def __init__(
        self,
        hardware: ArmHardware,
        robot: RobotDescription,
        *,
        period: float = 0.004,
        parameters: ControlParameters | None = None,
        grasp_position: Callable[[Array], Array] | None = None,
    ) -> None:
        """Make a manager; nothing is written before the first `update`.

        Args:
            hardware: to read from and write to.
            robot: its description.
            period: of the control loop [s]; the first update is taken to cover it.
            parameters: the defaults when None.
            grasp_position: forward kinematics for a workspace box, see `SafetyFilter`.

        Raises:
            CommandError: the hardware's joints are not the robot's, in the same order.
        """
        if tuple(hardware.joint_names) != robot.joint_names:
            raise CommandError(
                f"the hardware's joints ({', '.join(hardware.joint_names)}) are not those of {robot.name!r} "
                f"({', '.join(robot.joint_names)}), in this order"
            )
        parameters = parameters or ControlParameters()
        self.robot, self.period = robot, period
        self._hardware = hardware
        self._filter = SafetyFilter(robot, parameters.safety, grasp_position=grasp_position)
        self._trajectory = TrajectoryController(robot, parameters.trajectory)
        self._stream = ForwardController(robot, parameters.stream)
        self._gripper = GripperController(robot.gripper, parameters.gripper)
        self._max_period = parameters.safety.max_period
        self._lock = threading.Lock()
        self._now: float | None = None
        self._time = 0.0
        self._synchronise = "the controllers have started"
        self._state = hardware.read()
        self._command = HardwareCommand(
            self._state.position.copy(), np.zeros(len(robot.joint_names)), *self._gripper.command
        )

    @property
    def now(self) -> float:
        """Time of the last update, which `state` was read at [s]; 0 before the first."""
        return 0.0 if self._now is None else self._now

    @property
    def state(self) -> HardwareState:
        """The last measurement."""
        return self._state

    @property
    def command(self) -> HardwareCommand:
        """The last command written."""
        return self._command

    @property
    def setpoint(self) -> Setpoint | None:
        """Where the trajectory being followed wants the arm; None: none is being followed."""
        return self._trajectory.setpoint

    @property
    def status(self) -> SafetyStatus:
        """What the safety filter does, and who owns the arm."""
        return self._filter.status

    def update(self, now: float) -> None:
        """Read, compute, filter, write. A late update slows a motion down instead of jumping ahead.

        Args:
            now: [s]. If it went back (a clock was reset), the goals are aborted and the arm is
                synchronised with its measured position.
        """
        state = self._hardware.read()
        with self._lock:
            dt = self.period if self._now is None else now - self._now
            if dt < 0:
                self._synchronise, dt = "the clock went back", self.period
            self._state, self._now = state, now
            if dt == 0 or not self._usable(state):
                return
            dt = min(dt, self._max_period)
            self._time += dt
            position, velocity = self._compute(state, now, dt)
            self._gripper.update(self._time, dt, state.gripper_opening)
            command = self._command = HardwareCommand(position, velocity, *self._gripper.command)
        self._hardware.write(command)

    def _usable(self, state: HardwareState) -> bool:
        """Stop on a measurement that is not finite; take the first one, and a requested one, over."""
        if not np.isfinite(state.position).all() or not np.isfinite(state.gripper_opening):
            self._stop("the hardware measures positions that are not finite")
            return not self._synchronise
        if self._synchronise:
            self._end_goals(self._synchronise)
            self._filter.synchronise(state.position)
            self._gripper.synchronise(state.gripper_opening)
            self._synchronise = ""
        return True

    def _compute(self, state: HardwareState, now: float, dt: float) -> tuple[Array, Array]:
        """Let the owner of the arm say where to, and pass it through the filter."""
        try:
            setpoint = self._trajectory.update(self._time, state.position, state.velocity)
            if setpoint is not None:
                return self._filter.apply(setpoint.position, setpoint.velocity, dt, TRAJECTORY_OWNER)
            target = self._stream.update(now)
            if target is not None:
                return self._filter.apply(target, None, dt, STREAM_OWNER)
        except CommandError as error:
            self._stop(f"a controller asked for what it must not: {error}")
        if self._stream.streaming:
            return self._filter.hold(dt, STREAM_OWNER, f"{STREAM_OWNER} fell silent; the arm holds")
        return self._filter.hold(dt)

    def follow(
        self,
        trajectory: JointTrajectory,
        *,
        path_tolerance: Tolerance = None,
        goal_tolerance: Tolerance = None,
        goal_time_tolerance: float | None = None,
        begin: float | None = None,
    ) -> TrajectoryGoal:
        """Follow a trajectory. A trajectory in progress is replaced without a jerk.

        Args:
            trajectory: joints in any order; see `skillet_control.trajectory_controller`.
            path_tolerance: distance from the path that aborts [rad], for all or by joint.
            goal_tolerance: distance from the goal that counts as reached [rad], for all or by joint.
            goal_time_tolerance: how late the goal may be reached [s].
            begin: when the trajectory's time 0 is; None: now.

        Raises:
            TrajectoryError: a `RefusedTrajectoryError`, with the reason and its code. Nothing has
                changed.
        """
        prepared = self._trajectory.prepare(
            trajectory,
            path_tolerance=path_tolerance,
            goal_tolerance=goal_tolerance,
            goal_time_tolerance=goal_time_tolerance,
        )
        with self._lock:
            now = self._require_ready(lambda text: RefusedTrajectoryError(ErrorCode.INVALID_GOAL, text))
            if self._stream.streaming and not self._stream.silent(now):
                raise RefusedTrajectoryError(
                    ErrorCode.INVALID_GOAL,
                    f"{STREAM_OWNER} owns the arm: targets are being streamed. End the stream first",
                )
            lead = 0.0 if begin is None else begin - now
            goal = self._trajectory.start(prepared, self._time, self._reference(), begin=self._time + lead)
            self._stream.release()
            return goal

    def stream(self, positions: Mapping[str, float] | Sequence[float] | Array, now: float) -> None:
        """Follow a streamed joint target until the next one, or until the stream falls silent.

        Args:
            positions: by joint name, or in the arm's order [rad].
            now: when the target was sent [s].

        Raises:
            CommandError: the target is not usable or too old, a trajectory owns the arm, or it is
                stopped. The last target stays in force.
        """
        with self._lock:
            current = self._require_ready(CommandError)
            if self._trajectory.goal is not None:
                raise CommandError(
                    f"{TRAJECTORY_OWNER} owns the arm: it follows a trajectory. Cancel it first"
                )
            self._stream.accept(positions, now, current)

    def move_gripper(self, opening: float, max_force: float) -> GripperGoal:
        """Move the fingers to an opening [m], pushing with at most ``max_force`` [N].

        Raises:
            CommandError: the values are not usable, or the robot is stopped.
        """
        with self._lock:
            self._require_ready(CommandError)
            return self._gripper.start(opening, max_force, self._time)

    def cancel(self, goal: Goal) -> None:
        """End a goal as CANCELED; the arm, or the gripper, holds. Nothing happens if it has ended."""
        with self._lock:
            if goal is self._trajectory.goal:
                self._trajectory.cancel()
            elif goal is self._gripper.goal:
                self._gripper.cancel()

    def hold(self, reason: str) -> None:
        """End whatever moves the arm, a stream included; it brakes and holds, and stays usable.

        A trajectory's goal ends as ABORTED.
        """
        with self._lock:
            self._trajectory.abort(reason)
            self._stream.release()

    def stop(self, reason: str) -> None:
        """Brake, hold, and refuse every motion until `reset`. Goals end as ABORTED."""
        with self._lock:
            self._stop(reason)

    def reset(self) -> None:
        """End a stop; the arm starts again from its measured position, the gripper keeps its grip.

        Raises:
            CommandError: the arm is still braking, or the measurement is not usable.
        """
        with self._lock:
            self._end_goals("the safety filter was reset")
            self._filter.reset(self._state.position)

    def synchronise(self, reason: str) -> None:
        """Take the measured position over now, as after a simulator has put the robot elsewhere.

        Goals end as ABORTED. A stop stays in force. The hardware is read: call this from the thread
        that calls `update`, or while that one waits.
        """
        state = self._hardware.read()
        with self._lock:
            self._synchronise = reason
            if self._usable(state):
                self._state = state
                self._command = HardwareCommand(
                    self._filter.position, self._filter.velocity, *self._gripper.command
                )

    def _stop(self, reason: str) -> None:
        self._end_goals(f"stopped: {reason}")
        self._filter.stop(reason)

    def _end_goals(self, reason: str) -> None:
        self._trajectory.abort(reason)
        self._gripper.abort(reason)
        self._stream.release()

    def _require_ready(self, refusal: Callable[[str], Exception]) -> float:
        if self._now is None:
            raise refusal("the control loop has not run yet")
        if self._filter.stopped:
            raise refusal(f"the robot is stopped: {self._filter.status.message}. Reset it first")
        return self._now

    def _reference(self) -> Setpoint:
        """Return the state last commanded, which a new trajectory starts from."""
        setpoint = self._trajectory.setpoint
        still = np.zeros_like(self._filter.velocity)
        return Setpoint(
            self._filter.position, self._filter.velocity, still if setpoint is None else setpoint.acceleration
        )
