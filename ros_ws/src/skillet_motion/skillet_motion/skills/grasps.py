"""Where to grasp a box from above: the fingers close along one of its horizontal sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.geometry import Array, Pose
from skillet_core.robot import GripperDescription
from skillet_core.scene import Box

CLEARANCE = 0.012
"""Gap between object and finger on each side before the fingers close [m]."""
REACH_DOWN = 0.03
"""How far below a tall object's top the finger pads close at most [m]."""
SQUEEZE_MARGIN = 0.002
"""The widest object must be narrower than the opening by this [m]."""
_UPRIGHT = np.cos(np.deg2rad(25.0))


@dataclass(frozen=True)
class TopGrasp:
    """One way to grasp from above.

    Attributes:
        poses: of the grasp frame in the world frame: as it is, and turned by half a turn.
        width: of the object between the fingers [m].
        opening: of the fingers before they close [m].
    """

    poses: tuple[Pose, Pose]
    width: float
    opening: float


def top_grasps(bounds: Box, pose: Pose, gripper: GripperDescription) -> list[TopGrasp]:
    """Return the grasps from above that the gripper is wide enough for, narrowest side first.

    Args:
        bounds: the object's box in its own frame.
        pose: of the object in the world frame.
        gripper: whose opening limits the width.

    Returns:
        At most two; empty when the object is too wide, or leans by more than 25 degrees so that no
        side of its box is horizontal.
    """
    axes = pose.rotation.as_matrix()
    up = int(np.argmax(np.abs(axes[2])))
    if abs(axes[2, up]) < _UPRIGHT:
        return []
    center = pose.apply(np.array(bounds.center))
    half_height = bounds.size[up] / 2
    depth = min(half_height, REACH_DOWN)
    position = center + np.array([0.0, 0.0, half_height - depth])
    grasps = []
    for side in sorted({0, 1, 2} - {up}, key=lambda axis: bounds.size[axis]):
        width = bounds.size[side]
        if width > gripper.max_opening - SQUEEZE_MARGIN:
            continue
        turned = tuple(Pose(position, downward(sign * axes[:, side])) for sign in (1.0, -1.0))
        opening = min(gripper.max_opening, width + 2 * CLEARANCE)
        grasps.append(TopGrasp((turned[0], turned[1]), width, opening))
    return grasps


def downward(closing: Array) -> Rotation:
    """Return the orientation that looks straight down, with its y axis along a direction.

    Args:
        closing: shape (3,), world frame; its vertical part is dropped.
    """
    y = np.array([closing[0], closing[1], 0.0])
    y /= np.linalg.norm(y)
    z = np.array([0.0, 0.0, -1.0])
    return Rotation.from_matrix(np.stack([np.cross(y, z), y, z], axis=1))
