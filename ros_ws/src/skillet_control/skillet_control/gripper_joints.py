"""The gripper's joints in a joint state: what its opening, speed and force are in joint terms."""

from __future__ import annotations

import bisect

import numpy as np

from skillet_core.geometry import Array
from skillet_core.robot import GripperDescription


class GripperJoints:
    """Turns an opening into joint positions; the driven joint first, then those that mimic it."""

    def __init__(self, gripper: GripperDescription) -> None:
        """Take a gripper's table and its mimicking joints."""
        self.names = gripper.joint_names
        self._openings = [opening for opening, _ in gripper.opening_to_joint]
        self._positions = [position for _, position in gripper.opening_to_joint]
        self._factors = np.array([1.0, *gripper.mimic.values()])

    def at(self, opening: float, velocity: float, force: float) -> tuple[Array, Array, Array]:
        """Return positions, velocities and efforts of the joints, shape (k,) each.

        Args:
            opening: gap between the pads [m]; clamped to the table.
            velocity: of the opening [m/s].
            force: between the pads, positive while it pushes them open [N].
        """
        openings, positions = self._openings, self._positions
        k = min(max(bisect.bisect_right(openings, opening), 1), len(openings) - 1)
        slope = (positions[k] - positions[k - 1]) / (openings[k] - openings[k - 1])
        clamped = min(max(opening, openings[0]), openings[-1])
        driven = positions[k - 1] + slope * (clamped - openings[k - 1])
        effort = np.zeros(len(self._factors))
        # by virtual work: force times the opening's speed is effort times the joint's speed
        effort[0] = force / slope
        return driven * self._factors, slope * velocity * self._factors, effort
