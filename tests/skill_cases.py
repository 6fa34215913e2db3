"""Every skill once, as data: the same table runs directly on the simulator and through ROS 2 actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skillet_core import conditions
from skillet_core.evaluation import holds, is_grasped
from skillet_core.geometry import Array
from skillet_core.robot import RobotDescription
from skillet_core.scene import SceneState, TaskDescription


@dataclass(frozen=True)
class Outcome:
    """What can be seen of a skill's effect, whoever ran it.

    Attributes:
        robot: which robot.
        task: which scene.
        before: the scene before the skill, after its preparation.
        after: the scene at its end.
        positions: of the arm at its end, shape (n,) [rad].
        seconds: that it took on the robot's clock.
    """

    robot: RobotDescription
    task: TaskDescription
    before: SceneState
    after: SceneState
    positions: Array
    seconds: float

    def holds(self, condition: conditions.Condition) -> bool:
        return holds(condition, self.after, self.task, self.robot.gripper)

    def moved(self, name: str) -> Array:
        return self.after.object(name).pose.position - self.before.object(name).pose.position


@dataclass(frozen=True)
class SkillCase:
    """A skill with arguments, in a scene.

    Attributes:
        task: name of the scene.
        skill: name of the skill.
        arguments: its arguments.
        succeeded: looks at the outcome.
        preparation: skills that come before, with their arguments.
        seed: of the scene.
    """

    task: str
    skill: str
    arguments: Mapping[str, Any]
    succeeded: Callable[[Outcome], bool]
    preparation: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    seed: int = 0

    @property
    def label(self) -> str:
        return "-".join([self.skill, *(str(v) for v in self.arguments.values() if isinstance(v, str))])


RED = "red_block"
GRASP_RED = ("grasp", {"object": RED})


def _condition(condition: conditions.Condition) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.holds(condition)


def _lifted(outcome: Outcome) -> bool:
    return is_grasped(RED, outcome.after, outcome.robot.gripper) and outcome.moved(RED)[2] > 0.05


def _still_held(outcome: Outcome) -> bool:
    turned = outcome.after.object(RED).pose.distance_to(outcome.before.object(RED).pose)[1]
    return is_grasped(RED, outcome.after, outcome.robot.gripper) and turned < 0.15


def _pushed(outcome: Outcome) -> bool:
    return bool(np.linalg.norm(outcome.moved(RED)[:2] - [0.0, 0.08]) < 0.02)


def _at_home(outcome: Outcome) -> bool:
    return bool(np.abs(outcome.positions - outcome.robot.home).max() < 0.01)


def _away(outcome: Outcome) -> bool:
    return bool(np.abs(outcome.positions - outcome.robot.home).max() > 0.1)


def _waited(outcome: Outcome) -> bool:
    return outcome.seconds >= 0.2 and _at_home(outcome)


def _released(outcome: Outcome) -> bool:
    return outcome.holds(conditions.Closed(object="red_button"))


_AWAY = ("move_to", {"x": 0.45, "y": 0.1, "z": 0.35})
_IN_BIN = conditions.Inside(object=RED, container="left_bin")
_ON_TABLE = conditions.OnTopOf(object=RED, support="table")
_TOP, _LID = "top_drawer", "chest_lid"

CASES = (
    SkillCase("blocks", "grasp", {"object": RED}, _lifted),
    SkillCase("blocks", "place_in", {"object": RED, "target": "left_bin"}, _condition(_IN_BIN), (GRASP_RED,)),
    SkillCase("blocks", "place_on", {"object": RED, "target": "table"}, _condition(_ON_TABLE), (GRASP_RED,)),
    SkillCase("blocks", "move_to", dict(_AWAY[1]), _away),
    SkillCase("blocks", "push", {"object": RED, "dx": 0.0, "dy": 0.08}, _pushed, seed=3),
    SkillCase("blocks", "reorient", {"object": RED, "tilt": 0.8, "hold": 0.2}, _still_held, (GRASP_RED,)),
    SkillCase("blocks", "go_home", {}, _at_home, (_AWAY,)),
    SkillCase("blocks", "wait", {"seconds": 0.2}, _waited),
    SkillCase("workbench", "open", {"object": _TOP}, _condition(conditions.Opened(object=_TOP))),
    SkillCase(
        "workbench",
        "close",
        {"object": _TOP},
        _condition(conditions.Closed(object=_TOP)),
        (("open", {"object": _TOP}),),
    ),
    SkillCase("workbench", "open", {"object": _LID}, _condition(conditions.Opened(object=_LID))),
    SkillCase("workbench", "press", {"object": "red_button"}, _released),
)
