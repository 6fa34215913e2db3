"""Every skill by name, and the one way to run one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skillet_core.errors import UnknownNameError
from skillet_core.robot_interface import Robot
from skillet_motion.skills.go_home import GO_HOME
from skillet_motion.skills.grasp import GRASP
from skillet_motion.skills.move_to import MOVE_TO
from skillet_motion.skills.open_close import CLOSE, OPEN
from skillet_motion.skills.place_in import PLACE_IN
from skillet_motion.skills.place_on import PLACE_ON
from skillet_motion.skills.press import PRESS
from skillet_motion.skills.push import PUSH
from skillet_motion.skills.reorient import REORIENT
from skillet_motion.skills.skill import FAILURES, INTERRUPTIONS, PhaseCallback, Skill, SkillResult
from skillet_motion.skills.wait import WAIT

SKILLS: dict[str, Skill[Any]] = {
    skill.name: skill
    for skill in (GRASP, PLACE_IN, PLACE_ON, MOVE_TO, OPEN, CLOSE, PRESS, PUSH, REORIENT, GO_HOME, WAIT)
}


def skill_names() -> tuple[str, ...]:
    """Return every skill that can be asked for."""
    return tuple(sorted(SKILLS))


def skill(name: str) -> Skill[Any]:
    """Look a skill up by name.

    Raises:
        UnknownNameError: there is no such skill; the message lists those there are.
    """
    if name not in SKILLS:
        raise UnknownNameError("skill", name, SKILLS)
    return SKILLS[name]


def _ignore(_: str) -> None:
    """Report phases to nobody."""


def run_skill(
    robot: Robot, name: str, arguments: Mapping[str, object], phase: PhaseCallback = _ignore
) -> SkillResult:
    """Run a skill to its end.

    Args:
        robot: the robot to run it on.
        name: of the skill.
        arguments: for the skill's argument model.
        phase: told each phase as it begins.

    Returns:
        Whether it worked, or why it did not.

    Raises:
        UnknownNameError: no such skill, or no such object in the scene; nothing moved.
        SkillArgumentError: the arguments do not fit; nothing moved.
        CancelledError: `Robot.cancel` was called; the arm holds, the gripper keeps what it has.
        StaleStateError: the robot or the scene fell silent.
    """
    chosen = skill(name)
    parsed = chosen.parse(arguments)
    chosen.check(robot, parsed)
    try:
        chosen.run(robot, parsed, phase)
    except INTERRUPTIONS:
        raise
    except FAILURES as error:
        return SkillResult(success=False, reason=f"{name}: {error}")
    return SkillResult(success=True)
