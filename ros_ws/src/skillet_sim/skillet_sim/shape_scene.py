"""Boxes, cylinders, spheres and meshes become bodies of a MuJoCo model."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np

from skillet_core.collision_objects import (
    BoxShape,
    CollisionObject,
    CollisionScene,
    CylinderShape,
    MeshShape,
    Shape,
    SphereShape,
)
from skillet_core.errors import InvalidFileError
from skillet_core.geometry import Array, Pose
from skillet_core.resources import load_yaml

FLOOR = -0.71
"""Height of the floor under a scene of shapes [m]: a table's height below the table top."""
_FLOOR_SIZE = (4.0, 4.0, 2.0)
_FLOOR_RGBA = (0.6, 0.62, 0.64, 1.0)
_SUN = {"pos": (1.0, 1.0, 3.0), "dir": (-0.35, -0.4, -1.0), "diffuse": (0.55, 0.55, 0.53)}
_FILL = {"pos": (-1.0, -2.0, 2.0), "dir": (0.4, 0.6, -0.6), "diffuse": (0.3, 0.3, 0.32)}


def load_collision_scene(path: Path) -> CollisionScene:
    """Read a YAML file of shapes.

    Raises:
        InvalidFileError: it is missing or does not fit; every fault is named.
    """
    return load_yaml(path, CollisionScene)


def shape_spec(scene: CollisionScene, folder: Path) -> mujoco.MjSpec:
    """Return a scene of shapes over a floor, lit so that cameras see it.

    Args:
        scene: what stands in it; what is movable gets a free joint.
        folder: where relative mesh files are.

    Raises:
        InvalidFileError: see `add_body`.
    """
    spec = mujoco.MjSpec()
    for name, light in (("sun", _SUN), ("fill", _FILL)):
        spec.worldbody.add_light(name=name, type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, **light)
    spec.worldbody.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=_FLOOR_SIZE,
        pos=(0.0, 0.0, FLOOR),
        rgba=_FLOOR_RGBA,
    )
    for name, item in scene.objects.items():
        add_body(spec, name, item, folder, free=item.movable)
    return spec


def add_body(spec: mujoco.MjSpec, name: str, item: CollisionObject, folder: Path, *, free: bool) -> None:
    """Add one body of shapes to a specification.

    Args:
        spec: changed in place; when this raises, it may hold part of the body.
        name: of the body; of its joint, too.
        item: shapes and pose in the world frame.
        folder: where relative mesh files are.
        free: give it a free joint, so that it can be moved and carried.

    Raises:
        InvalidFileError: a mesh file is missing, or a box has a side that is not positive.
    """
    body = spec.worldbody.add_body(name=name, pos=item.pose.position, quat=_wxyz(item.pose))
    if free:
        body.add_freejoint(name=name)
    for number, shape in enumerate(item.shapes):
        kind, size = _primitive(shape, name)
        geom = body.add_geom(type=kind, pos=shape.pose.position, quat=_wxyz(shape.pose), rgba=item.rgba)
        if isinstance(shape, MeshShape):
            mesh = f"{name}/{number}"
            spec.add_mesh(name=mesh, file=str(_mesh_file(shape, folder, name)), scale=shape.scale)
            geom.meshname = mesh
        else:
            geom.size = size


def _primitive(shape: Shape, name: str) -> tuple[mujoco.mjtGeom, tuple[float, float, float]]:
    """Return MuJoCo's type and its half sizes."""
    match shape:
        case BoxShape(size=(x, y, z)):
            if min(x, y, z) <= 0:
                msg = f"a box of {name!r} has size {[x, y, z]} m; every side must be positive"
                raise InvalidFileError(msg)
            return mujoco.mjtGeom.mjGEOM_BOX, (x / 2, y / 2, z / 2)
        case CylinderShape(radius=radius, length=length):
            return mujoco.mjtGeom.mjGEOM_CYLINDER, (radius, length / 2, 0.0)
        case SphereShape(radius=radius):
            return mujoco.mjtGeom.mjGEOM_SPHERE, (radius, 0.0, 0.0)
        case MeshShape():
            return mujoco.mjtGeom.mjGEOM_MESH, (0.0, 0.0, 0.0)


def _mesh_file(shape: MeshShape, folder: Path, name: str) -> Path:
    path = folder / shape.file  # an absolute file replaces the folder
    if not path.is_file():
        msg = f"the mesh {path} of {name!r} does not exist; relative files are looked for in {folder}"
        raise InvalidFileError(msg)
    return path.resolve()


def _wxyz(pose: Pose) -> Array:
    return np.roll(pose.quaternion, 1)
