"""Moving a part along its joint: pulling it by the handle, or pushing it shut with closed fingers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from skillet_core.errors import PlanningError
from skillet_core.evaluation import inside_fraction, open_share
from skillet_core.manipulation import Grasp, GraspRequest
from skillet_core.motion import ANY_LINK
from skillet_core.robot_interface import Robot
from skillet_core.scene import Articulation
from skillet_motion.grasping.search import APPROACH_DISTANCE
from skillet_motion.skills.approach import Approach, Onward, Option, approach
from skillet_motion.skills.articulation import direction, fingertip_options, outermost, path
from skillet_motion.skills.carrying import grip_watch, holds
from skillet_motion.skills.checks import require_joint
from skillet_motion.skills.grasp import close_on
from skillet_motion.skills.motions import (
    CONTACT_SPEED,
    RELEASE_FORCE,
    backed,
    close_fingers,
    follow_until,
    retreat,
    safely,
    straight_to,
)
from skillet_motion.skills.skill import PhaseCallback, SkillFailure

TURNS = (1.0, 0.5, 0.0)
"""Shares of a part's rotation that the gripper follows, first choice first: a bar turns in the fingers."""
PULLS = 3
"""How often it pulls on where the part lags behind."""
LAG = 0.05
"""How far a part may lag behind before it is pulled on [share of its way]."""
PUSH_TRIES = 12
"""How many ways to push are tried before it is pulled."""
SHUT_SHARE = 0.01
"""Where pushing ends: the part is shut [share of its way]."""
SETTLE = 0.2
"""Pause after letting go [s]."""


@dataclass(frozen=True, eq=False)
class Pull:
    """A grasp of a handle, the way there and on, and the share of the part's rotation it takes part in."""

    grasp: Grasp
    way: Approach
    turn: float


def share_of(robot: Robot, name: str) -> float:
    """Return how far open a part is: 0 closed, 1 open."""
    return open_share(name, robot.scene(), robot.task)


def pull(robot: Robot, name: str, wish: float, phase: PhaseCallback) -> None:
    """Take hold of a part's handle, move it to a wished share, let go and move away.

    Raises:
        PlanningError: the handle cannot be grasped, or the part not moved that far; nothing moved.
        SkillFailure: it slipped out of the fingers, or there is no way out.
    """
    joint = require_joint(robot, name)
    phase("plan")
    found = _plan_pull(robot, name, joint, wish)
    phase("approach")
    robot.follow(found.way.there)
    with safely(robot, phase, {name}):
        phase("reach")
        robot.follow(found.way.straight)
        phase("grasp")
        close_on(robot, name, found.grasp.width)
        phase("pull")
        watch = grip_watch(robot, name, f"the handle of {name} slipped out of the fingers")
        robot.follow(found.way.onward, watch)
        _pull_on(robot, name, joint, wish, found.turn)
        phase("release")
        robot.grip(found.grasp.opening, RELEASE_FORCE)
        robot.wait(SETTLE)
    phase("retreat")
    if not retreat(robot, {name}):
        raise SkillFailure(f"{name} was let go, but there is no way out for the gripper")


def _with_the_part(robot: Robot, name: str) -> frozenset[tuple[str, str]]:
    """Return contacts to allow with a part and its contents, which move with the hand: in plans they rest."""
    task, scene = robot.task, robot.scene()
    part, state = task.object(name), scene.object(name)
    movable = [other for other, entry in task.objects.items() if entry.kind == "movable"]
    inside = [n for n in movable if inside_fraction(task.object(n), scene.object(n), part, state) > 0.0]
    return frozenset((ANY_LINK, moving) for moving in (name, *inside))


def _left(robot: Robot, name: str, joint: Articulation, wish: float) -> float:
    """Return how far the joint still has to move to a wished share [m or rad]."""
    return (wish - share_of(robot, name)) * (joint.opened - joint.closed)


def _plan_pull(robot: Robot, name: str, joint: Articulation, wish: float) -> Pull:
    """Find a grasp of the handle with which the whole motion is possible.

    Raises:
        PlanningError: there is none.
    """
    grasps = robot.grasps(GraspRequest(name, handle=True))
    robot.grip(max(grasp.opening for grasp in grasps), RELEASE_FORCE)
    part, by = robot.scene().object(name).pose, _left(robot, name, joint, wish)
    options = [Option(backed(g.pose, APPROACH_DISTANCE), g.pose, g.positions) for g in grasps]
    reasons = []
    for turn in TURNS if joint.kind == "revolute" else TURNS[:1]:
        onward = Onward(
            partial(path, joint=joint, part=part, by=by, turn=turn),
            CONTACT_SPEED,
            _with_the_part(robot, name),
        )
        try:
            way = approach(robot, options, touching={name}, onward=onward)
        except PlanningError as error:
            reasons.append(error)
        else:
            return Pull(grasps[options.index(way.option)], way, turn)
    raise PlanningError(f"{name} cannot be moved by its handle: {reasons[0]}", reasons[0].failure)


def _pull_on(robot: Robot, name: str, joint: Articulation, wish: float, turn: float) -> None:
    """Pull again where the part lags behind the fingers; what cannot be reached is left."""
    for _ in range(PULLS):
        by = _left(robot, name, joint, wish)
        if abs(by) <= LAG * abs(joint.opened - joint.closed) or not holds(robot, name):
            return
        waypoints = path(robot.grasp_pose(), joint, robot.scene().object(name).pose, by, turn=turn)
        try:
            motion = straight_to(robot, waypoints, speed=CONTACT_SPEED, touching={name})
        except PlanningError:
            return
        robot.follow(motion)


def push_shut(robot: Robot, name: str, phase: PhaseCallback) -> bool:
    """Push a part shut at its handle, or at its outermost side, with closed fingers.

    Returns:
        Whether there was a way to push it; nothing but the fingers moved when not.

    Raises:
        SkillFailure: there is no way out afterwards.
    """
    joint, described = require_joint(robot, name), robot.task.object(name)
    phase("plan")
    part, by = robot.scene().object(name).pose, _left(robot, name, joint, 0.0)
    box = described.handle or described.bounds
    middle = part.apply(np.array(box.center))
    along = direction(middle, joint, part, by)
    close_fingers(robot)
    options = fingertip_options(outermost(box, part, -along), along, robot.description.gripper.fingertip)
    onward = Onward(partial(path, joint=joint, part=part, by=by), CONTACT_SPEED, _with_the_part(robot, name))
    try:
        way = approach(robot, options, touching={name}, onward=onward, tries=PUSH_TRIES)
    except PlanningError:
        return False
    phase("approach")
    robot.follow(way.there)
    with safely(robot, phase, {name}):
        phase("reach")
        robot.follow(way.straight)
        phase("push")
        follow_until(robot, way.onward, lambda: share_of(robot, name) <= SHUT_SHARE)
    phase("retreat")
    if not retreat(robot, {name}):
        raise SkillFailure(f"{name} was pushed, but there is no way out for the gripper")
    return True
