"""Putting down what the gripper holds: what `place_in` and `place_on` have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from skillet_core.errors import PlanningError
from skillet_core.evaluation import is_at_rest
from skillet_core.geometry import Pose
from skillet_core.manipulation import Placement, PlaceRequest
from skillet_core.robot_interface import Robot
from skillet_motion.skills.approach import Approach, Option, approach
from skillet_motion.skills.carrying import carry, holds
from skillet_motion.skills.motions import RELEASE_FORCE, raised, retreat
from skillet_motion.skills.skill import PhaseCallback, SkillFailure

HOVER = 0.06
"""How far above a container's rim, or a surface, the object is carried in [m]."""
SPREADS = (0.012, 0.006, 0.003)
"""How far each finger opens to let go [m]: neighbours may be near. Less where there is no way out."""
LIMITS = (12, 80)
"""How many places are looked at: more where none of the best is good enough."""
SETTLE, LONGEST_SETTLE = 0.2, 2.0
"""Pause after letting go, and how long the object may take to come to rest [s]."""

Verdict = Callable[[Pose], str]
"""Judges a pose of the object's frame in the world frame: empty, or what is wrong with it."""


def no_complaint(_: Pose) -> str:
    """Find nothing wrong."""
    return ""


def put_down(
    robot: Robot,
    name: str,
    target: str,
    phase: PhaseCallback,
    *,
    wish: Pose | None = None,
    verdict: Verdict = no_complaint,
) -> None:
    """Carry the held object to a place in or on a target, let it go, move away, and look.

    Args:
        robot: holds the object.
        name: of the object.
        target: container or surface.
        phase: told each phase.
        wish: pose of the object's frame in the world frame that the place should be near.
        verdict: judges the places before, and the result.

    Raises:
        PlanningError: there is no place for it, and why; it is still held.
        SkillFailure: no way there, dropped on the way, sticking to the fingers, or a wrong outcome.
    """
    phase("plan")
    way = _plan(
        robot,
        name,
        target,
        _good_places(robot, PlaceRequest(name, target, wish), verdict),
        one_by_one=wish is not None,
    )
    phase("carry")
    carry(robot, way.there, name)
    phase("descend")
    carry(robot, way.straight, name)
    phase("release")
    width = robot.state().opening
    moved = False
    for spread in SPREADS:
        _open_to(robot, width + 2 * spread)
        phase("retreat")
        moved = retreat(robot, {name, target})
        if moved:
            break
    settle(robot, name)
    if not moved:
        raise SkillFailure(f"{name} was let go, but there is no way out for the gripper")
    if holds(robot, name):
        raise SkillFailure(f"{name} sticks to the fingers after they opened")
    wrong = verdict(robot.scene().object(name).pose)
    if wrong:
        raise SkillFailure(wrong)


def _good_places(robot: Robot, request: PlaceRequest, verdict: Verdict) -> list[Placement]:
    """Return the places at which nothing would be wrong.

    Raises:
        PlanningError: there is no place.
        SkillFailure: there is no good one.
    """
    found: tuple[Placement, ...] = ()
    for limit in LIMITS:
        found = robot.placements(replace(request, limit=limit))
        good = [placement for placement in found if not verdict(placement.object_pose)]
        if good:
            return good
    raise SkillFailure(f"no place is good enough: {verdict(found[0].object_pose)}")


def _plan(
    robot: Robot, name: str, target: str, placements: Sequence[Placement], *, one_by_one: bool
) -> Approach:
    """Plan from above to one of the places: to the one nearest in joint space, or to the first possible.

    Raises:
        SkillFailure: there is no way to any.
    """
    height = HOVER + _depth(robot, target)
    options = [Option(raised(p.grasp_pose, height), p.grasp_pose, p.positions) for p in placements]
    reasons = []
    for choice in [[option] for option in options] if one_by_one else [options]:
        try:
            return approach(robot, choice, carried=name, touching={name})
        except PlanningError as error:
            reasons.append(error)
    raise SkillFailure(f"no way to put {name} down at {target}: {reasons[0]}")


def _depth(robot: Robot, target: str) -> float:
    """Return how deep a container is [m]; 0 for a surface."""
    interior = robot.task.object(target).interior
    return 0.0 if interior is None else float(interior.size[2])


def _open_to(robot: Robot, opening: float) -> None:
    """Let go, or stand closer around what was let go."""
    robot.grip(min(opening, robot.description.gripper.max_opening), RELEASE_FORCE)
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
