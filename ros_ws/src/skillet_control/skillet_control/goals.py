"""Goals: what was asked of a controller and what became of it, readable from any thread."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable


class GoalStatus(enum.Enum):
    """How far a goal has come. Every status but ACTIVE is final."""

    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    ABORTED = "aborted"
    PREEMPTED = "preempted"
    CANCELED = "canceled"


class ErrorCode(enum.IntEnum):
    """Why a trajectory failed; the values of control_msgs/action/FollowJointTrajectory."""

    SUCCESSFUL = 0
    INVALID_GOAL = -1
    INVALID_JOINTS = -2
    OLD_HEADER_TIMESTAMP = -3
    PATH_TOLERANCE_VIOLATED = -4
    GOAL_TOLERANCE_VIOLATED = -5


class Goal:
    """What was asked of a controller.

    Attributes:
        status: ACTIVE until it ends.
        message: why it ended so, in words; empty when it succeeded as asked.
    """

    def __init__(self) -> None:
        self.status = GoalStatus.ACTIVE
        self.message = ""
        self._ended = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @property
    def done(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.status is not GoalStatus.ACTIVE

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it ends or ``timeout`` seconds of real time have passed; return `done`."""
        self._ended.wait(timeout)
        return self.done

    def when_done(self, callback: Callable[[], None]) -> None:
        """Call back once when it ends, or now if it has ended.

        The callback runs in the control thread: it must be short and must not call the manager.
        """
        with self._lock:
            if not self.done:
                self._callbacks.append(callback)
                return
        callback()

    def finish(self, status: GoalStatus, message: str = "") -> None:
        """End it. For controllers; a goal that has ended stays as it is."""
        with self._lock:
            if self.done:
                return
            self.message = message
            self.status = status
            callbacks, self._callbacks = self._callbacks, []
        self._ended.set()
        for callback in callbacks:
            callback()


class TrajectoryGoal(Goal):
    """A trajectory being followed.

    Attributes:
        error_code: SUCCESSFUL unless it was aborted.
        duration: planned time [s].
    """

    def __init__(self, duration: float = 0.0) -> None:
        super().__init__()
        self.error_code = ErrorCode.SUCCESSFUL
        self.duration = duration

    def abort(self, code: ErrorCode, message: str) -> None:
        """End it as failed. For controllers."""
        if not self.done:
            self.error_code = code
            self.finish(GoalStatus.ABORTED, message)


class GripperGoal(Goal):
    """A gripper command being carried out.

    Attributes:
        target: commanded opening [m].
        force: most that the fingers may push with [N].
        opening: where the fingers are, then where they ended [m].
        stalled: they push without moving, as around an object.
        reached: the commanded opening was reached.
    """

    def __init__(self, target: float, force: float) -> None:
        super().__init__()
        self.target, self.force = target, force
        self.opening = target
        self.stalled = False
        self.reached = False
