"""The gripper controller: moves the fingers to an opening, and notices when they hold something."""

from __future__ import annotations

import math

from skillet_control.errors import CommandError
from skillet_control.goals import GoalStatus, GripperGoal
from skillet_control.parameters import GripperParameters
from skillet_core.robot import GripperDescription


class GripperController:
    """Carries out one gripper command at a time. Not thread-safe.

    The commanded opening moves at a bounded speed. Fingers that do not follow it for the stall
    time are stalled: the goal ends, and they go on pushing with the force that was asked for.
    """

    def __init__(self, gripper: GripperDescription, parameters: GripperParameters | None = None) -> None:
        """Make a controller for a gripper; the default parameters when None."""
        self._gripper = gripper
        self._parameters = parameters or GripperParameters()
        self._speed = gripper.max_speed * self._parameters.speed_scale
        self._goal: GripperGoal | None = None
        self._command = self._target = gripper.max_opening
        self._force = gripper.max_force
        self._measured = self._command
        self._deadline = math.inf
        self._still_since = -math.inf
        self._still_at = self._command

    @property
    def goal(self) -> GripperGoal | None:
        """The goal being carried out."""
        return self._goal

    @property
    def command(self) -> tuple[float, float]:
        """Opening [m] and force [N] to write."""
        return self._command, self._force

    def synchronise(self, measured: float) -> None:
        """Take the measured opening [m] for the last command. A goal in progress is aborted."""
        self.abort("the gripper was synchronised with its measured opening")
        self._measured = measured
        self._command = self._target = min(max(measured, 0.0), self._gripper.max_opening)

    def check(self, opening: float, max_force: float) -> tuple[float, float]:
        """Return the opening [m] and force [N] to use; may be called from any thread.

        A force above the gripper's own is lowered to it, which keeps what was asked: at most so much.

        Raises:
            CommandError: the opening is out of range, or a value is not finite or not positive.
        """
        slack, widest = self._parameters.range_tolerance, self._gripper.max_opening
        if not -slack <= opening <= widest + slack:
            raise CommandError(
                f"{self._gripper.name} opens from 0 to {widest:.4f} m; {opening} m was asked for"
            )
        if not 0 < max_force < math.inf:
            raise CommandError(
                f"a gripper force must be above 0 N (at most {self._gripper.max_force:.4g} N is used), "
                f"got {max_force} N"
            )
        return min(max(opening, 0.0), widest), min(max_force, self._gripper.max_force)

    def start(self, opening: float, max_force: float, now: float) -> GripperGoal:
        """Move to an opening [m], pushing with at most ``max_force`` [N]. Replaces a goal in progress.

        Raises:
            CommandError: as for `check`; a goal in progress goes on.
        """
        target, force = self.check(opening, max_force)
        if self._goal is not None:
            self._goal.finish(GoalStatus.PREEMPTED, "replaced by a new gripper command")
        if (target - self._measured) * (self._command - self._measured) < 0:
            # turns round: begin where the fingers are, not where they were pushing to
            self._command = self._measured
        self._target, self._force = target, force
        self._goal = GripperGoal(target, force)
        travel = max(abs(target - self._command), abs(target - self._measured)) / self._speed
        self._deadline = now + travel + self._parameters.timeout
        self._still_since, self._still_at = now, self._measured
        return self._goal

    def cancel(self, message: str = "canceled by request") -> None:
        """End the goal as CANCELED and hold the present command, force included."""
        if self._goal is not None:
            goal, self._goal, self._target = self._goal, None, self._command
            goal.finish(GoalStatus.CANCELED, message)

    def abort(self, message: str) -> None:
        """End the goal as ABORTED and hold the present command, force included."""
        if self._goal is not None:
            goal, self._goal, self._target = self._goal, None, self._command
            goal.finish(GoalStatus.ABORTED, message)

    def update(self, now: float, dt: float, measured: float) -> None:
        """Advance by ``dt`` seconds to ``now`` with the fingers at a measured opening [m]."""
        self._measured = measured
        step = self._speed * dt
        if abs(self._target - self._command) <= step:
            self._command = self._target
        else:
            self._command += math.copysign(step, self._target - self._command)
        goal = self._goal
        if goal is None:
            return
        goal.opening = measured
        tolerance = self._parameters.goal_tolerance
        if self._command == goal.target and abs(measured - goal.target) <= tolerance:
            goal.reached = True
            self._finish(goal)
            return
        pushing = abs(self._command - measured) > tolerance
        if not pushing or abs(measured - self._still_at) > self._parameters.stall_distance:
            self._still_since, self._still_at = now, measured
        elif now - self._still_since >= self._parameters.stall_time:
            goal.stalled = True
            self._finish(goal)
            return
        if now > self._deadline:
            self.abort(f"the fingers are at {measured:.4f} m, and did not reach {goal.target:.4f} m in time")

    def _finish(self, goal: GripperGoal) -> None:
        self._goal = None
        goal.finish(GoalStatus.SUCCEEDED, "stalled" if goal.stalled else "")
