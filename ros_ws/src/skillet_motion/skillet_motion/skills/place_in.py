"""Place in: put what the gripper holds into a container."""

from __future__ import annotations

import pydantic

from skillet_core.evaluation import INSIDE_FRACTION, inside_fraction
from skillet_core.model import DataModel
from skillet_core.robot_interface import Robot
from skillet_motion.skills.carrying import require_held
from skillet_motion.skills.checks import require_kind
from skillet_motion.skills.placing import put_down
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillArgumentError, SkillFailure


class PlaceInArguments(DataModel):
    """What to put into what."""

    object: str = pydantic.Field(description="name of the object in the gripper")
    target: str = pydantic.Field(description="name of the container to put it into")


def _check(robot: Robot, arguments: PlaceInArguments) -> None:
    """Refuse what is not in the scene and targets without an inside."""
    require_kind(robot, arguments.object, ("movable",), "cannot be carried")
    if robot.task.object(arguments.target).interior is None:
        valid = sorted(name for name, entry in robot.task.objects.items() if entry.interior is not None)
        raise SkillArgumentError(
            f"nothing can be put into {arguments.target}. Valid: {', '.join(valid) or '(none)'}"
        )


def _run(robot: Robot, arguments: PlaceInArguments, phase: PhaseCallback) -> None:
    name, target = arguments.object, arguments.target
    require_held(robot, name)

    put_down(robot, name, target, phase)
    task, scene = robot.task, robot.scene()
    fraction = inside_fraction(
        task.object(name), scene.object(name), task.object(target), scene.object(target)
    )
    if fraction < INSIDE_FRACTION:
        raise SkillFailure(f"{name} is only {100 * fraction:.0f} % inside {target}")


PLACE_IN = Skill("place_in", "Put what the gripper holds into a container.", PlaceInArguments, _run, _check)
