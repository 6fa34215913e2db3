"""Place in: put what the gripper holds into a container."""

from __future__ import annotations

import numpy as np
import pydantic

from skillet_core.evaluation import INSIDE_FRACTION, inside_fraction
from skillet_core.geometry import Pose
from skillet_core.model import DataModel
from skillet_core.robot_interface import Robot
from skillet_core.scene import Box, ObjectDescription, ObjectState
from skillet_motion.skills.carrying import require_held
from skillet_motion.skills.checks import require_kind
from skillet_motion.skills.motions import corners, raised
from skillet_motion.skills.placing import put_down
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillArgumentError

FALL = 0.06
"""Things are let go at most this high over the floor [m]; what is higher lies on something."""


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

    def verdict(pose: Pose) -> str:
        task, outer = robot.task, robot.scene().object(target)
        fallen = _fallen(task.object(name).bounds, pose, task.object(target), outer.pose)
        fraction = inside_fraction(task.object(name), ObjectState(fallen), task.object(target), outer)
        if fraction >= INSIDE_FRACTION:
            return ""
        return f"{name} is only {100 * fraction:.0f} % inside {target}"

    put_down(robot, name, target, verdict, phase)


def _fallen(bounds: Box, pose: Pose, container: ObjectDescription, world_from_container: Pose) -> Pose:
    """Return a pose lowered, where there is nothing below it, to the container's floor."""
    if container.interior is None:
        return pose
    floor = world_from_container.apply(
        np.array([*container.interior.center[:2], container.interior.lower[2]])
    )
    gap = float(corners(bounds, pose)[:, 2].min() - floor[2])
    return raised(pose, -gap) if 0.0 < gap < FALL else pose


PLACE_IN = Skill("place_in", "Put what the gripper holds into a container.", PlaceInArguments, _run, _check)
