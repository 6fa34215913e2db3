"""Open and close: move a drawer, a lid or a flag along its joint by its handle."""

from __future__ import annotations

import pydantic

from skillet_core.evaluation import CLOSED_SHARE, OPENED_SHARE
from skillet_core.model import DataModel
from skillet_core.robot_interface import Robot
from skillet_motion.skills.carrying import require_empty
from skillet_motion.skills.checks import require_joint
from skillet_motion.skills.handle import pull, push_shut, share_of
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillFailure

SHARE_TOLERANCE = 0.1
"""How far from a wished share a part may come to stand."""
CLOSINGS = 2
"""How often it is pushed, or pulled where that is impossible."""


class OpenArguments(DataModel):
    """What to open, and how far."""

    object: str = pydantic.Field(description="name of a drawer, lid or flag")
    share: float = pydantic.Field(default=1.0, gt=0.0, le=1.0, description="how far; 1: all the way")


class CloseArguments(DataModel):
    """What to close."""

    object: str = pydantic.Field(description="name of a drawer, lid or flag")


def _check_open(robot: Robot, arguments: OpenArguments) -> None:
    require_joint(robot, arguments.object)


def _check_close(robot: Robot, arguments: CloseArguments) -> None:
    require_joint(robot, arguments.object)


def _run_open(robot: Robot, arguments: OpenArguments, phase: PhaseCallback) -> None:
    name, wish = arguments.object, arguments.share
    least = min(OPENED_SHARE, wish - SHARE_TOLERANCE)
    if share_of(robot, name) >= least:
        return
    require_empty(robot)
    pull(robot, name, wish, phase)
    share = share_of(robot, name)
    if share < least:
        raise SkillFailure(f"{name} is {100 * share:.0f} % open instead of {100 * wish:.0f} %")


def _run_close(robot: Robot, arguments: CloseArguments, phase: PhaseCallback) -> None:
    name = arguments.object
    if share_of(robot, name) <= CLOSED_SHARE:
        return
    require_empty(robot)
    for _ in range(CLOSINGS):
        # What pulls a lid most of the way cannot press it down on its rim, and the other way round.
        if not push_shut(robot, name, phase):
            pull(robot, name, 0.0, phase)
        if share_of(robot, name) <= CLOSED_SHARE:
            return
    raise SkillFailure(f"{name} is still {100 * share_of(robot, name):.0f} % open")


OPEN = Skill("open", "Open a drawer, a lid or a flag by its handle.", OpenArguments, _run_open, _check_open)
CLOSE = Skill("close", "Close a drawer, a lid or a flag.", CloseArguments, _run_close, _check_close)
