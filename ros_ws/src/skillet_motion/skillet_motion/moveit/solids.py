"""What a scene's objects are made of, as MoveIt takes it: boxes, cylinders, balls and convex meshes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import mujoco
import numpy as np
from scipy.spatial import ConvexHull

from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array, Pose

SURROUNDINGS = "surroundings"
"""Name of what belongs to no object: the floor, say."""
_SMALLEST = 1e-3
_PLANE_EXTENT, _PLANE_DEPTH = 5.0, 0.1
_GEOM = mujoco.mjtGeom


@dataclass(frozen=True, eq=False)
class Solid:
    """One convex shape in the frame of its object.

    Attributes:
        kind: of `size`.
        pose: in the object's frame; cylinders lie along z.
        size: box: full side lengths; cylinder: height, radius; sphere: radius [m]; mesh: empty.
        vertices: of a mesh, shape (k, 3) [m].
        triangles: of a mesh: indices of vertices, anticlockwise seen from outside, shape (t, 3).
    """

    kind: Literal["box", "cylinder", "sphere", "mesh"]
    pose: Pose
    size: tuple[float, ...] = ()
    vertices: Array | None = None
    triangles: np.ndarray[tuple[int, int], np.dtype[np.int32]] | None = None

    def shrunk(self, depth: float) -> Solid:
        """Return it with every side moved inwards by ``depth`` [m], to no less than a millimetre.

        A mesh is scaled so that its extents along its frame's axes shrink by that.
        """
        if self.vertices is None:
            faces = {"box": (2.0, 2.0, 2.0), "cylinder": (2.0, 1.0), "sphere": (1.0,)}[self.kind]
            size = tuple(max(s - f * depth, _SMALLEST) for s, f in zip(self.size, faces, strict=True))
            return replace(self, size=size)
        lower, upper = self.vertices.min(axis=0), self.vertices.max(axis=0)
        extent = np.maximum(upper - lower, _SMALLEST)
        middle = (lower + upper) / 2
        factor = np.maximum(extent - 2 * depth, _SMALLEST) / extent
        return replace(self, vertices=middle + (self.vertices - middle) * factor)


def solids_of(model: mujoco.MjModel, objects: Collection[str]) -> dict[str, tuple[Solid, ...]]:
    """Return what every object is made of; what belongs to none of them is `SURROUNDINGS`, in the world.

    Args:
        model: of a scene, collision geometry only; the robot's bodies are prefixed ``robot/``.
        objects: names of bodies. A body below another is part of that one unless it is named itself.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    found: dict[str, list[Solid]] = {}
    for geom, body in enumerate(model.geom_bodyid):
        if model.body(body).name.startswith(ROBOT_PREFIX):
            continue
        owner = body
        while owner and model.body(owner).name not in objects:
            owner = model.body_parentid[owner]
        name = model.body(owner).name if owner else SURROUNDINGS
        frame = _pose(data.xpos[owner], data.xmat[owner])
        place = frame.inverse() @ _pose(data.geom_xpos[geom], data.geom_xmat[geom])
        found.setdefault(name, []).extend(_solids(model, geom, place))
    return {name: tuple(solids) for name, solids in found.items()}


def owner_of(model: mujoco.MjModel, body: str, objects: Collection[str]) -> str:
    """Return the object that a body belongs to; a robot's link without its prefix."""
    if body.startswith(ROBOT_PREFIX):
        return body.removeprefix(ROBOT_PREFIX)
    index = model.body(body).id
    while index and model.body(index).name not in objects:
        index = model.body_parentid[index]
    return model.body(index).name if index else SURROUNDINGS


def _solids(model: mujoco.MjModel, geom: int, place: Pose) -> Iterator[Solid]:
    size = model.geom_size[geom]
    match model.geom_type[geom]:
        case _GEOM.mjGEOM_BOX | _GEOM.mjGEOM_ELLIPSOID:
            yield Solid("box", place, tuple(2 * size))
        case _GEOM.mjGEOM_SPHERE:
            yield Solid("sphere", place, (size[0],))
        case _GEOM.mjGEOM_CYLINDER:
            yield Solid("cylinder", place, (2 * size[1], size[0]))
        case _GEOM.mjGEOM_CAPSULE:
            yield Solid("cylinder", place, (2 * size[1], size[0]))
            for end in (-size[1], size[1]):
                yield Solid("sphere", place @ Pose(np.array([0.0, 0.0, end])), (size[0],))
        case _GEOM.mjGEOM_PLANE:
            sides = [2 * side if side > 0 else _PLANE_EXTENT for side in size[:2]]
            below = Pose(np.array([0.0, 0.0, -_PLANE_DEPTH / 2]))
            yield Solid("box", place @ below, (*sides, _PLANE_DEPTH))
        case _:
            yield _hull(model, int(model.geom_dataid[geom]), place)


def _hull(model: mujoco.MjModel, mesh: int, place: Pose) -> Solid:
    """Return the convex hull, which is what MuJoCo's collision checks take a mesh for."""
    first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
    cloud = np.asarray(model.mesh_vert[first : first + count], dtype=np.float64)
    hull = ConvexHull(cloud)
    number = np.full(count, -1)
    number[hull.vertices] = np.arange(len(hull.vertices))
    corners = cloud[hull.simplices]
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inside_out = np.einsum("ij,ij->i", outwards, hull.equations[:, :3]) < 0
    triangles = number[hull.simplices].astype(np.int32)
    triangles[inside_out] = triangles[inside_out][:, ::-1]
    return Solid("mesh", place, vertices=cloud[hull.vertices], triangles=triangles)


def _pose(position: Array, matrix: Array) -> Pose:
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = matrix.reshape(3, 3), position
    return Pose.from_matrix(frame)
