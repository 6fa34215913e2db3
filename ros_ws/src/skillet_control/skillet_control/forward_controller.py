"""The forward position controller: streamed joint targets go to the safety filter as they come.

Rates are limited by the filter. When the stream falls silent the arm brakes and holds; it is never
commanded to zero. The next target resumes the motion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skillet_control.errors import CommandError
from skillet_control.parameters import StreamParameters
from skillet_control.safety import Watchdog, joint_array
from skillet_core.geometry import Array
from skillet_core.robot import RobotDescription


class ForwardController:
    """Keeps the newest target of one stream. Not thread-safe."""

    def __init__(self, robot: RobotDescription, parameters: StreamParameters | None = None) -> None:
        """Make a controller for a robot; the default parameters when None."""
        self._joint_names = robot.joint_names
        self._timeout = (parameters or StreamParameters()).timeout
        self._watchdog = Watchdog(self._timeout)
        self._target: Array | None = None

    @property
    def streaming(self) -> bool:
        """Whether a stream has begun and was not released, be it silent or not."""
        return self._target is not None

    def silent(self, now: float) -> bool:
        """Whether the stream has been silent for longer than its timeout, or never began."""
        return self._watchdog.expired(now)

    def accept(
        self, positions: Mapping[str, float] | Sequence[float] | Array, stamp: float, now: float
    ) -> None:
        """Take the next target.

        Args:
            positions: by joint name, or in the arm's order [rad].
            stamp: when it was sent [s].
            now: [s].

        Raises:
            CommandError: a joint is unknown or missing, the shape is wrong, a value is not finite,
                or the target is as old as the timeout. The last target stays in force.
        """
        target = joint_array(positions, self._joint_names, "streamed position")
        if now - stamp > self._timeout:
            raise CommandError(
                f"the streamed position is {now - stamp:.3f} s old; at most {self._timeout:.3f} s is allowed"
            )
        self._target = target
        self._watchdog.feed(min(stamp, now))

    def release(self) -> None:
        """Forget the stream."""
        self._target = None
        self._watchdog.clear()

    def update(self, now: float) -> Array | None:
        """Return the position to ask for, shape (n,) [rad]; None: hold, the stream is silent."""
        return None if self.silent(now) else self._target
