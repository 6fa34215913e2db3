"""The safety filter: whatever a controller asks for, this is what may reach the hardware.

A command is compared with the last *command*, never with the measured state (but for the start and
a reset), so a lagging or shaking arm cannot feed itself back. Between two commands a joint moves at a
constant velocity; the acceleration of a command is the difference of two such velocities over
the mean of their periods. Within these definitions no output breaks a velocity, acceleration or
position limit, whatever is asked for, and a motion that respects them passes bit for bit.

This is a software stop. It is no emergency stop and replaces none.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skillet_control.errors import CommandError
from skillet_control.parameters import SafetyParameters
from skillet_core.geometry import Array
from skillet_core.robot import RobotDescription

_TOLERANCE = 1e-9
"""Velocities closer than this [rad/s] differ by rounding only."""


class SafetyLevel(enum.IntEnum):
    """How much the filter interferes; the values of skillet_interfaces/msg/SafetyStatus."""

    OK = 0
    LIMITING = 1
    HOLDING = 2
    STOPPED = 3


@dataclass(frozen=True)
class SafetyStatus:
    """What the filter does and why.

    Attributes:
        level: commands pass, are clamped, are missing, or are stopped.
        owner: controller that owns the arm, empty when none does.
        message: what happened, in words.
        limited_joints: joints clamped in the last command or shortly before it.
    """

    level: SafetyLevel
    owner: str
    message: str
    limited_joints: tuple[str, ...]


class Watchdog:
    """Notices that a streamed source fell silent."""

    def __init__(self, timeout: float) -> None:
        """Allow a silence of ``timeout`` seconds."""
        self.timeout = timeout
        self._fed = -math.inf

    def feed(self, stamp: float) -> None:
        """Note that the source spoke at ``stamp`` [s]."""
        self._fed = max(self._fed, stamp)

    def clear(self) -> None:
        """Forget that the source ever spoke."""
        self._fed = -math.inf

    def expired(self, now: float) -> bool:
        """Whether the source has been silent for longer than the timeout."""
        return now - self._fed > self.timeout


def joint_array(
    values: Mapping[str, float] | Sequence[float] | Array, joint_names: tuple[str, ...], quantity: str
) -> Array:
    """Bring joint values into the arm's order.

    Args:
        values: by joint name, in any order; or one a joint in the arm's order.
        joint_names: the arm's joints.
        quantity: what the values are, for the message, e.g. ``"position"``.

    Returns:
        A new array, shape (n,).

    Raises:
        CommandError: a joint is unknown or missing, the shape is wrong, or a value is not finite.
    """
    if isinstance(values, Mapping):
        unknown = [name for name in values if name not in joint_names]
        missing = [name for name in joint_names if name not in values]
        if unknown or missing:
            faults = [f"unknown joint: {', '.join(unknown)}"] if unknown else []
            faults += [f"missing joint: {', '.join(missing)}"] if missing else []
            raise CommandError(f"{'; '.join(faults)}. The arm has: {', '.join(joint_names)}")
        values = [values[name] for name in joint_names]
    array = np.array(values, dtype=np.float64)
    if array.shape != (len(joint_names),):
        raise CommandError(
            f"{quantity} must have one value for each of the {len(joint_names)} joints "
            f"({', '.join(joint_names)}), got shape {array.shape}"
        )
    _require_finite(array, joint_names, quantity)
    return array


def _require_finite(array: Array, joint_names: tuple[str, ...], quantity: str) -> None:
    if math.isfinite(array.sum()):
        return
    pairs = zip(joint_names, array, strict=True)
    bad = [f"{name} is {value}" for name, value in pairs if not np.isfinite(value)]
    raise CommandError(f"{quantity} is not finite: {', '.join(bad) or 'the numbers are too large'}")


class SafetyFilter:
    """Stands between every controller and the hardware. See the module's description."""

    def __init__(
        self,
        robot: RobotDescription,
        parameters: SafetyParameters | None = None,
        *,
        grasp_position: Callable[[Array], Array] | None = None,
    ) -> None:
        """Make a filter; `synchronise` it before the first command.

        Args:
            robot: whose joint limits hold.
            parameters: further limits; the defaults when None.
            grasp_position: forward kinematics, arm positions (n,) [rad] to the position of the grasp
                frame in the base frame (3,) [m]. Needed with a workspace box only.

        Raises:
            CommandError: there is a workspace box, but no forward kinematics to check it with.
        """
        self.parameters = parameters or SafetyParameters()
        self.joint_names = robot.joint_names
        self._lower, self._upper = robot.lower, robot.upper
        self._limits = np.stack([robot.upper, robot.lower])
        self._signs = np.array([[1.0], [-1.0]])
        # a step covers max_period at the longest, so this speed keeps max_step whatever the period is
        self._max_velocity = np.minimum(
            robot.max_velocity * self.parameters.velocity_scale,
            self.parameters.max_step / self.parameters.max_period,
        )
        self._max_acceleration = robot.max_acceleration * self.parameters.acceleration_scale
        if self.parameters.has_workspace and grasp_position is None:
            raise CommandError("a workspace box needs the forward kinematics of the grasp frame")
        self._grasp_position = grasp_position if self.parameters.has_workspace else None
        self._leaving_workspace = False
        self._position = robot.home
        self._velocity = np.zeros(len(self.joint_names))
        self._target = self._position
        self._chasing = np.zeros(len(self.joint_names), dtype=bool)
        self._period = 0.0
        self._clock = 0.0
        self._limited: tuple[str, ...] = ()
        self._limited_at = -math.inf
        self._holding = ""
        self._stopped = ""
        self._owner = ""

    @property
    def position(self) -> Array:
        """The last command, shape (n,) [rad]."""
        return self._position

    @property
    def velocity(self) -> Array:
        """Rate at which the last command was approached, shape (n,) [rad/s]."""
        return self._velocity

    @property
    def moving(self) -> bool:
        """Whether the last command differed from the one before it."""
        return bool(self._velocity.any())

    @property
    def stopped(self) -> bool:
        """Whether a stop is in force."""
        return bool(self._stopped)

    @property
    def status(self) -> SafetyStatus:
        """What the filter does and why."""
        recent = self._clock - self._limited_at <= self.parameters.limiting_hold
        limited = self._limited if recent else ()
        if self._stopped:
            return SafetyStatus(SafetyLevel.STOPPED, self._owner, self._stopped, limited)
        if self._holding:
            return SafetyStatus(SafetyLevel.HOLDING, self._owner, self._holding, limited)
        if self._leaving_workspace:
            message = "held: the grasp frame would leave the workspace box"
            return SafetyStatus(SafetyLevel.LIMITING, self._owner, message, limited)
        if limited:
            return SafetyStatus(SafetyLevel.LIMITING, self._owner, f"limited: {', '.join(limited)}", limited)
        return SafetyStatus(SafetyLevel.OK, self._owner, "", ())

    def synchronise(self, measured: Array) -> None:
        """Take the measured position, shape (n,) [rad], for the last command, at rest.

        Raises:
            CommandError: it has the wrong shape or is not finite.
        """
        self._position = joint_array(measured, self.joint_names, "measured position")
        self._velocity = np.zeros(len(self.joint_names))
        self._target = self._position
        self._period = 0.0
        self._leaving_workspace = False
        self._limited, self._holding = (), ""
        self._chasing = np.zeros(len(self.joint_names), dtype=bool)

    def stop(self, reason: str) -> None:
        """Brake within the limits and refuse to move until `reset`."""
        self._stopped = self._stopped or reason or "stopped"

    def reset(self, measured: Array) -> None:
        """End a stop and start again from the measured position, shape (n,) [rad].

        Raises:
            CommandError: the arm is still braking, or the measurement is not usable.
        """
        if self.moving:
            raise CommandError("the arm is still braking; reset it when it has come to rest")
        self.synchronise(measured)
        self._stopped = ""

    def apply(
        self, position: Array, velocity: Array | None, dt: float, owner: str = ""
    ) -> tuple[Array, Array]:
        """Limit a command.

        Args:
            position: asked for, shape (n,) [rad].
            velocity: feed-forward, shape (n,) [rad/s]; None: the rate of the position's change.
            dt: time since the last command [s].
            owner: controller that asks, for the status.

        Returns:
            Position and velocity that may be written. When stopped: the braking ones.

        Raises:
            CommandError: a wrong shape, or a value that is not finite; nothing has changed.
        """
        self._require_valid(position, "position")
        if velocity is not None:
            self._require_valid(velocity, "velocity")
        self._owner, self._holding = owner, ""
        if dt <= 0:
            return self._position, self._velocity
        dt = min(dt, self.parameters.max_period)
        if self._stopped:
            return self._brake(dt)
        lower, upper = self._velocity_bounds(dt)
        wanted = (position - self._position) / dt
        excess = np.abs(wanted - np.minimum(np.maximum(wanted, lower), upper))
        limited = (excess > _TOLERANCE) | (position > self._upper) | (position < self._lower)
        target = position.copy()
        new_position, new_velocity = target, wanted
        if limited.any() or self._chasing.any():
            chase = np.minimum(np.maximum(self._chase(position, dt), lower), upper)
            # a target being chased is let pass again only where the arm meets it at its own pace
            limited |= self._chasing & (np.abs(chase - wanted) > _TOLERANCE)
            self._chasing = limited
            new_velocity = np.where(limited, chase, wanted)
            new_position = self._within_range(np.where(limited, self._position + chase * dt, position))
            if limited.any():
                self._limited = tuple(n for n, hit in zip(self.joint_names, limited, strict=True) if hit)
                self._limited_at = self._clock + dt
        if self._grasp_position and self._leaves_workspace(self._grasp_position, new_position, new_velocity):
            return self._brake(dt)
        self._advance(new_position, new_velocity, target, dt)
        if velocity is None:
            return new_position, new_velocity
        feed_forward = np.minimum(np.maximum(velocity, -self._max_velocity), self._max_velocity)
        return new_position, np.where(limited, new_velocity, feed_forward)

    def _require_valid(self, values: Array, quantity: str) -> None:
        if values.shape != self._position.shape:
            joint_array(values, self.joint_names, quantity)
        _require_finite(values, self.joint_names, quantity)

    def hold(self, dt: float, owner: str = "", because: str = "") -> tuple[Array, Array]:
        """Brake to a stand and stay there.

        Args:
            dt: time since the last command [s].
            owner: controller that owns the arm, for the status.
            because: why, if a source fell silent; empty when holding is what was asked for.

        Returns:
            Position and velocity that may be written.
        """
        self._owner, self._holding, self._leaving_workspace = owner, because, False
        if dt <= 0:
            return self._position, self._velocity
        return self._brake(min(dt, self.parameters.max_period))

    def _velocity_bounds(self, dt: float) -> tuple[Array, Array]:
        """Return the lowest and highest velocity of the next step that keep every limit."""
        ramp = self._max_acceleration * (0.5 * (dt + (self._period or dt)))
        # a joint that starts outside of its range may stay or return, but go no further
        room = np.maximum(self._signs * (self._limits - self._position), 0.0)
        approach = self._approach_speed(room, dt)
        upper = np.minimum(np.minimum(self._velocity + ramp, self._max_velocity), approach[0])
        lower = np.maximum(np.maximum(self._velocity - ramp, -self._max_velocity), -approach[1])
        return lower, upper

    def _approach_speed(self, distance: Array, dt: float) -> Array:
        """Return the highest speed over ``dt`` from which a joint can still stop within a distance.

        With v over the step, braking begins half a step later, from w = v - a dt / 2 (the parabola
        through the middle of the step), and needs w^2 / 2a. So v dt + w^2 / 2a = distance, which
        gives v = sqrt(2 a distance) - a dt / 2; below one step's braking it is distance / dt.
        Whatever the later periods are, braking at the limit then never needs more room.
        """
        half_step = self._max_acceleration * (0.5 * dt)
        twice = 2.0 * distance
        far = np.sqrt(self._max_acceleration * twice) - half_step
        return np.where(twice > self._max_acceleration * (dt * dt), far, distance / dt)

    def _chase(self, position: Array, dt: float) -> Array:
        """Return velocities that catch up with an unreachable target without overshooting it.

        The target's own velocity is matched, and the distance to it is closed as fast as the
        relative motion can still be braked.
        """
        pace = (position - self._target) / dt
        pace = np.minimum(np.maximum(pace, -self._max_velocity), self._max_velocity)
        gap = position - pace * dt - self._position
        return pace + np.copysign(self._approach_speed(np.abs(gap), dt), gap)

    def _within_range(self, position: Array) -> Array:
        """Undo the last bit by which a sum may round over a limit."""
        upper = np.maximum(self._upper, self._position)
        lower = np.minimum(self._lower, self._position)
        return np.minimum(np.maximum(position, lower), upper)

    def _brake(self, dt: float) -> tuple[Array, Array]:
        """Slow all joints down together, so that the arm stops along its present direction."""
        self._chasing = np.zeros(len(self.joint_names), dtype=bool)
        if not self._velocity.any():
            self._advance(self._position, self._velocity, self._position, dt)
            return self._position, self._velocity
        ramp = self._max_acceleration * (0.5 * (dt + (self._period or dt)))
        speed = np.abs(self._velocity)
        scale = max(0.0, 1.0 - float(np.min(ramp / np.maximum(speed, _TOLERANCE))))
        lower, upper = self._velocity_bounds(dt)
        velocity = np.minimum(np.maximum(self._velocity * scale, lower), upper)
        position = self._within_range(self._position + velocity * dt)
        self._advance(position, velocity, position, dt)
        return position, velocity

    def _leaves_workspace(
        self, grasp_position: Callable[[Array], Array], position: Array, velocity: Array
    ) -> bool:
        """Whether braking from this state would end outside of the box, further than now.

        Once true it stays so until the arm rests, so that it does not creep and brake in turns.
        """
        self._leaving_workspace = self._leaving_workspace and self.moving
        time_to_stop = float(np.max(np.abs(velocity) / self._max_acceleration))
        end = self._distance_outside(grasp_position(position + velocity * (0.5 * time_to_stop)))
        if end > 0 and end > self._distance_outside(grasp_position(self._position)):
            self._leaving_workspace = True
        return self._leaving_workspace

    def _distance_outside(self, point: Array) -> float:
        lower, upper = self.parameters.workspace_lower, self.parameters.workspace_upper
        return float(np.max(np.maximum(np.subtract(lower, point), np.subtract(point, upper))))

    def _advance(self, position: Array, velocity: Array, target: Array, dt: float) -> None:
        self._position, self._velocity, self._target = position, velocity, target
        self._period = dt
        self._clock += dt
