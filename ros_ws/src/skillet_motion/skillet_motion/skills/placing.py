"""Putting down what the gripper holds: what `place_in` and `place_on` have in common."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skillet_core.errors import PlanningError
from skillet_core.evaluation import is_at_rest
from skillet_core.geometry import Pose
from skillet_core.manipulation import Placement, PlaceRequest
from skillet_core.robot_interface import Robot
from skillet_motion.skills.carrying import carry, held_object, holds
from skillet_motion.skills.motions import RELEASE_FORCE, Approach, Option, approach, raised, retreat
from skillet_motion.skills.skill import PhaseCallback, SkillFailure

HOVER = 0.06
"""How far above a container's rim, or a surface, the object is carried in [m]."""
CLEARANCE = 0.012
"""How far each finger opens to let go [m]: neighbours may be near."""
SETTLE, LONGEST_SETTLE = 0.2, 2.0
"""Pause after letting go, and how long the object may take to come to rest [s]."""

Outcome = Callable[[], str]
"""Looks where the object came to rest: empty, or what is wrong with it."""


def put_down(
    robot: Robot, name: str, target: str, outcome: Outcome, phase: PhaseCallback, *, wish: Pose | None = None
) -> None:
    """Carry the held object to a place in or on a target, let it go, move away, and look.

    Args:
        robot: holds the object.
        name: of the object.
        target: container or surface.
        outcome: looks at the result.
        phase: told each phase.
        wish: pose of the object's frame in the world frame that the place should be near.

    Raises:
        PlanningError: there is no place for it, and why; it is still held.
        SkillFailure: no way there, dropped on the way, sticking to the fingers, or a wrong outcome.
    """
    phase("plan")
    way = _plan(robot, name, target, robot.placements(PlaceRequest(name, target, wish)))
    phase("carry")
    carry(robot, way.there, name)
    phase("descend")
    carry(robot, way.straight, name)
    phase("release")
    release(robot)
    phase("retreat")
    moved = retreat(robot, {name, target})
    settle(robot, name)
    if not moved:
        raise SkillFailure(f"{name} was let go, but there is no way out for the gripper")
    if holds(robot, name):
        raise SkillFailure(f"{name} sticks to the fingers after they opened")
    wrong = outcome()
    if wrong:
        raise SkillFailure(wrong)


def _plan(robot: Robot, name: str, target: str, placements: tuple[Placement, ...]) -> Approach:
    """Plan from above to one of the places.

    Raises:
        SkillFailure: there is no way to any.
    """
    height = HOVER + _depth(robot, target)
    options = [Option(raised(p.grasp_pose, height), p.grasp_pose, p.positions) for p in placements]
    try:
        return approach(robot, options, carried=name, touching={name})
    except PlanningError as error:
        raise SkillFailure(f"no way to put {name} down at {target}: {error}") from error


def _depth(robot: Robot, target: str) -> float:
    """Return how deep a container is [m]; 0 for a surface."""
    interior = robot.task.object(target).interior
    return 0.0 if interior is None else float(interior.size[2])


def release(robot: Robot) -> None:
    """Open the fingers just far enough to let go."""
    gripper = robot.description.gripper
    robot.grip(min(robot.state().opening + 2 * CLEARANCE, gripper.max_opening), RELEASE_FORCE)
    robot.wait(SETTLE)


def settle(robot: Robot, name: str) -> None:
    """Wait until an object is at rest, but not for ever.

    Raises:
        SkillFailure: it still moves after `LONGEST_SETTLE`.
    """
    for _ in range(round(LONGEST_SETTLE / SETTLE)):
        if is_at_rest(robot.scene().object(name)):
            return
        robot.wait(SETTLE)
    raise SkillFailure(f"{name} has not come to rest after {LONGEST_SETTLE:.0f} s")


def require_not_held_target(robot: Robot, target: str) -> None:
    """Insist that the target itself is not in the gripper.

    Raises:
        SkillFailure: it is.
    """
    if held_object(robot) == target:
        raise SkillFailure(f"{target} is in the gripper: nothing can be put there")


def lies_on(robot: Robot, name: str, target: str, tolerance: float) -> bool:
    """Whether an object's lowest corner is at the height of the target's top, within a tolerance [m]."""
    scene = robot.scene()
    bounds, top = robot.task.object(name).bounds, robot.task.object(target).bounds.upper
    corners = np.array(np.meshgrid(*zip(bounds.lower, bounds.upper, strict=True))).reshape(3, -1).T
    lowest = float(scene.object(name).pose.apply(corners)[:, 2].min())
    return abs(lowest - float(scene.object(target).pose.apply(top)[2])) < tolerance
