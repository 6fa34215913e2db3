"""Hardware as the controllers see it: a state to read, a command to write.

MuJoCo, a UR over RTDE and a Panda over Polymetis are implementations of `ArmHardware`. All arrays
have one entry a joint, in the order of `RobotDescription.joint_names`.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from skillet_core.geometry import Array


class HardwareState(NamedTuple):
    """What the hardware measures; a tuple, because one is made in every control period.

    Attributes:
        stamp: time of the measurement, seconds of the robot's clock.
        position: shape (n,) [rad].
        velocity: shape (n,) [rad/s].
        effort: shape (n,) [Nm].
        gripper_opening: gap between the finger pads [m].
        gripper_velocity: of the opening, positive while it widens [m/s].
        gripper_effort: force between the pads, positive while it pushes them open [N].
    """

    stamp: float
    position: Array
    velocity: Array
    effort: Array
    gripper_opening: float
    gripper_velocity: float
    gripper_effort: float


class HardwareCommand(NamedTuple):
    """What the hardware shall do until the next command.

    Attributes:
        position: where each joint shall be now, shape (n,) [rad].
        velocity: how fast it shall be moving there, a feed-forward, shape (n,) [rad/s].
        gripper_opening: gap between the finger pads to move to [m].
        gripper_force: the most that the fingers may push with [N].
    """

    position: Array
    velocity: Array
    gripper_opening: float
    gripper_force: float


class ArmHardware(Protocol):
    """An arm with a gripper. Neither method may block for longer than a control period."""

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Arm joints, in the order of every array."""

    def read(self) -> HardwareState:
        """Return the newest measurement."""

    def write(self, command: HardwareCommand) -> None:
        """Pass on a command. It has been through the safety filter."""
