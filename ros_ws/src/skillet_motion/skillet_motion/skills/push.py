"""Push: shove an object over what it stands on, with closed fingers low behind it."""

from __future__ import annotations

from functools import partial
from typing import Self

import numpy as np
import pydantic
from scipy.spatial.transform import Rotation

from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array, Pose
from skillet_core.model import DataModel
from skillet_core.robot_interface import Robot
from skillet_motion.skills.approach import Onward, Option, approach
from skillet_motion.skills.carrying import require_empty
from skillet_motion.skills.checks import require_kind
from skillet_motion.skills.motions import (
    CONTACT_SPEED,
    close_fingers,
    corners,
    follow_until,
    raised,
    retreat,
    safely,
    straight_to,
)
from skillet_motion.skills.placing import settle
from skillet_motion.skills.skill import PhaseCallback, Skill, SkillFailure

LONGEST = 0.25
"""Longest push [m]."""
ATTEMPTS = 3
"""How often it is pushed towards where it should be."""
CLOSE_ENOUGH, SHARE = 0.02, 0.2
"""How far from the wish it may end: so much [m], or this share of the way where that is more."""
GAP = 0.03
"""Gap behind the object in which the fingers come down [m]."""
LOW, LEAST_HEIGHT = 0.3, 0.008
"""Height of the fingertips over the object's underside: share of its height, and at least [m]."""
TOUCH_SPEED = 0.05
"""Share of the velocity limits until the fingers touch."""
LEANS = (0.0, 0.35, 0.7)
"""How far the fingers may lean back from upright [rad]."""
DESCENT = 0.1
"""Length of the straight way down behind the object [m]."""


class PushArguments(DataModel):
    """What to push, and how far."""

    object: str = pydantic.Field(description="name of the object to push")
    dx: float = pydantic.Field(description="along the world's x [m]")
    dy: float = pydantic.Field(description="along the world's y [m]")

    @pydantic.model_validator(mode="after")
    def _is_a_push(self) -> Self:
        distance = float(np.hypot(self.dx, self.dy))
        if not 0.0 < distance <= LONGEST:
            raise ValueError(f"a push is longer than 0 and at most {LONGEST} m, got {distance:.3f} m")
        return self


def _check(robot: Robot, arguments: PushArguments) -> None:
    """Refuse what is not in the scene and what cannot move."""
    require_kind(robot, arguments.object, ("movable",), "cannot be pushed")


def _run(robot: Robot, arguments: PushArguments, phase: PhaseCallback) -> None:
    name = arguments.object
    require_empty(robot)
    wish = _place(robot, name) + np.array([arguments.dx, arguments.dy])
    for _ in range(ATTEMPTS):
        left = wish - _place(robot, name)
        if float(np.linalg.norm(left)) < CLOSE_ENOUGH:
            break
        _push(robot, name, wish, phase)
        settle(robot, name)
    off = float(np.linalg.norm(wish - _place(robot, name)))
    if off > max(CLOSE_ENOUGH, SHARE * float(np.hypot(arguments.dx, arguments.dy))):
        raise SkillFailure(f"{name} came to rest {100 * off:.0f} cm from where it was to be pushed")


def _place(robot: Robot, name: str) -> Array:
    """Return where the middle of an object is, shape (2,), world frame [m]."""
    middle = np.array(robot.task.object(name).bounds.center)
    return np.asarray(robot.scene().object(name).pose.apply(middle)[:2], dtype=np.float64)


def _push(robot: Robot, name: str, wish: Array, phase: PhaseCallback) -> None:
    """Come down behind the object, move until the fingers touch it, and push it straight to the wish."""
    phase("plan")
    close_fingers(robot)
    left = wish - _place(robot, name)
    along = np.array([*left, 0.0]) / np.linalg.norm(left)
    options, gap = _behind(robot, name, along)
    onward = Onward(partial(_ahead, along=along, distance=gap + float(np.linalg.norm(left))), CONTACT_SPEED)
    way = approach(robot, options, touching={name}, onward=onward, tries=len(options))
    phase("approach")
    robot.follow(way.there)
    with safely(robot, phase, {name}):
        phase("descend")
        robot.follow(way.straight)
        phase("touch")
        motion = straight_to(
            robot, _ahead(robot.grasp_pose(), along, gap), speed=TOUCH_SPEED, touching={name}
        )
        if not follow_until(robot, motion, lambda: _touches(robot, name)):
            raise SkillFailure(f"the fingers did not meet {name}")
        phase("push")
        _shove(robot, name, wish, along)
    phase("retreat")
    if not retreat(robot, {name}):
        raise SkillFailure(f"{name} was pushed, but there is no way out for the gripper")


def _shove(robot: Robot, name: str, wish: Array, along: Array) -> None:
    """Push on until the object has come as far along the direction as it should."""

    def ahead() -> float:
        return float((wish - _place(robot, name)) @ along[:2])

    motion = straight_to(
        robot, _ahead(robot.grasp_pose(), along, ahead()), speed=CONTACT_SPEED, touching={name}
    )
    follow_until(robot, motion, lambda: ahead() <= 0.0)


def _ahead(pose: Pose, along: Array, distance: float) -> list[Pose]:
    """Return where a pose comes along a direction."""
    return [Pose(pose.position + distance * along, pose.rotation)]


def _behind(robot: Robot, name: str, along: Array) -> tuple[list[Option], float]:
    """Return ways to come down behind an object, and how far it is from there through its middle [m]."""
    bounds, pose = robot.task.object(name).bounds, robot.scene().object(name).pose
    outline = corners(bounds, pose)
    middle = pose.apply(np.array(bounds.center))
    extent = float(((outline - middle) @ -along).max())
    bottom, top = float(outline[:, 2].min()), float(outline[:, 2].max())
    point = middle - (extent + GAP) * along
    point[2] = bottom + max(LEAST_HEIGHT, LOW * (top - bottom))
    return _upright(point, along, robot.description.gripper.fingertip), extent + GAP


def _upright(point: Array, along: Array, fingertip: float) -> list[Option]:
    """Return ways to bring the fingertips to a point from above, upright or leaning back."""
    options = []
    facing = Rotation.from_matrix(np.stack([along, np.cross([0, 0, -1.0], along), [0, 0, -1.0]], axis=1))
    for lean in LEANS:
        for roll in (0.0, np.pi / 2, np.pi, -np.pi / 2):
            rotation = facing * Rotation.from_euler("y", lean) * Rotation.from_euler("z", roll)
            at = Pose(point - fingertip * rotation.as_matrix()[:, 2], rotation)
            options.append(Option(raised(at, DESCENT), at))
    return options


def _touches(robot: Robot, name: str) -> bool:
    """Whether a part of the robot touches an object."""
    for contact in robot.scene().contacts:
        pair = {contact.body_a, contact.body_b}
        if name in pair and any(body.startswith(ROBOT_PREFIX) for body in pair):
            return True
    return False


PUSH = Skill("push", "Shove an object over what it stands on.", PushArguments, _run, _check)
