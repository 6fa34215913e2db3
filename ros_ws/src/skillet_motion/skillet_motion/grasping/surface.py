"""Surfaces of objects: points with outward normals, from a model or from what a camera saw.

Grasps are sampled on them alone, so that a mesh and a depth image serve the same sampler.
"""

from __future__ import annotations

import functools
import itertools

import mujoco
import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, KDTree

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Array, Pose
from skillet_core.manipulation import Surface
from skillet_core.scene import Box

NEIGHBOURS = 16
"""Points that a cloud's normal is fitted to."""
_BURIED = 2e-4
_RING = 24
_GEOM = mujoco.mjtGeom
_UNIT_CUBE = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))


def surface_of(model: mujoco.MjModel, body: str, count: int, rng: np.random.Generator) -> Surface:
    """Sample the collision shapes of one body, uniformly by area.

    Points of one shape that lie inside another of the same body are no surface and are dropped.

    Args:
        model: holds the body; shapes that collide with nothing are left out.
        body: its name.
        count: points to draw; a body of overlapping shapes keeps fewer.
        rng: draws them.

    Returns:
        In the body's frame.

    Raises:
        UnknownNameError: there is no such body.
        ValueError: the body has no shape that has a surface.
    """
    geoms = collision_geoms(model, body)
    faces = [triangles(model, geom) for geom in geoms]
    if not faces:
        raise ValueError(f"{body} has no collision shape to grasp by")
    corners = np.concatenate(faces)
    owner = np.repeat(np.array(geoms), [len(f) for f in faces])
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    doubled = np.linalg.norm(across, axis=1)
    picked = rng.choice(len(corners), size=count, p=doubled / doubled.sum())
    u, v = np.sort(rng.random((2, count)), axis=0)
    weights = np.stack([u, v - u, 1.0 - v], axis=1)
    points = np.einsum("ki,kij->kj", weights, corners[picked])
    normals = across[picked] / doubled[picked, None]
    buried = np.zeros(count, dtype=bool)
    for geom in geoms if len(geoms) > 1 else []:
        others = np.flatnonzero(owner[picked] != geom)
        buried[others] |= _inside(model, geom, points[others])
    return Surface(points[~buried], normals[~buried])


def collision_geoms(model: mujoco.MjModel, body: str) -> list[int]:
    """Return the indices of a body's shapes that can touch something, planes left out.

    Raises:
        UnknownNameError: there is no such body.
    """
    index = int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, body))
    if index < 0:
        raise UnknownNameError("body", body, (model.body(i).name for i in range(model.nbody)))
    collides = (model.geom_contype | model.geom_conaffinity) != 0
    solid = collides & (model.geom_type != _GEOM.mjGEOM_PLANE)
    return [int(geom) for geom in np.flatnonzero(solid & (model.geom_bodyid == index))]


def triangles(model: mujoco.MjModel, geom: int) -> Array:
    """Return the surface of a shape's convex hull, outward, shape (k, 3, 3) [m], in its body's frame.

    Round shapes are polyhedra of `_RING` sides.
    """
    vertices, kind = shape_vertices(model, geom), int(model.geom_type[geom])
    simplices = _hull(vertices) if kind == _GEOM.mjGEOM_MESH else _faces(kind)
    return np.asarray(vertices[simplices])


def _hull(vertices: Array) -> npt.NDArray[np.intp]:
    """Return the convex hull's triangles as indices of vertices, outward, shape (k, 3)."""
    hull = ConvexHull(vertices)
    corners = vertices[hull.simplices]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = np.einsum("ki,ki->k", across, hull.equations[:, :3]) < 0.0
    simplices = np.array(hull.simplices, dtype=np.intp)
    simplices[inward] = simplices[inward][:, ::-1]
    return simplices


@functools.cache
def _faces(kind: int) -> npt.NDArray[np.intp]:
    """Return the triangles of a primitive: they are the same at any size."""
    return _hull(_primitive(kind, np.ones(3)))


