"""The simulated robot behind the protocol that real ones stand behind too."""

from __future__ import annotations

import numpy as np

from skillet_control.hardware import HardwareCommand, HardwareState
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array
from skillet_sim.world import World

_LONGEST_PERIOD = 0.01
"""Time between two commands beyond which they are not taken for a steady stream [s]."""
_LEASH = 1.2
"""How far the finger's set-point runs ahead of the finger, in terms of what gives the full force."""


class MujocoArm:
    """`skillet_control.hardware.ArmHardware` on a `World`, which somebody else steps."""

    def __init__(self, world: World) -> None:
        """Take the robot of a world."""
        self._world = world
        self._robot, self._gripper = world.robot, world.robot.gripper
        self._model, self._data = world.model, world.data
        self._qpos, self._dofs, self._drives = world.joint_qpos, world.joint_dofs, world.joint_actuators
        finger = self._model.joint(ROBOT_PREFIX + self._gripper.joint)
        self._finger_qpos, self._finger_dof = int(finger.qposadr[0]), int(finger.dofadr[0])
        self._grip = world.gripper_actuator
        # a lead of damping/stiffness times the velocity makes the drives servo on the velocity too
        self._lead: Array = np.array([joint.damping / joint.stiffness for joint in self._robot.joints])
        self._written = world.time

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Arm joints, in the order of every array."""
        return self._robot.joint_names

    def read(self) -> HardwareState:
        """Return the state after the last physics step; efforts are those during it."""
        finger = float(self._data.qpos[self._finger_qpos])
        # the drive's effort is to a newton at the pads as the opening's speed to the joint's
        newton, slope = self._gripper.drive_effort(finger, 1.0), self._slope(finger)
        return HardwareState(
            stamp=self._world.time,
            position=self._data.qpos[self._qpos],
            velocity=self._data.qvel[self._dofs],
            effort=self._data.qfrc_actuator[self._dofs],
            gripper_opening=self._gripper.opening(finger),
            gripper_velocity=float(self._data.qvel[self._finger_dof]) * slope,
            gripper_effort=float(self._data.actuator_force[self._grip]) / newton * np.sign(slope),
        )

    def write(self, command: HardwareCommand) -> None:
        """Set the drives' commands; they act from the next physics step on.

        The fingers' set-point moves at the gripper's greatest speed, as the real grippers' own
        controllers do it.
        """
        elapsed = float(np.clip(self._world.time - self._written, 0.0, _LONGEST_PERIOD))
        self._written = self._world.time
        # the command is held until the next: aim at where the reference is in the middle of that time
        lead = self._lead + elapsed / 2
        self._data.ctrl[self._drives] = command.position + lead * command.velocity
        self._write_gripper(command.gripper_opening, command.gripper_force, elapsed)

    def _write_gripper(self, opening: float, force: float, elapsed: float) -> None:
        gripper, data = self._gripper, self._data
        finger = float(data.qpos[self._finger_qpos])
        effort = gripper.drive_effort(finger, min(max(force, 0.0), gripper.max_force))
        self._model.actuator_forcerange[self._grip] = -effort, effort
        speed = gripper.max_speed / abs(self._slope(finger))
        target = gripper.joint_position(opening)
        ahead = float(data.ctrl[self._grip])
        ahead += float(np.clip(target - ahead, -speed * elapsed, speed * elapsed))
        leash = _LEASH * effort / gripper.stiffness + speed * gripper.damping / gripper.stiffness
        data.ctrl[self._grip] = np.clip(ahead, finger - leash, finger + leash)

    def _slope(self, finger: float) -> float:
        """Change of the opening by the driven joint's position [m/rad or m/m]."""
        rising = self._gripper.opening_to_joint[-1][1] > self._gripper.opening_to_joint[0][1]
        slope = self._gripper.drive_effort(finger, 1.0)
        return slope if rising else -slope
