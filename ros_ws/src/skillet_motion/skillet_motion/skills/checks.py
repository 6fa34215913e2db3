"""What skills refuse before anything moves: objects that are not there, or not of the right kind."""

from __future__ import annotations

from skillet_core.robot_interface import Robot
from skillet_core.scene import Articulation
from skillet_motion.skills.skill import SkillArgumentError


def require_kind(robot: Robot, name: str, kinds: tuple[str, ...], complaint: str) -> None:
    """Refuse an object of another kind.

    Args:
        robot: whose task describes the objects.
        name: of the object.
        kinds: those that will do.
        complaint: what cannot be done with it, e.g. ``"cannot be picked up"``.

    Raises:
        UnknownNameError: there is no such object; the message lists the nearest.
        SkillArgumentError: it is of another kind; the message lists those that would do.
    """
    kind = robot.task.object(name).kind
    if kind not in kinds:
        valid = sorted(other for other, entry in robot.task.objects.items() if entry.kind in kinds)
        raise SkillArgumentError(f"{name} is a {kind} and {complaint}. Valid: {', '.join(valid) or '(none)'}")


def require_joint(robot: Robot, name: str) -> Articulation:
    """Return the joint of an object that opens and closes.

    Raises:
        UnknownNameError: there is no such object; the message lists the nearest.
        SkillArgumentError: it does not move on a joint, or is a button; the message lists what does.
    """
    described = robot.task.object(name)
    if described.articulation is None or described.kind == "button":
        valid = sorted(
            other
            for other, entry in robot.task.objects.items()
            if entry.articulation is not None and entry.kind != "button"
        )
        why = "is a button: press it" if described.kind == "button" else "has no joint to open or close"
        raise SkillArgumentError(f"{name} {why}. Valid: {', '.join(valid) or '(none)'}")
    return described.articulation
