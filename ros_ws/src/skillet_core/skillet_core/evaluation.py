"""Does a condition hold in a scene? Pure functions, one a predicate, thresholds beside them."""

from __future__ import annotations

import itertools

import numpy as np

from skillet_core import conditions
from skillet_core.errors import UnknownNameError
from skillet_core.robot import GripperDescription
from skillet_core.scene import ObjectDescription, ObjectState, SceneState, TaskDescription

INSIDE_FRACTION = 0.75
"""Share of an object's bounding box that must lie in the container."""
OPENED_SHARE, CLOSED_SHARE = 0.8, 0.1
"""Shares of the way from closed to open from which on, up to which, a joint counts as open, closed."""
CARRIED_NORMAL = 0.7
"""Least vertical part of a contact's normal by which one object carries another: within 45 degrees."""
REST_LINEAR, REST_ANGULAR = 0.02, 0.2
"""Speeds below which an object rests [m/s], [rad/s]."""
_SAMPLES_PER_AXIS = 10
_GRID = np.array(
    list(itertools.product((np.arange(_SAMPLES_PER_AXIS) + 0.5) / _SAMPLES_PER_AXIS, repeat=3)),
    dtype=np.float64,
)
"""Centres of a unit cube's cells, shape (1000, 3)."""
ROBOT_PREFIX = "robot/"


def inside_fraction(
    inner: ObjectDescription, inner_state: ObjectState, outer: ObjectDescription, outer_state: ObjectState
) -> float:
    """Return the share of the inner object's bounding box within the outer one's interior, 0 to 1.

    The box is sampled at the centres of a 10 x 10 x 10 grid, so the result is exact to 0.1 per axis
    for aligned boxes.
    """
    if outer.interior is None:
        return 0.0
    points = inner.bounds.lower + _GRID * np.array(inner.bounds.size)
    local = (outer_state.pose.inverse() @ inner_state.pose).apply(points)
    within = ((local >= outer.interior.lower) & (local <= outer.interior.upper)).all(axis=1)
    return float(within.mean())


def is_grasped(name: str, scene: SceneState, gripper: GripperDescription) -> bool:
    """Whether the object is in contact with at least two different fingers."""
    finger_of = {
        ROBOT_PREFIX + link: number for number, finger in enumerate(gripper.fingers) for link in finger
    }
    touching = set()
    for contact in scene.contacts:
        pair = {contact.body_a, contact.body_b}
        if name in pair:
            touching |= {finger_of[body] for body in pair if body in finger_of}
    return len(touching) >= 2  # noqa: PLR2004


def is_at_rest(state: ObjectState) -> bool:
    """Whether the object moves slower than `REST_LINEAR` and `REST_ANGULAR`."""
    return bool(np.linalg.norm(state.linear) < REST_LINEAR and np.linalg.norm(state.angular) < REST_ANGULAR)


def is_on_top_of(name: str, support: str, scene: SceneState) -> bool:
    """Whether a contact pushes the object up from the support, steeper than `CARRIED_NORMAL`."""
    for contact in scene.contacts:
        upward = contact.normal[2]
        if (contact.body_a, contact.body_b) == (support, name) and upward >= CARRIED_NORMAL:
            return True
        if (contact.body_b, contact.body_a) == (support, name) and -upward >= CARRIED_NORMAL:
            return True
    return False


def open_share(name: str, scene: SceneState, task: TaskDescription) -> float:
    """Return how far open an object is: 0 closed, 1 open; a button: 1 pressed.

    Raises:
        UnknownNameError: there is no such object, it has no joint, or the scene does not report it.
    """
    joint = task.object(name).articulation
    if joint is None:
        jointed = (other for other, entry in task.objects.items() if entry.articulation is not None)
        raise UnknownNameError("object with a joint", name, jointed)
    if joint.joint not in scene.articulation:
        raise UnknownNameError("scene joint", joint.joint, scene.articulation)
    return joint.share(scene.articulation[joint.joint])


def holds(
    condition: conditions.Condition, scene: SceneState, task: TaskDescription, gripper: GripperDescription
) -> bool:
    """Evaluate a condition.

    Raises:
        UnknownNameError: it names an object that the scene does not have.
    """
    match condition:
        case conditions.Not():
            return not holds(condition.condition, scene, task, gripper)
        case conditions.All():
            return all(holds(c, scene, task, gripper) for c in condition.conditions)
        case conditions.Any():
            return any(holds(c, scene, task, gripper) for c in condition.conditions)
        case conditions.Opened() | conditions.Closed():
            share = open_share(condition.object, scene, task)
            return share >= OPENED_SHARE if condition.kind == "opened" else share <= CLOSED_SHARE
        case _:
            return _holds_between_bodies(condition, scene, task, gripper)


def _holds_between_bodies(
    condition: conditions.Inside | conditions.OnTopOf | conditions.Grasped | conditions.AtRest,
    scene: SceneState,
    task: TaskDescription,
    gripper: GripperDescription,
) -> bool:
    name = condition.object
    state = scene.object(name)
    match condition:
        case conditions.Inside():
            container = condition.container
            outer, outer_state = task.object(container), scene.object(container)
            return inside_fraction(task.object(name), state, outer, outer_state) >= INSIDE_FRACTION
        case conditions.OnTopOf():
            scene.object(condition.support)
            return is_on_top_of(name, condition.support, scene)
        case conditions.Grasped():
            return is_grasped(name, scene, gripper)
        case conditions.AtRest():
            return is_at_rest(state)
