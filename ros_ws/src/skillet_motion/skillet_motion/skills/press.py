"""Press: push a button in with closed fingers, and let it come back."""

from __future__ import annotations

from functools import partial

import numpy as np
import pydantic

from skillet_core.evaluation import OPENED_SHARE
from skillet_core.geometry import Array, Pose
from skillet_core.model import DataModel
from skillet_core.robot_interface import Robot
from skillet_motion.skills.approach import Onward, approach
from skillet_motion.skills.articulation import direction, fingertip_options, outermost
from skillet_motion.skills.carrying import require_empty
from skillet_motion.skills.checks import require_kind
from skillet_motion.skills.handle import share_of
from skillet_motion.skills.motions import close_fingers, follow_until, retreat, safely
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillArgumentError, SkillFailure

PRESS_SPEED = 0.05
"""Share of the velocity limits while pressing."""
BEYOND = 0.003
"""How far beyond the button's travel the fingers press [m]."""
GAP = 0.01
"""How far before the button the fast part of the approach ends [m]."""


class PressArguments(DataModel):
    """What to press."""

    object: str = pydantic.Field(description="name of the button")


def _check(robot: Robot, arguments: PressArguments) -> None:
    """Refuse what is not in the scene and what is no button."""
    require_kind(robot, arguments.object, ("button",), "cannot be pressed")
    if robot.task.object(arguments.object).articulation is None:
        raise SkillArgumentError(f"{arguments.object} has no joint to press it by")


def _run(robot: Robot, arguments: PressArguments, phase: PhaseCallback) -> None:
    name = arguments.object
    described = robot.task.object(name)
    joint = described.articulation
    if joint is None:
        raise SkillFailure(f"{name} has no joint")
    require_empty(robot)
    phase("plan")
    part, travel = robot.scene().object(name).pose, joint.opened - joint.closed
    inward = direction(part.apply(np.array(described.bounds.center)), joint, part, travel)
    face = outermost(described.bounds, part, -inward)
    close_fingers(robot)
    tip = robot.description.gripper.fingertip
    onward = Onward(partial(_moved, by=(GAP + abs(travel) + BEYOND) * inward), PRESS_SPEED)
    way = approach(robot, fingertip_options(face - GAP * inward, inward, tip), touching={name}, onward=onward)
    phase("approach")
    robot.follow(way.there)
    with safely(robot, phase, {name}):
        phase("reach")
        robot.follow(way.straight)
        phase("press")
        pressed = follow_until(robot, way.onward, lambda: share_of(robot, name) >= OPENED_SHARE)
    phase("retreat")
    moved = retreat(robot, {name})
    if not pressed:
        raise SkillFailure(f"{name} was not pressed in: the fingers met nothing, or too much resistance")
    if not moved:
        raise SkillFailure(f"{name} was pressed, but there is no way out for the gripper")


def _moved(pose: Pose, by: Array) -> list[Pose]:
    return [Pose(pose.position + by, pose.rotation)]


PRESS = Skill("press", "Push a button in and let it come back.", PressArguments, _run, _check)
