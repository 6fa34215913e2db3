"""Place on: put what the gripper holds onto a surface or another object."""

from __future__ import annotations

from typing import Self

import numpy as np
import pydantic
from scipy.spatial.transform import Rotation

from skillet_core.evaluation import is_on_top_of
from skillet_core.geometry import Array, Pose
from skillet_core.model import DataModel
from skillet_core.robot_interface import Robot
from skillet_motion.skills.carrying import require_held
from skillet_motion.skills.checks import require_kind
from skillet_motion.skills.placing import put_down
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillArgumentError, SkillFailure

OFF = 0.05
"""How far from a wished place the object may come to rest [m]."""


class PlaceOnArguments(DataModel):
    """What to put onto what, and where."""

    object: str = pydantic.Field(description="name of the object in the gripper")
    target: str = pydantic.Field(description="name of what to put it onto")
    x: float | None = pydantic.Field(default=None, description="wished place, world frame [m]; with y")
    y: float | None = pydantic.Field(default=None, description="wished place, world frame [m]; with x")
    yaw: float | None = pydantic.Field(
        default=None, description="wished turn about the vertical from the object's upright frame [rad]"
    )

    @pydantic.model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.x is None) != (self.y is None):
            raise ValueError("x and y belong together: give both or neither")
        return self


def _check(robot: Robot, arguments: PlaceOnArguments) -> None:
    """Refuse what is not in the scene, and putting a thing onto itself."""
    require_kind(robot, arguments.object, ("movable",), "cannot be carried")
    robot.task.object(arguments.target)
    if arguments.target == arguments.object:
        raise SkillArgumentError(f"{arguments.object} cannot be put onto itself")


def _run(robot: Robot, arguments: PlaceOnArguments, phase: PhaseCallback) -> None:
    name, target = arguments.object, arguments.target
    require_held(robot, name)

    def verdict(pose: Pose) -> str:
        if arguments.x is None or arguments.y is None:
            return ""
        off = float(np.linalg.norm(pose.position[:2] - np.array([arguments.x, arguments.y])))
        return f"{name} is {100 * off:.0f} cm from the wished place" if off > OFF else ""

    put_down(robot, name, target, phase, wish=_wish(robot, arguments), verdict=verdict)
    if not is_on_top_of(name, target, robot.scene()):
        raise SkillFailure(f"{name} did not come to rest on {target}")


def _wish(robot: Robot, arguments: PlaceOnArguments) -> Pose | None:
    """Return the wished pose of the object, where something is wished."""
    here = robot.scene().object(arguments.object).pose
    if arguments.x is None and arguments.yaw is None:
        return None
    position = here.position.copy()
    if arguments.x is not None and arguments.y is not None:
        position[:2] = arguments.x, arguments.y
    if arguments.yaw is None:
        return Pose(position, here.rotation)
    return Pose(position, Rotation.from_euler("z", arguments.yaw - heading(here.rotation)) * here.rotation)


def heading(rotation: Rotation) -> float:
    """Return the turn about the vertical [rad] of the axis, x or y, that is the more horizontal one."""
    axes: Array = rotation.as_matrix()
    x, y = axes[:, 0], axes[:, 1]
    if np.hypot(x[0], x[1]) >= np.hypot(y[0], y[1]):
        return float(np.arctan2(x[1], x[0]))
    return float(np.arctan2(-y[0], y[1]))


PLACE_ON = Skill(
    "place_on", "Put what the gripper holds onto a surface or another object.", PlaceOnArguments, _run, _check
)
