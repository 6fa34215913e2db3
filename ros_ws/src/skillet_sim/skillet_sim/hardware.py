"""The simulated robot behind the protocol that real ones stand behind too.

A control period of the simulator is some 80 microseconds long when it runs as fast as it goes, so
reading and writing take views of MuJoCo's arrays once and do without NumPy for single numbers.
"""

from __future__ import annotations

import bisect
import itertools

import numpy as np

from skillet_control.hardware import HardwareCommand, HardwareState
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array
from skillet_core.robot import GripperDescription
from skillet_sim.world import World

_LONGEST_PERIOD = 0.01
"""Time between two commands beyond which they are not taken for a steady stream [s]."""
_LEASH = 1.2
"""How far the fingers' set-point runs ahead of them, in terms of what gives the full force."""
_SETTLED = 1e-6
"""Change of the fingers' set-point in a period below which it is left alone [rad or m]."""
_SAME_PERIOD = 1e-9
"""Periods that differ by less differ by the rounding of the clock only [s]."""
_NEVER = (-1.0, -1.0, -1)


class OpeningTable:
    """A gripper's opening over the position of its driven joint, piecewise linear."""

    def __init__(self, gripper: GripperDescription) -> None:
        """Take the gripper's table."""
        pairs = sorted((joint, opening) for opening, joint in gripper.opening_to_joint)
        self._ends = pairs[0][0], pairs[-1][0]
        self._joints = [joint for joint, _ in pairs]
        # from, to, opening at position zero, slope
        self._segments: list[tuple[float, float, float, float]] = []
        for (q0, w0), (q1, w1) in itertools.pairwise(pairs):
            slope = (w1 - w0) / (q1 - q0)
            self._segments.append((q0, q1, w0 - slope * q0, slope))
        self._last = self._segments[0]

    def at(self, joint: float) -> tuple[float, float]:
        """Return the opening [m] and its change by the joint's position [m/rad or m/m]."""
        start, end, offset, slope = self._last  # fingers seldom change the segment
        if start <= joint <= end:
            return offset + slope * joint, slope
        segment = bisect.bisect_right(self._joints, joint, 1, len(self._segments)) - 1
        _, _, offset, slope = self._last = self._segments[segment]
        return offset + slope * min(max(joint, self._ends[0]), self._ends[1]), slope


def _scalar(array: Array, index: int) -> Array:
    """Return a view of one number of an array, shape ()."""
    return array[index : index + 1].reshape(())


class MujocoArm:
    """`skillet_control.hardware.ArmHardware` on a `World`, which somebody else steps."""

    def __init__(self, world: World) -> None:
        """Take the robot of a world."""
        robot, model, data = world.robot, world.model, world.data
        self._world = world
        self._data, self._gripper, self.joint_names = data, robot.gripper, robot.joint_names
        self._position, self._velocity = data.qpos[world.joint_qpos], data.qvel[world.joint_dofs]
        self._effort, self._drive = data.qfrc_actuator[world.joint_dofs], data.ctrl[world.joint_actuators]
        finger = model.joint(ROBOT_PREFIX + robot.gripper.joint)
        self._finger_position = _scalar(data.qpos, finger.qposadr[0])
        self._finger_velocity = _scalar(data.qvel, finger.dofadr[0])
        self._finger_drive = _scalar(data.ctrl, world.gripper_actuator)
        self._finger_effort = _scalar(data.actuator_force, world.gripper_actuator)
        self._finger_limit = model.actuator_forcerange[world.gripper_actuator]
        self._table = OpeningTable(robot.gripper)
        # a lead of damping/stiffness times the velocity makes the drives servo on the velocity too
        self._drive_lead: Array = np.array([joint.damping / joint.stiffness for joint in robot.joints])
        self._lead, self._lead_period = self._drive_lead, 0.0
        self._written = world.time
        self._asked_episode, self._set_point = -1, 0.0
        self._settled_for, self._settled_at = _NEVER, 0.0

    def read(self) -> HardwareState:
        """Return the state after the last physics step; efforts are those during it."""
        opening, slope = self._table.at(self._finger_position.item())
        # in HardwareState's order; by virtual work, the drive's effort times the joint's speed is the
        # pads' force times the opening's
        return HardwareState(
            self._data.time,
            self._position.copy(),
            self._velocity.copy(),
            self._effort.copy(),
            opening,
            self._finger_velocity.item() * slope,
            self._finger_effort.item() / slope,
        )

    def write(self, command: HardwareCommand) -> None:
        """Set the drives' commands; they act from the next physics step on.

        The fingers' set-point moves at the gripper's greatest speed, as the real grippers' own
        controllers do it.
        """
        position, velocity, opening, force = command
        now = self._data.time
        elapsed, self._written = now - self._written, now
        if abs(elapsed - self._lead_period) > _SAME_PERIOD:
            elapsed = min(max(elapsed, 0.0), _LONGEST_PERIOD)
            # held until the next command: aim at where the reference is in the middle of that time
            self._lead, self._lead_period = self._drive_lead + 0.5 * elapsed, elapsed
        drive = self._drive
        np.multiply(self._lead, velocity, drive)
        np.add(drive, position, drive)
        self._write_gripper(opening, force, elapsed)

    def _write_gripper(self, opening: float, force: float, elapsed: float) -> None:
        finger = self._finger_position.item()
        asked = opening, force, self._world.episode
        if asked == self._settled_for and abs(finger - self._settled_at) < _SETTLED:
            return
        if asked[2] != self._asked_episode:
            self._asked_episode, self._set_point = asked[2], finger
        gripper = self._gripper
        slope = abs(self._table.at(finger)[1])
        effort = slope * min(max(force, 0.0), gripper.max_force)
        self._finger_limit[:] = -effort, effort
        most = gripper.max_speed / slope * elapsed
        leash = _LEASH * effort / gripper.stiffness
        change = min(max(gripper.joint_position(opening) - self._set_point, -most), most)
        ahead = min(max(self._set_point + change, finger - leash), finger + leash)
        change, self._set_point = ahead - self._set_point, ahead
        lead = 0.0 if elapsed == 0.0 else gripper.damping / gripper.stiffness * change / elapsed
        self._finger_drive[...] = ahead + lead
        if elapsed > 0.0 and abs(change) < _SETTLED:
            self._settled_for, self._settled_at = asked, finger
        else:
            self._settled_for = _NEVER
