"""Putting down what the gripper holds: what `place_in` and `place_on` have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skillet_core.errors import PlanningError
from skillet_core.evaluation import is_at_rest
from skillet_core.geometry import Pose
from skillet_core.manipulation import Placement, PlaceRequest
from skillet_core.robot_interface import Robot
from skillet_motion.skills.carrying import carry, holds
from skillet_motion.skills.motions import RELEASE_FORCE, Approach, Option, approach, raised, retreat
from skillet_motion.skills.skill import PhaseCallback, SkillFailure

HOVER = 0.06
"""How far above a container's rim, or a surface, the object is carried in [m]."""
CLEARANCE = 0.012
"""How far each finger opens to let go [m]: neighbours may be near."""
SETTLE, LONGEST_SETTLE = 0.2, 2.0
"""Pause after letting go, and how long the object may take to come to rest [s]."""

Verdict = Callable[[Pose], str]
"""Judges a pose of the object's frame in the world frame: empty, or what is wrong with it."""


def put_down(
    robot: Robot, name: str, target: str, verdict: Verdict, phase: PhaseCallback, *, wish: Pose | None = None
) -> None:
    """Carry the held object to a place in or on a target, let it go, move away, and look.

    Args:
        robot: holds the object.
        name: of the object.
        target: container or surface.
        verdict: judges the places before, where it is known what they come to, and the result.
        phase: told each phase.
        wish: pose of the object's frame in the world frame that the place should be near.

    Raises:
        PlanningError: there is no place for it, and why; it is still held.
        SkillFailure: no way there, dropped on the way, sticking to the fingers, or a wrong outcome.
    """
    phase("plan")
    way = _plan(robot, name, target, _good(robot.placements(PlaceRequest(name, target, wish)), verdict))
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
    wrong = verdict(robot.scene().object(name).pose)
    if wrong:
        raise SkillFailure(wrong)


def _good(placements: Sequence[Placement], verdict: Verdict) -> list[Placement]:
    """Return the places at which nothing would be wrong.

    Raises:
        SkillFailure: there is none.
    """
    good = [placement for placement in placements if not verdict(placement.object_pose)]
    if not good:
        raise SkillFailure(f"no place is good enough: {verdict(placements[0].object_pose)}")
    return good


def _plan(robot: Robot, name: str, target: str, placements: Sequence[Placement]) -> Approach:
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
