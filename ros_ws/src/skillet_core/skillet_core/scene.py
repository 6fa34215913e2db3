"""Scenes: what is on the table (`TaskDescription`, data) and where it is now (`SceneState`).

A task is a folder ``assets/tasks/<name>/`` with ``task.yaml`` and the MJCF that it names. The
world frame is the robot's base frame: x forward, y left, z up, z = 0 at the table top.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pydantic

from skillet_core.conditions import Condition
from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Array, Pose
from skillet_core.model import DataModel
from skillet_core.resources import load_yaml, share_dir

Vector = tuple[float, float, float]


class Box(DataModel):
    """An axis-aligned box in the frame of the object that it belongs to."""

    center: Vector = pydantic.Field(default=(0.0, 0.0, 0.0), description="[m]")
    size: Vector = pydantic.Field(description="full side lengths [m]")

    @property
    def lower(self) -> Array:
        """Corner with the smallest coordinates, shape (3,) [m]."""
        return np.array(self.center) - np.array(self.size) / 2

    @property
    def upper(self) -> Array:
        """Corner with the largest coordinates, shape (3,) [m]."""
        return np.array(self.center) + np.array(self.size) / 2


class Rest(DataModel):
    """A side that an object can lie on."""

    rpy: Vector = pydantic.Field(description="orientation before the turn about z [rad]")
    height: float = pydantic.Field(description="of the object's frame above the spawn region's [m]")


class Spawn(DataModel):
    """Where a reset may put an object: uniform in a box, resting on one of its sides, turned about z."""

    lower: Vector = pydantic.Field(description="[m], world frame")
    upper: Vector = pydantic.Field(description="[m], world frame")
    yaw: tuple[float, float] = pydantic.Field(default=(0.0, 0.0), description="range of the turn [rad]")
    rests: tuple[Rest, ...] = pydantic.Field(default=(), description="one of these, drawn; empty: upright")


class Articulation(DataModel):
    """The joint by which a part of the scene moves: a drawer, a lid, a flag, a button."""

    joint: str = pydantic.Field(description="name in the scene's model and in `SceneState.articulation`")
    kind: Literal["prismatic", "revolute"]
    axis: Vector = pydantic.Field(description="unit, in the object's own frame; right-handed when revolute")
    origin: Vector = pydantic.Field(
        default=(0.0, 0.0, 0.0),
        description="a point on a revolute joint's axis, in the object's own frame [m]",
    )
    closed: float = pydantic.Field(
        description="position when closed, or when a button is released [m or rad]"
    )
    opened: float = pydantic.Field(description="position when open, or when a button is pressed [m or rad]")

    def share(self, position: float) -> float:
        """Return how far open a joint position is: 0 closed, 1 open."""
        return (position - self.closed) / (self.opened - self.closed)


class ObjectDescription(DataModel):
    """One named body of a scene."""

    phrases: tuple[str, ...] = pydantic.Field(min_length=1, description="how a person calls it")
    kind: Literal["movable", "container", "surface", "fixture", "button"] = "movable"
    bounds: Box = pydantic.Field(description="tight box around it, in its own frame")
    interior: Box | None = pydantic.Field(default=None, description="hollow of a container, in its own frame")
    articulation: Articulation | None = pydantic.Field(
        default=None, description="None: it does not move on a joint"
    )
    handle: Box | None = pydantic.Field(
        default=None, description="where to take hold of it, in its own frame"
    )
    spawn: Spawn | None = pydantic.Field(default=None, description="None: it stays where the MJCF has it")


class TaskDescription(DataModel):
    """A scene with something to do in it."""

    name: str
    title: str
    scene: str = pydantic.Field(
        description="file beside this one: MJCF, or YAML of shapes (`skillet_core.collision_objects`)"
    )
    instructions: tuple[str, ...] = pydantic.Field(min_length=1)
    time_limit: float = pydantic.Field(gt=0, description="[s]")
    objects: dict[str, ObjectDescription]
    success: Condition
    clearance: float = pydantic.Field(default=0.02, ge=0, description="least gap between spawned objects [m]")

    def object(self, name: str) -> ObjectDescription:
        """Look an object up by identifier.

        Raises:
            UnknownNameError: with the nearest names.
        """
        if name not in self.objects:
            raise UnknownNameError("object", name, self.objects)
        return self.objects[name]


@dataclass(frozen=True, eq=False)
class ObjectState:
    """Where one object is.

    Attributes:
        pose: of its body frame in the world frame.
        linear: velocity, shape (3,) [m/s], world frame.
        angular: shape (3,) [rad/s], world frame.
    """

    pose: Pose
    linear: Array = field(default_factory=lambda: np.zeros(3))
    angular: Array = field(default_factory=lambda: np.zeros(3))


@dataclass(frozen=True)
class ContactPair:
    """Two touching bodies; ``normal`` points from the first to the second, world frame."""

    body_a: str
    body_b: str
    normal: Vector


@dataclass(frozen=True)
class SceneState:
    """The whole scene at one time. Robot links in contacts carry the prefix ``robot/``."""

    stamp: float
    task: str
    seed: int
    episode: int
    success: bool
    objects: dict[str, ObjectState]
    articulation: dict[str, float] = field(default_factory=dict)
    contacts: tuple[ContactPair, ...] = ()

    def object(self, name: str) -> ObjectState:
        """Look an object up by identifier.

        Raises:
            UnknownNameError: with the nearest names.
        """
        if name not in self.objects:
            raise UnknownNameError("object", name, self.objects)
        return self.objects[name]


def task_names() -> tuple[str, ...]:
    """Return every task that can be asked for."""
    return tuple(sorted(path.parent.name for path in (share_dir() / "assets" / "tasks").glob("*/task.yaml")))


def load_task(name: str) -> TaskDescription:
    """Read a task by name.

    Raises:
        UnknownNameError: there is no such task; the message lists those there are.
        InvalidFileError: its file does not fit.
    """
    if name not in task_names():
        raise UnknownNameError("task", name, task_names())
    return load_yaml(share_dir() / "assets" / "tasks" / name / "task.yaml", TaskDescription)
