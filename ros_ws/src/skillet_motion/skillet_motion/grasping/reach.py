"""Whether the arm brings the hand to a pose, along a straight way there and on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from skillet_core.geometry import Array, Pose
from skillet_core.trajectory import RobotState
from skillet_motion.kinematics import ArmKinematics
from skillet_motion.planning_scene import PlanningScene

SEEDS = 4
"""Starts of the inverse kinematics for each pose, where it is numeric."""
LINE_STEP = 0.025
"""Between two looks at a straight way [m]."""
LARGEST_MOVE = 0.45
"""Of a joint from one look to the next [rad]: more is near a singularity."""
HALF_TURN = Rotation.from_euler("z", np.pi)
"""About the grasp frame's z axis: the fingers change places."""


@dataclass(frozen=True)
class Target:
    """A pose of the grasp frame in the world frame, and what the arm must be able to do around it.

    Attributes:
        pose: to be free at.
        backs: on the straight way there, from the pose backwards; free as well.
        onward: on the straight way from there, to be reached; whether they are free is not looked at.
    """

    pose: Pose
    backs: tuple[Pose, ...] = ()
    onward: tuple[Pose, ...] = ()


def line(pose: Pose, offset: Array) -> tuple[Pose, ...]:
    """Return poses on a straight way from a pose, no further apart than `LINE_STEP`, without the first.

    Args:
        pose: in the world frame.
        offset: to the last one, world frame, shape (3,) [m].
    """
    count = int(np.ceil(np.linalg.norm(offset) / LINE_STEP))
    return tuple(Pose(pose.position + offset * step / count, pose.rotation) for step in range(1, count + 1))


def free_posture(
    scene: PlanningScene, targets: Sequence[Target], state: RobotState, rng: np.random.Generator
) -> tuple[int, Array] | str:
    """Find arm positions at one of some targets, from which their straight ways can be followed.

    Args:
        scene: its collision checks are up to date.
        targets: any will do.
        state: the arm is here: nearer postures come first.
        rng: draws the other starts of a numeric inverse kinematics.

    Returns:
        The target's index and positions of shape (n,) [rad], or why there are none.
    """
    found: tuple[int, Array] | str = "out of reach"
    for seeds in (1, SEEDS):
        found = _free_one(scene, targets, state.positions, rng, seeds=seeds)
        if not isinstance(found, str):
            break
    return found


def _free_one(
    scene: PlanningScene, targets: Sequence[Target], near: Array, rng: np.random.Generator, *, seeds: int
) -> tuple[int, Array] | str:
    """Do what `free_posture` does, with so many starts."""
    kinematics, is_free = scene.kinematics, scene.collisions.is_free
    found = [
        (float(np.linalg.norm(solution - near)), index, solution)
        for index, target in enumerate(targets)
        for solution in kinematics.solutions(target.pose, near, rng=rng, seeds=seeds)
    ]
    reason = "" if found else "out of reach"
    for _, index, solution in sorted(found, key=lambda entry: entry[0]):
        if not is_free(solution):
            overlap = scene.collisions.overlaps(solution)[0]
            reason = reason or f"the arm would hit {_other(overlap.first, overlap.second)}"
            continue
        target = targets[index]
        if _follows(kinematics, solution, target.onward) is None:
            reason = reason or "no straight way from there"
            continue
        passed = _follows(kinematics, solution, target.backs)
        if passed is None:
            reason = reason or "no straight way there"
        elif not all(map(is_free, passed)):
            reason = reason or "no room on the way there"
        else:
            return index, solution
    return reason


def _follows(kinematics: ArmKinematics, start: Array, poses: Sequence[Pose]) -> list[Array] | None:
    """Return arm positions at poses one after another, or None where one is out of reach or a jump away."""
    passed, before = [], start
    for pose in poses:
        solution = kinematics.solve(pose, before)
        if solution is None or float(np.abs(solution - before).max()) > LARGEST_MOVE:
            return None
        passed.append(solution)
        before = solution
    return passed


def _other(first: str, second: str) -> str:
    """Return the name of the two that is not a link of the robot, or both."""
    things = [name for name in (first, second) if not name.startswith("robot/")]
    return things[0] if len(things) == 1 else f"{first} with {second}"
