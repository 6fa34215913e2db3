"""Whether the arm brings the hand to a pose and to another one on the straight way there, freely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.geometry import Array, Pose
from skillet_core.trajectory import RobotState
from skillet_motion.planning_scene import PlanningScene

SEEDS = 4
"""Starts of the inverse kinematics for each pose, where it is numeric."""
_SAME_POSTURE = 1.2
HALF_TURN = Rotation.from_euler("z", np.pi)
"""About the grasp frame's z axis: the fingers change places."""


def free_posture(
    scene: PlanningScene,
    poses: Sequence[tuple[Pose, Pose]],
    state: RobotState,
    rng: np.random.Generator,
) -> tuple[int, Array] | str:
    """Find arm positions at one of some poses, free there and before it.

    Args:
        scene: its collision checks are up to date.
        poses: of the grasp frame in the world frame, each with the one that the straight way begins at.
        state: the arm is here: nearer postures come first.
        rng: draws the other starts of a numeric inverse kinematics.

    Returns:
        The pose's index and positions of shape (n,) [rad], or why there are none.
    """
    near, kinematics = state.positions, scene.kinematics
    found = [
        (float(np.linalg.norm(solution - near)), index, solution)
        for index, (pose, _) in enumerate(poses)
        for solution in kinematics.solutions(pose, near, rng=rng, seeds=SEEDS)
    ]
    if not found:
        return "out of reach"
    reason = ""
    for _, index, solution in sorted(found, key=lambda entry: entry[0]):
        overlaps = scene.collisions.overlaps(solution)
        if overlaps:
            reason = reason or f"the arm would hit {_other(overlaps[0].first, overlaps[0].second)}"
            continue
        before = kinematics.solve(poses[index][1], solution)
        if before is None or float(np.abs(before - solution).max()) > _SAME_POSTURE:
            reason = reason or "no straight way there"
        elif not scene.collisions.is_free(before):
            reason = reason or "no room on the way there"
        else:
            return index, solution
    return reason


def _other(first: str, second: str) -> str:
    """Return the name of the two that is not a link of the robot, or both."""
    things = [name for name in (first, second) if not name.startswith("robot/")]
    return things[0] if len(things) == 1 else f"{first} with {second}"
