"""Pick: grasp an object from above and lift it."""

from __future__ import annotations

import pydantic

from skillet_core.errors import CancelledError, ExecutionError, PlanningError, StaleStateError
from skillet_core.evaluation import is_grasped
from skillet_core.model import DataModel
from skillet_core.motion import CartesianGoal, PlanRequest
from skillet_core.robot_interface import GripResult, Robot
from skillet_motion.skills.grasps import TopGrasp, top_grasps
from skillet_motion.skills.motions import (
    CARRY_SPEED,
    RELEASE_FORCE,
    Approach,
    approach,
    back_off,
    held_object,
    raised,
)
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillArgumentError, SkillFailure

APPROACH_HEIGHT = 0.10
"""Length of the straight way down to the object [m]."""
LIFT_HEIGHT = 0.10
"""How far the object is lifted [m]."""
GRASP_FORCE = 40.0
"""Force between the finger pads [N]."""
HIGHER_GRASPS = (0.0, 0.006, 0.012)
"""Grasps tried this much above the best height, where the table is in the fingers' way [m]."""
SHUT = 0.003
"""Opening below which there is nothing between the fingers [m]."""
SETTLE = 0.1
"""Pause after closing and after lifting, before looking [s]."""


class PickArguments(DataModel):
    """What to pick up."""

    object: str = pydantic.Field(description="name of the object to pick up")


def _check(robot: Robot, arguments: PickArguments) -> None:
    """Refuse what is not in the scene and what cannot be carried."""
    described = robot.task.object(arguments.object)
    if described.kind != "movable":
        movable = sorted(name for name, entry in robot.task.objects.items() if entry.kind == "movable")
        raise SkillArgumentError(
            f"pick: {arguments.object} is a {described.kind} and cannot be picked up. "
            f"Movable: {', '.join(movable) or '(none)'}"
        )


def _run(robot: Robot, arguments: PickArguments, phase: PhaseCallback) -> None:
    name = arguments.object
    held = held_object(robot)
    if held == name:
        return
    if held is not None:
        raise SkillFailure(f"the gripper holds {held}: place it first")
    phase("plan")
    found = _plan(robot, name)
    phase("approach")
    robot.follow(found.there)
    phase("descend")
    robot.follow(found.down)
    phase("grasp")
    try:
        _grasp(robot, name)
        phase("lift")
        _lift(robot, name)
    except (CancelledError, StaleStateError):
        raise
    except (SkillFailure, PlanningError, ExecutionError):
        phase("retreat")
        robot.grip(robot.description.gripper.max_opening, RELEASE_FORCE)
        back_off(robot, APPROACH_HEIGHT, frozenset({name}))
        raise


def _plan(robot: Robot, name: str) -> Approach:
    """Open the fingers to fit and find a way down to the object."""
    grasps = _possible_grasps(robot, name)
    reasons = []
    for grasp in grasps:
        robot.grip(grasp.opening, RELEASE_FORCE)
        options = [[raised(pose, higher) for pose in grasp.poses] for higher in HIGHER_GRASPS]
        try:
            return approach(robot, options, height=APPROACH_HEIGHT, touching=frozenset({name}))
        except PlanningError as error:
            reasons.append(str(error))
    raise SkillFailure(f"no way down to {name}: {reasons[0]}")


def _possible_grasps(robot: Robot, name: str) -> list[TopGrasp]:
    described, pose = robot.task.object(name), robot.scene().object(name).pose
    gripper = robot.description.gripper
    grasps = top_grasps(described.bounds, pose, gripper)
    if not grasps:
        sides = ", ".join(f"{1e3 * side:.0f}" for side in described.bounds.size)
        raise SkillFailure(
            f"{name} cannot be grasped from above: it leans, or its sides ({sides} mm) "
            f"are too wide for the gripper ({1e3 * gripper.max_opening:.0f} mm)"
        )
    return grasps


def _grasp(robot: Robot, name: str) -> GripResult:
    """Close the fingers on the object.

    Raises:
        SkillFailure: they closed on nothing, or on something else.
    """
    result = robot.grip(0.0, GRASP_FORCE)
    robot.wait(SETTLE)
    if result.opening < SHUT or not result.stalled:
        raise SkillFailure(f"the fingers closed on nothing where {name} should be")
    if not is_grasped(name, robot.scene(), robot.description.gripper):
        raise SkillFailure(f"the fingers stopped at {1e3 * result.opening:.0f} mm, but not around {name}")
    return result


def _lift(robot: Robot, name: str) -> None:
    """Lift the object and see that it came along.

    Raises:
        SkillFailure: it did not.
    """
    before = robot.scene().object(name).pose
    goal = CartesianGoal((raised(robot.grasp_pose(), LIFT_HEIGHT),))
    robot.follow(robot.plan(PlanRequest(goal, velocity_scaling=CARRY_SPEED, attached=frozenset({name}))))
    robot.wait(SETTLE)
    scene = robot.scene()
    risen = float(scene.object(name).pose.position[2] - before.position[2])
    if risen < LIFT_HEIGHT / 2 or not is_grasped(name, scene, robot.description.gripper):
        raise SkillFailure(f"{name} slipped out of the fingers while it was lifted")


PICK = Skill("pick", "Grasp an object from above and lift it.", PickArguments, _run, _check)