def shape_vertices(model: mujoco.MjModel, geom: int) -> Array:
    """Return vertices whose convex hull is a shape, shape (k, 3) [m], in its body's frame."""
    kind = int(model.geom_type[geom])
    if kind == _GEOM.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        first = model.mesh_vertadr[mesh]
        local = np.asarray(model.mesh_vert[first : first + model.mesh_vertnum[mesh]], dtype=np.float64)
    else:
        local = _primitive(kind, model.geom_size[geom])
    return np.asarray(local @ _axes(model, geom).T + model.geom_pos[geom])


def _axes(model: mujoco.MjModel, geom: int) -> Array:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, model.geom_quat[geom])
    return matrix.reshape(3, 3)


def _primitive(kind: int, size: Array) -> Array:
    """Return the vertices of a primitive of MuJoCo's size parameters around its own origin, shape (k, 3)."""
    match kind:
        case _GEOM.mjGEOM_BOX:
            return np.array(_UNIT_CUBE * size, dtype=np.float64)
        case _GEOM.mjGEOM_CYLINDER:
            return _both_ends(_ring(size[0]), size[1])
        case _GEOM.mjGEOM_CAPSULE:
            return _both_ends(_ball() * size[0], size[1])
        case _GEOM.mjGEOM_SPHERE:
            return np.array(_ball() * size[0], dtype=np.float64)
        case _GEOM.mjGEOM_ELLIPSOID:
            return np.array(_ball() * size, dtype=np.float64)
        case _:
            raise ValueError(f"shapes of type {_GEOM(kind).name} have no surface to sample")


def body_vertices(model: mujoco.MjModel, body: str) -> Array:
    """Return vertices of all collision shapes of a body, shape (k, 3) [m], in its frame; may be empty.

    Raises:
        UnknownNameError: there is no such body.
    """
    parts = [shape_vertices(model, geom) for geom in collision_geoms(model, body)]
    return np.concatenate(parts) if parts else np.zeros((0, 3))


def cropped(surface: Surface, box: Box) -> Surface:
    """Return the part of a surface inside a box of its frame, e.g. a handle."""
    within = ((surface.points >= box.lower) & (surface.points <= box.upper)).all(axis=1)
    return Surface(surface.points[within], surface.normals[within])


def surface_from_points(points: Array, viewpoint: Array) -> Surface:
    """Give a point cloud normals: planes fitted to neighbours, facing the viewer.

    Args:
        points: shape (k, 3) [m], k > `NEIGHBOURS`.
        viewpoint: where they were seen from, same frame, shape (3,) [m].

    Raises:
        ValueError: too few points.
    """
    if len(points) <= NEIGHBOURS:
        raise ValueError(f"normals need more than {NEIGHBOURS} points, got {len(points)}")
    near = points[KDTree(points).query(points, k=NEIGHBOURS)[1]]
    centered = near - near.mean(axis=1, keepdims=True)
    # The direction in which the neighbours spread least is the normal of their plane.
    _, vectors = np.linalg.eigh(np.einsum("kni,knj->kij", centered, centered))
    normals = vectors[:, :, 0]
    away = np.einsum("ki,ki->k", normals, viewpoint - points) < 0.0
    normals[away] *= -1.0
    return Surface(np.array(points, dtype=np.float64), normals)


