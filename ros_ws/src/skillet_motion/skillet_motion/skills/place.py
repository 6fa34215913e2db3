"""Place: put what the gripper holds into a container or onto a surface."""

from __future__ import annotations

import numpy as np
import pydantic
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError
from skillet_core.evaluation import is_grasped
from skillet_core.geometry import Array, Pose
from skillet_core.model import DataModel
from skillet_core.motion import CartesianGoal, PlanRequest
from skillet_core.robot_interface import Robot
from skillet_motion.skills.grasps import CLEARANCE
from skillet_motion.skills.motions import (
    LINEAR_SPEED,
    RELEASE_FORCE,
    Approach,
    approach,
    held_object,
    raised,
)
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillArgumentError, SkillFailure
from skillet_motion.skills.spots import floor_of, free_spots, lowest_point

DROP_HEIGHTS = (0.004, 0.015, 0.03, 0.05)
"""Heights above the floor at which the object is let go, lowest first [m]."""
HOVER = 0.06
"""How far above a container's rim, or a surface, the object is carried in [m]."""
RETREAT_HEIGHT = 0.10
"""Length of the straight way out [m]."""
FINGER_ROOM = 0.025
"""Room for an opening finger beside the object [m]."""
TURNS = (0.0, np.pi / 2, -np.pi / 2, np.pi)
"""Turns about the vertical that the object may be put down with [rad]."""
SETTLE = 0.2
"""Pause after letting go [s]."""


class PlaceArguments(DataModel):
    """What to put where."""

    object: str = pydantic.Field(description="name of the object in the gripper")
    target: str = pydantic.Field(description="name of the container or surface to put it into or onto")


def _check(robot: Robot, arguments: PlaceArguments) -> None:
    """Refuse what is not in the scene and targets that nothing can be put into."""
    robot.task.object(arguments.object)
    kind = robot.task.object(arguments.target).kind
    if kind == "movable":
        valid = sorted(name for name, entry in robot.task.objects.items() if entry.kind != "movable")
        raise SkillArgumentError(
            f"place: nothing can be put into {arguments.target}. Valid: {', '.join(valid) or '(none)'}"
        )


def _run(robot: Robot, arguments: PlaceArguments, phase: PhaseCallback) -> None:
    name, target = arguments.object, arguments.target
    held = held_object(robot)
    if held != name:
        raise SkillFailure(f"the gripper does not hold {name} but {held or 'nothing'}: pick it first")
    phase("plan")
    found = _plan(robot, name, target)
    phase("carry")
    robot.follow(found.there)
    _insist_on_grasp(robot, name)
    phase("descend")
    robot.follow(found.down)
    _insist_on_grasp(robot, name)
    phase("release")
    opening = robot.state().opening + 2 * CLEARANCE
    robot.grip(min(opening, robot.description.gripper.max_opening), RELEASE_FORCE)
    robot.wait(SETTLE)
    phase("retreat")
    up = CartesianGoal((raised(robot.grasp_pose(), RETREAT_HEIGHT),))
    robot.follow(robot.plan(PlanRequest(up, velocity_scaling=LINEAR_SPEED, touching=frozenset({name, target}))))
    if is_grasped(name, robot.scene(), robot.description.gripper):
        raise SkillFailure(f"{name} sticks to the fingers after they opened")


def _plan(robot: Robot, name: str, target: str) -> Approach:
    """Find a spot, a height and a way there.

    Raises:
        SkillFailure: there is none.
    """
    task, scene = robot.task, robot.scene()
    spots = free_spots(task, scene, target, name, FINGER_ROOM)
    if not spots:
        raise SkillFailure(f"there is no room for {name} in {target}")
    rim = float(scene.object(target).pose.apply(np.array(floor_of(task, target).upper))[2])
    options = [_release_poses(robot, name, spot, drop) for spot in spots for drop in DROP_HEIGHTS]
    height = HOVER + max(0.0, rim - float(spots[0][2]))
    try:
        return approach(robot, options, height=height, attached=name)
    except PlanningError as error:
        raise SkillFailure(f"no way to put {name} into {target}: {error}") from error


def _release_poses(robot: Robot, name: str, spot: Array, drop: float) -> list[Pose]:
    """Return grasp frame poses with the object's middle over a spot and its underside above it."""
    described, pose = robot.task.object(name), robot.scene().object(name).pose
    grasp = robot.grasp_pose()
    middle = pose.apply(np.array(described.bounds.center))
    below = middle[2] - lowest_point(described.bounds, pose)
    goal = np.array([spot[0], spot[1], spot[2] + drop + below])
    poses = []
    for angle in TURNS:
        turn = Rotation.from_euler("z", angle)
        poses.append(Pose(goal + turn.apply(grasp.position - middle), turn * grasp.rotation))
    return poses


def _insist_on_grasp(robot: Robot, name: str) -> None:
    """Notice an object that was dropped on the way.

    Raises:
        SkillFailure: it is no longer between the fingers.
    """
    if not is_grasped(name, robot.scene(), robot.description.gripper):
        raise SkillFailure(f"{name} was dropped on the way")


PLACE = Skill(
    "place", "Put what the gripper holds into a container or onto a surface.", PlaceArguments, _run, _check
)
