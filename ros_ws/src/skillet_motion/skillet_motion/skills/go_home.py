"""Go home: bring the arm to its position of rest, with whatever is in the gripper."""

from __future__ import annotations

from skillet_core.model import DataModel
from skillet_core.motion import JointGoal, PlanRequest
from skillet_core.robot_interface import Robot
from skillet_motion.skills.carrying import carry, held_object
from skillet_motion.skills.motions import CARRY_SPEED, FREE_SPEED, held_set
from skillet_motion.skills.skill import PhaseCallback, Skill


class GoHomeArguments(DataModel):
    """Going home takes no arguments."""


def _check(_: Robot, __: GoHomeArguments) -> None:
    """Nothing can be wrong with no arguments."""


def _run(robot: Robot, _: GoHomeArguments, phase: PhaseCallback) -> None:
    phase("home")
    held = held_object(robot)
    speed = FREE_SPEED if held is None else CARRY_SPEED
    request = PlanRequest(JointGoal(robot.description.home), velocity_scaling=speed, attached=held_set(held))
    carry(robot, robot.plan(request), held)


GO_HOME = Skill("go_home", "Bring the arm to its position of rest.", GoHomeArguments, _run, _check)