def surface_from_depth(
    depth: Array, intrinsics: Array, camera: Pose, *, mask: Array | None = None, crop: Box | None = None
) -> Surface:
    """Turn a depth image into a surface.

    Args:
        depth: along the optical axis [m], shape (rows, columns); zero or not finite: unknown.
        intrinsics: shape (3, 3) [pixels], as in ``sensor_msgs/CameraInfo.k``.
        camera: the optical frame (z forward, y down) in the frame of the result, e.g. the object's.
        mask: pixels that belong to the object, shape (rows, columns); None: all.
        crop: keep what is in this box of the result's frame; None: all.

    Raises:
        ValueError: too few pixels are left.
    """
    valid = np.isfinite(depth) & (depth > 0.0)
    if mask is not None:
        valid &= mask.astype(bool)
    rows, columns = np.nonzero(valid)
    rays = np.stack([columns + 0.0, rows + 0.0, np.ones(len(rows))], axis=1) @ np.linalg.inv(intrinsics).T
    points = camera.apply(rays * depth[rows, columns, None])
    if crop is not None:
        points = points[((points >= crop.lower) & (points <= crop.upper)).all(axis=1)]
    return surface_from_points(points, camera.position)


def completed(surface: Surface, up: Array) -> Surface:
    """Add the side that a camera could not see, as the mirror image of the one that it saw.

    The object is taken to look the same after half a turn about the vertical axis through the middle of
    what was seen, as boxes, bottles and balls do. Grasps on assumed points still pass the same checks.

    Args:
        surface: one-sided.
        up: the vertical in its frame, unit, shape (3,).
    """
    flat = surface.points - np.outer(surface.points @ up, up)
    middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
    middle -= (middle @ up) * up
    points = 2 * middle - surface.points + 2 * np.outer(surface.points @ up, up)
    normals = 2 * np.outer(surface.normals @ up, up) - surface.normals
    return Surface(np.concatenate([surface.points, points]), np.concatenate([surface.normals, normals]))


def thinned(surface: Surface, count: int, rng: np.random.Generator) -> Surface:
    """Return at most so many of a surface's points, drawn without replacement."""
    if len(surface.points) <= count:
        return surface
    chosen = np.sort(rng.choice(len(surface.points), size=count, replace=False))
    return Surface(surface.points[chosen], surface.normals[chosen])


def _inside(model: mujoco.MjModel, geom: int, points: Array) -> npt.NDArray[np.bool_]:
    """Return which points of the body's frame lie more than `_BURIED` inside a shape, shape (k,)."""
    kind, size = int(model.geom_type[geom]), model.geom_size[geom]
    local = (points - model.geom_pos[geom]) @ _axes(model, geom)
    beside, height = np.hypot(local[:, 0], local[:, 1]), np.abs(local[:, 2])
    match kind:
        case _GEOM.mjGEOM_BOX:
            outside = (np.abs(local) - size).max(axis=1)
        case _GEOM.mjGEOM_CYLINDER:
            outside = np.maximum(beside - size[0], height - size[1])
        case _GEOM.mjGEOM_CAPSULE:
            outside = np.hypot(beside, np.maximum(height - size[1], 0.0)) - size[0]
        case _GEOM.mjGEOM_SPHERE:
            outside = np.hypot(beside, height) - size[0]
        case _GEOM.mjGEOM_ELLIPSOID:
            outside = (np.linalg.norm(local / size, axis=1) - 1.0) * size.min()
        case _:
            faces = triangles(model, geom)
            normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
            normals /= np.linalg.norm(normals, axis=1, keepdims=True)
            outside = (points @ normals.T - np.einsum("ki,ki->k", normals, faces[:, 0])).max(axis=1)
    return np.asarray(outside < -_BURIED)


def _both_ends(points: Array, height: float) -> Array:
    top = np.array([0.0, 0.0, height])
    return np.concatenate([points + top, points - top])


def _ring(radius: float) -> Array:
    angles = np.arange(_RING) * 2 * np.pi / _RING
    return radius * np.stack([np.cos(angles), np.sin(angles), np.zeros(_RING)], axis=1)


def _ball() -> Array:
    """Return points of the unit sphere, evenly by latitude and longitude."""
    heights = np.linspace(-np.pi / 2, np.pi / 2, _RING // 2 + 1)
    rings = [_ring(np.cos(h)) + np.array([0.0, 0.0, np.sin(h)]) for h in heights[1:-1]]
    return np.concatenate([*rings, [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]])
