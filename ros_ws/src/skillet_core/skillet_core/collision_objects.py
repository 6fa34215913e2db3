"""Things to stay clear of, as data: boxes, cylinders, spheres and meshes, in a file or at run time.

A scene of which no simulator knows, a table in a laboratory say, is a YAML file of these beside its
``task.yaml``; `SceneChange`s add, move, attach, detach and remove objects while the robot works.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pydantic

from skillet_core.geometry import Pose
from skillet_core.model import DataModel
from skillet_core.scene import Vector


class _Placed(DataModel):
    xyz: Vector = pydantic.Field(default=(0.0, 0.0, 0.0), description="in the object's frame [m]")
    rpy: Vector = pydantic.Field(default=(0.0, 0.0, 0.0), description="in the object's frame [rad]")

    @property
    def pose(self) -> Pose:
        """In the object's frame."""
        return Pose.from_xyz_rpy(self.xyz, self.rpy)


class BoxShape(_Placed):
    """A box around its frame's origin."""

    kind: Literal["box"] = "box"
    size: Vector = pydantic.Field(description="full side lengths [m]")


class CylinderShape(_Placed):
    """A cylinder along z around its frame's origin."""

    kind: Literal["cylinder"] = "cylinder"
    radius: float = pydantic.Field(gt=0, description="[m]")
    length: float = pydantic.Field(gt=0, description="[m]")


class SphereShape(_Placed):
    """A ball around its frame's origin."""

    kind: Literal["sphere"] = "sphere"
    radius: float = pydantic.Field(gt=0, description="[m]")


class MeshShape(_Placed):
    """The convex hull of a mesh."""

    kind: Literal["mesh"] = "mesh"
    file: str = pydantic.Field(description="STL or OBJ [m]; relative to the file that names it, or absolute")
    scale: Vector = pydantic.Field(default=(1.0, 1.0, 1.0))


Shape = Annotated[BoxShape | CylinderShape | SphereShape | MeshShape, pydantic.Field(discriminator="kind")]


class CollisionObject(DataModel):
    """One body made of shapes."""

    shapes: tuple[Shape, ...] = pydantic.Field(min_length=1)
    xyz: Vector = pydantic.Field(default=(0.0, 0.0, 0.0), description="in the world frame [m]")
    rpy: Vector = pydantic.Field(default=(0.0, 0.0, 0.0), description="in the world frame [rad]")
    movable: bool = pydantic.Field(default=False, description="it can be picked up")
    rgba: tuple[float, float, float, float] = (0.6, 0.6, 0.62, 1.0)

    @property
    def pose(self) -> Pose:
        """In the world frame."""
        return Pose.from_xyz_rpy(self.xyz, self.rpy)


class CollisionScene(DataModel):
    """Every body of a scene, by name."""

    objects: dict[str, CollisionObject]


@dataclass(frozen=True)
class AddObject:
    """Something has come into the scene."""

    name: str
    object: CollisionObject


@dataclass(frozen=True)
class MoveObject:
    """An added or declared object is now somewhere else."""

    name: str
    pose: Pose


@dataclass(frozen=True)
class AttachObject:
    """From now on the object moves with the gripper, as it is to it now."""

    name: str


@dataclass(frozen=True)
class DetachObject:
    """From now on the object stays where it is now."""

    name: str


@dataclass(frozen=True)
class RemoveObject:
    """An added object has left the scene."""

    name: str


SceneChange = AddObject | MoveObject | AttachObject | DetachObject | RemoveObject
