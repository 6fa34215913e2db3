"""Wait: let time pass, e.g. until something has dried, poured or come to rest."""

from __future__ import annotations

import pydantic

from skillet_core.model import DataModel
from skillet_core.robot_interface import Robot
from skillet_motion.skills.skill import PhaseCallback, Skill

LONGEST = 600.0
"""Longer waits are taken for a mistake [s]."""


class WaitArguments(DataModel):
    """How long to wait."""

    seconds: float = pydantic.Field(ge=0.0, le=LONGEST, description=f"how long [s], up to {LONGEST:.0f}")


def _check(_: Robot, __: WaitArguments) -> None:
    """The model has checked it all."""


def _run(robot: Robot, arguments: WaitArguments, phase: PhaseCallback) -> None:
    phase("wait")
    robot.wait(arguments.seconds)


WAIT = Skill("wait", "Stand still for a while.", WaitArguments, _run, _check)
