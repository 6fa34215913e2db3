"""Grasp: take hold of an object, or of its handle, and lift it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import pydantic

from skillet_core.errors import PlanningError
from skillet_core.geometry import Pose
from skillet_core.manipulation import Grasp, GraspMode, GraspRequest, PlaceRequest
from skillet_core.model import DataModel
from skillet_core.robot_interface import Robot
from skillet_motion.grasping.search import APPROACH_DISTANCE
from skillet_motion.skills.approach import Approach, Option, approach
from skillet_motion.skills.carrying import carry, held_object, holds, require_empty
from skillet_motion.skills.checks import require_kind
from skillet_motion.skills.motions import (
    CARRY_SPEED,
    GRASP_FORCE,
    RELEASE_FORCE,
    backed,
    raised,
    safely,
    straight_to,
)
from skillet_motion.skills.skill import (
    FAILURES,
    INTERRUPTIONS,
    PhaseCallback,
    Skill,
    SkillArgumentError,
    SkillFailure,
)

SHUT = 0.003
"""Opening below which there is nothing between the fingers [m]."""
WIDTH_TOLERANCE = 0.015
"""How far the fingers may stop from the width that was expected [m]: they close on round and slanted
sides, and push an object straight."""
SETTLE = 0.1
"""Pause after closing and after lifting, before looking [s]."""
SAME_OPENING = 0.006
"""Grasps whose openings differ by less are tried together [m]."""
SAME_POSITION, SAME_ANGLE = 0.01, 0.2
"""A grasp this close to one that failed is not tried again [m], [rad]."""
SUITED = 4
"""How many grasps that suit what comes next are enough: each costs a search for places."""
AMPLE = 6
"""A grasp with as many places is better than one with fewer: the object may turn in the fingers."""


class GraspArguments(DataModel):
    """What to grasp and how."""

    object: str = pydantic.Field(description="name of the object to grasp")
    mode: GraspMode = pydantic.Field(default="6dof", description="from any side, or straight from above")
    handle: bool = pydantic.Field(default=False, description="by its handle")
    lift: float = pydantic.Field(default=0.1, ge=0.0, le=0.5, description="how far to lift it [m]; 0: not")
    target: str | None = pydantic.Field(
        default=None,
        description="container or surface that it is put into or onto next: grasps that allow it come first",
    )
    attempts: int = pydantic.Field(default=3, ge=1, le=10, description="how often to try")


def _check(robot: Robot, arguments: GraspArguments) -> None:
    """Refuse what is not in the scene, what has no handle, and what cannot be carried or put there."""
    name = arguments.object
    described = robot.task.object(name)
    if arguments.target is not None:
        robot.task.object(arguments.target)
        if arguments.target == name:
            raise SkillArgumentError(f"{name} cannot be put into or onto itself")
    if arguments.handle and described.handle is None:
        handled = sorted(other for other, entry in robot.task.objects.items() if entry.handle is not None)
        raise SkillArgumentError(f"{name} has no handle. Valid: {', '.join(handled) or '(none)'}")
    if not arguments.handle:
        require_kind(robot, name, ("movable",), "cannot be picked up")


def _run(robot: Robot, arguments: GraspArguments, phase: PhaseCallback) -> None:
    name = arguments.object
    if held_object(robot) == name:
        return
    require_empty(robot)
    failed: list[Pose] = []
    for attempt in range(arguments.attempts):
        try:
            _attempt(robot, arguments, attempt, failed, phase)
        except INTERRUPTIONS:
            raise
        except FAILURES:
            if attempt == arguments.attempts - 1 or held_object(robot) is not None:
                raise
        else:
            return


def _attempt(
    robot: Robot, arguments: GraspArguments, seed: int, failed: list[Pose], phase: PhaseCallback
) -> None:
    """Sample, approach, close and lift once; a grasp that did not hold is added to the failed ones."""
    name = arguments.object
    phase("plan")
    request = GraspRequest(name, mode=arguments.mode, handle=arguments.handle, seed=seed)
    grasps = _untried(robot, name, robot.grasps(request), failed)
    if arguments.target is not None:
        grasps = _suited(robot, name, arguments.target, grasps) or grasps
    grasp, way = reach(robot, name, grasps, seed)
    phase("approach")
    robot.follow(way.there)
    failed.append(robot.scene().object(name).pose.inverse() @ grasp.pose)
    with safely(robot, phase, {name}):
        phase("descend")
        robot.follow(way.straight)
        phase("grasp")
        close_on(robot, name, grasp.width)
        if arguments.lift and robot.task.object(name).kind == "movable":
            phase("lift")
            lift(robot, name, arguments.lift)


def _untried(robot: Robot, name: str, grasps: Sequence[Grasp], failed: Sequence[Pose]) -> list[Grasp]:
    """Leave out the grasps that are close to one that failed, unless none would be left."""
    world_from_object = robot.scene().object(name).pose

    def is_new(grasp: Grasp) -> bool:
        for pose in failed:
            distance, angle = (world_from_object @ pose).distance_to(grasp.pose)
            if distance < SAME_POSITION and angle < SAME_ANGLE:
                return False
        return True

    return [grasp for grasp in grasps if is_new(grasp)] or list(grasps)


def _suited(robot: Robot, name: str, target: str, grasps: Sequence[Grasp]) -> list[Grasp]:
    """Return the first few of the grasps with which there are places for the object in or on a target."""
    ample, scant = list[Grasp](), list[Grasp]()
    for grasp in grasps:
        with contextlib.suppress(PlanningError):
            places = robot.placements(PlaceRequest(name, target, limit=AMPLE, held_by=grasp))
            (ample if len(places) == AMPLE else scant).append(grasp)
        if len(ample) == SUITED:
            break
    return ample or scant


def reach(robot: Robot, name: str, grasps: Sequence[Grasp], seed: int = 0) -> tuple[Grasp, Approach]:
    """Open the fingers to fit and plan the way to one of the grasps, best openings first.

    Raises:
        SkillFailure: there is no way to any.
    """
    left, reasons = list(grasps), list[str]()
    while left:
        opening = left[0].opening
        group = [grasp for grasp in left if abs(grasp.opening - opening) < SAME_OPENING]
        left = [grasp for grasp in left if grasp not in group]
        # Planning takes the fingers as they are.
        robot.grip(max(grasp.opening for grasp in group), RELEASE_FORCE)
        options = [Option(backed(g.pose, APPROACH_DISTANCE), g.pose, g.positions) for g in group]
        try:
            way = approach(robot, options, touching={name}, seed=seed)
        except PlanningError as error:
            reasons.append(str(error))
        else:
            return group[options.index(way.option)], way
    raise SkillFailure(f"no way to {name}: {reasons[0]}")


def close_on(robot: Robot, name: str, width: float) -> None:
    """Close the fingers on an object.

    Args:
        robot: moves.
        name: of the object.
        width: how far apart the fingers should stop [m].

    Raises:
        SkillFailure: they closed on nothing, or on something else.
    """
    result = robot.grip(0.0, GRASP_FORCE)
    robot.wait(SETTLE)
    stopped = f"the fingers stopped at {1e3 * result.opening:.0f} mm"
    if result.opening < SHUT or not result.stalled:
        raise SkillFailure(f"the fingers closed on nothing where {name} should be")
    if not holds(robot, name):
        raise SkillFailure(f"{stopped}, but not around {name}")
    if abs(result.opening - width) > WIDTH_TOLERANCE:
        raise SkillFailure(f"{stopped} around {name} instead of {1e3 * width:.0f} mm")


def lift(robot: Robot, name: str, height: float) -> None:
    """Lift the object, less high where there is no room, and see that it came along.

    Raises:
        SkillFailure: it did not come along; or there is no room, then it was let go where it stood.
    """
    before = robot.scene().object(name).pose.position[2]
    here, reasons = robot.grasp_pose(), list[str]()
    for rise in (height, height / 2, height / 4):
        try:
            motion = straight_to(robot, [raised(here, rise)], speed=CARRY_SPEED, carried=name)
        except PlanningError as error:
            reasons.append(str(error))
            continue
        carry(robot, motion, name)
        robot.wait(SETTLE)
        risen = float(robot.scene().object(name).pose.position[2] - before)
        if risen < rise / 2 or not holds(robot, name):
            raise SkillFailure(f"{name} slipped out of the fingers while it was lifted")
        return
    robot.grip(robot.description.gripper.max_opening, RELEASE_FORCE)
    raise SkillFailure(f"{name} cannot be lifted: {reasons[0]}")


GRASP = Skill("grasp", "Take hold of an object, or of its handle, and lift it.", GraspArguments, _run, _check)
