from __future__ import annotations

import mujoco
import numpy as np
import pytest

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Pose
from skillet_core.manipulation import Surface
from skillet_core.scene import Box
from skillet_motion.grasping.surface import (
    body_vertices,
    completed,
    cropped,
    surface_from_depth,
    surface_from_points,
    surface_of,
    thinned,
)

SHAPES = """
<mujoco>
  <asset><mesh name="wedge" vertex="0 0 0  .1 0 0  0 .06 0  0 0 .04"/></asset>
  <worldbody>
    <body name="box"><geom type="box" size=".02 .03 .05"/></body>
    <body name="ball"><geom type="sphere" size=".03"/></body>
    <body name="rod"><geom type="cylinder" size=".01 .05"/></body>
    <body name="pill"><geom type="capsule" size=".01 .05"/></body>
    <body name="egg"><geom type="ellipsoid" size=".02 .03 .04"/></body>
    <body name="wedge"><geom type="mesh" mesh="wedge"/></body>
    <body name="tee">
      <geom type="box" size=".01 .01 .05"/><geom type="box" size=".05 .01 .01" pos="0 0 .05" euler="0 0 30"/>
      <geom type="sphere" size=".2" contype="0" conaffinity="0"/>
    </body>
    <body name="ghost"><geom type="box" size=".1 .1 .1" contype="0" conaffinity="0"/></body>
  </worldbody>
</mujoco>
"""


@pytest.fixture(scope="module")
def model():
    return mujoco.MjModel.from_xml_string(SHAPES)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("body", ["box", "ball", "rod", "pill", "egg", "wedge"])
def test_points_lie_on_the_hull_and_normals_point_away_from_it(model, rng, body):
    surface, vertices = surface_of(model, body, 300, rng), body_vertices(model, body)
    # along its normal, no vertex of a convex body lies beyond a point of its surface
    beyond = (surface.normals @ vertices.T).max(axis=1) - np.einsum(
        "ki,ki->k", surface.normals, surface.points
    )
    assert np.abs(beyond).max() < 1e-6
    np.testing.assert_allclose(np.linalg.norm(surface.normals, axis=1), 1.0)


def test_a_face_gets_points_by_its_area(model, rng):
    surface = surface_of(model, "box", 6000, rng)
    shares = np.abs(surface.normals).mean(axis=0)
    areas = np.array([0.03 * 0.05, 0.02 * 0.05, 0.02 * 0.03])
    np.testing.assert_allclose(shares, areas / areas.sum(), atol=0.02)


def test_points_inside_another_shape_of_the_body_and_shapes_without_contact_are_left_out(model, rng):
    surface = surface_of(model, "tee", 2000, rng)
    stem, bar = model.body("tee").geomadr[0], model.body("tee").geomadr[0] + 1
    assert len(surface.points) < 2000
    for geom in (stem, bar):
        matrix = np.zeros(9)
        mujoco.mju_quat2Mat(matrix, model.geom_quat[geom])
        local = (surface.points - model.geom_pos[geom]) @ matrix.reshape(3, 3)
        assert ((np.abs(local) - model.geom_size[geom]).max(axis=1) > -3e-4).all()
    assert np.linalg.norm(surface.points, axis=1).max() < 0.1


def test_what_has_no_surface_is_refused(model, rng):
    with pytest.raises(ValueError, match="ghost has no collision shape"):
        surface_of(model, "ghost", 10, rng)
    with pytest.raises(UnknownNameError, match="Valid: ball, box"):
        surface_of(model, "bocks", 10, rng)


def test_the_same_seed_draws_the_same_points(model):
    first, second = (surface_of(model, "tee", 100, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.points, second.points)


def test_a_part_is_what_lies_in_its_box(model, rng):
    part = cropped(surface_of(model, "rod", 500, rng), Box(center=(0, 0, 0.04), size=(0.1, 0.1, 0.03)))
    assert 0 < len(part.points) < 250
    assert part.points[:, 2].min() >= 0.025
    assert len(thinned(part, 20, rng).points) == 20


def test_a_clouds_normals_face_the_camera(rng):
    directions = rng.normal(size=(2000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    camera = np.array([1.0, 0.0, 0.0])
    seen = directions[directions @ camera > 0.1]
    surface = surface_from_points(0.04 * seen, camera)
    assert np.median(np.einsum("ki,ki->k", surface.normals, seen)) > 0.99
    with pytest.raises(ValueError, match="more than 16"):
        surface_from_points(seen[:10], camera)


def test_a_depth_image_becomes_points_where_the_camera_saw_them():
    intrinsics = np.array([[100.0, 0.0, 31.5], [0.0, 100.0, 23.5], [0.0, 0.0, 1.0]])
    depth = np.full((48, 64), 0.5)
    depth[0, 0], depth[1, 1] = np.nan, 0.0
    looking_down = Pose.from_xyz_rpy((0.2, 0.1, 0.6), (np.pi, 0.0, 0.0))
    surface = surface_from_depth(depth, intrinsics, looking_down)
    assert len(surface.points) == 48 * 64 - 2
    np.testing.assert_allclose(surface.points[:, 2], 0.1, atol=1e-9)
    np.testing.assert_allclose(surface.points.mean(axis=0)[:2], [0.2, 0.1], atol=1e-3)
    np.testing.assert_allclose(surface.normals, [[0.0, 0.0, 1.0]] * len(surface.points), atol=1e-6)
    mask = np.zeros((48, 64))
    mask[20:30, 20:30] = 1
    assert len(surface_from_depth(depth, intrinsics, looking_down, mask=mask).points) == 100
    crop = Box(center=(0.2, 0.1, 0.1), size=(0.05, 0.05, 0.02))
    near = surface_from_depth(depth, intrinsics, looking_down, crop=crop).points
    assert np.abs(near[:, :2] - [0.2, 0.1]).max() <= 0.025


def test_the_hidden_side_is_the_seen_one_after_half_a_turn():
    seen = Surface(
        np.array([[0.0, -0.1, 0.2], [0.0, 0.1, 0.2], [0.05, 0.0, 0.1], [-0.05, 0.0, 0.2]]),
        np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    )
    whole = completed(seen, np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(whole.points[6], [-0.05, 0.0, 0.1], atol=1e-12)
    np.testing.assert_allclose(whole.normals[6], [-1.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(whole.normals[4], [0.0, 0.0, 1.0], atol=1e-12)
