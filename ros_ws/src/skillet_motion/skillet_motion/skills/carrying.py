"""The thing between the fingers: what it is, and seeing to it that it stays there."""

from __future__ import annotations

from skillet_core.evaluation import is_grasped
from skillet_core.robot_interface import Robot, Watch
from skillet_core.trajectory import JointTrajectory
from skillet_motion.skills.skill import SkillFailure

MISSES = 2
"""Looks in a row that must miss the object before it counts as dropped: a contact may skip one."""


def held_object(robot: Robot) -> str | None:
    """Return the movable object between the fingers, or None."""
    scene = robot.scene()
    for name, described in robot.task.objects.items():
        if described.kind == "movable" and is_grasped(name, scene, robot.description.gripper):
            return name
    return None


def require_held(robot: Robot, name: str) -> None:
    """Insist that the gripper holds an object.

    Raises:
        SkillFailure: it holds another one, or nothing.
    """
    held = held_object(robot)
    if held != name:
        raise SkillFailure(f"the gripper does not hold {name} but {held or 'nothing'}: grasp it first")


def require_empty(robot: Robot) -> None:
    """Insist that the gripper holds nothing.

    Raises:
        SkillFailure: it holds something.
    """
    held = held_object(robot)
    if held is not None:
        raise SkillFailure(f"the gripper holds {held}: place it first")


def holds(robot: Robot, name: str) -> bool:
    """Whether both fingers touch an object."""
    return is_grasped(name, robot.scene(), robot.description.gripper)


def grip_watch(robot: Robot, name: str, complaint: str) -> Watch:
    """Make a watch that raises `SkillFailure` with the complaint once the fingers have lost an object."""
    missed = 0

    def watch() -> None:
        nonlocal missed
        missed = 0 if holds(robot, name) else missed + 1
        if missed >= MISSES:
            raise SkillFailure(complaint)

    return watch


def carry(robot: Robot, trajectory: JointTrajectory, name: str | None) -> None:
    """Follow a trajectory with an object in the gripper, and stop where it falls out.

    Args:
        robot: moves.
        trajectory: what to follow.
        name: of the object; None: the gripper is empty.

    Raises:
        SkillFailure: it was dropped on the way.
        ExecutionError: the motion was aborted.
        CancelledError: `Robot.cancel` was called; the arm holds, the gripper keeps what it has.
        StaleStateError: the robot fell silent.
    """
    if name is None:
        robot.follow(trajectory)
        return
    complaint = f"{name} was dropped on the way"
    robot.follow(trajectory, grip_watch(robot, name, complaint))
    if not holds(robot, name):
        raise SkillFailure(complaint)
