from __future__ import annotations

import mujoco
import numpy as np
import pytest
from scipy.spatial import ConvexHull

from skillet_core.geometry import Pose
from skillet_motion.moveit.solids import SURROUNDINGS, Solid, owner_of, solids_of

SCENE = """
<mujoco>
  <asset><mesh name="wedge" vertex="0 0 0  2 0 0  0 1 0  0 0 1  2 0 1  0 1 1  .3 .3 .5"/></asset>
  <worldbody>
    <geom name="floor" type="plane" size="0 0 1"/>
    <body name="robot/hand"><geom size="1"/></body>
    <body name="chest" pos="1 2 3" euler="0 0 90">
      <geom type="box" size=".1 .2 .3" pos="0 0 .3"/>
      <body name="handle" pos=".1 0 0"><geom type="capsule" size=".01 .05"/></body>
      <body name="lid" pos="0 0 .6"><joint name="lid"/><geom type="cylinder" size=".05 .02"/></body>
    </body>
    <body name="ball" pos="0 0 1"><freejoint/><geom size=".04"/></body>
    <body name="stone"><geom type="mesh" mesh="wedge"/></body>
  </worldbody>
</mujoco>
"""
OBJECTS = ("chest", "lid", "ball", "stone")


@pytest.fixture(scope="module")
def model():
    return mujoco.MjModel.from_xml_string(SCENE)


@pytest.fixture(scope="module")
def solids(model):
    return solids_of(model, OBJECTS)


def test_every_object_and_the_surroundings_are_there_and_the_robot_is_not(solids) -> None:
    assert set(solids) == {*OBJECTS, SURROUNDINGS}


def test_shapes_keep_their_sizes_in_the_objects_own_frame(solids) -> None:
    box = solids["chest"][0]
    assert (box.kind, box.size) == ("box", pytest.approx((0.2, 0.4, 0.6)))
    assert box.pose.position == pytest.approx([0.0, 0.0, 0.3])
    (lid,) = solids["lid"]
    assert (lid.kind, lid.size) == ("cylinder", pytest.approx((0.04, 0.05)))
    assert lid.pose.position == pytest.approx([0.0, 0.0, 0.0])
    (ball,) = solids["ball"]
    assert (ball.kind, ball.size) == ("sphere", pytest.approx((0.04,)))


def test_what_is_fixed_to_an_object_is_part_of_it(model, solids) -> None:
    _, bar, *caps = solids["chest"]
    assert (bar.kind, bar.size, len(caps)) == ("cylinder", pytest.approx((0.1, 0.01)), 2)
    assert bar.pose.position == pytest.approx([0.1, 0.0, 0.0])
    assert sorted(cap.pose.position[2] for cap in caps) == pytest.approx([-0.05, 0.05])
    assert owner_of(model, "handle", OBJECTS) == "chest"
    assert owner_of(model, "lid", OBJECTS) == "lid"
    assert owner_of(model, "world", OBJECTS) == SURROUNDINGS
    assert owner_of(model, "robot/hand", OBJECTS) == "hand"


def test_a_plane_is_a_slab_below_it(solids) -> None:
    (slab,) = solids[SURROUNDINGS]
    assert slab.kind == "box"
    assert slab.pose.position[2] + slab.size[2] / 2 == pytest.approx(0.0)


def test_a_mesh_is_its_convex_hull_with_triangles_that_look_outwards(solids) -> None:
    (stone,) = solids["stone"]
    assert len(stone.vertices) == 6, "the point inside is left out"
    corners = stone.vertices[stone.triangles]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume == pytest.approx(ConvexHull(stone.vertices).volume)
    assert volume == pytest.approx(1.0), "half of a box of 2 m x 1 m x 1 m"


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("box", (0.1, 0.2, 0.004), (0.09, 0.19, 0.001)),
        ("cylinder", (0.1, 0.02), (0.09, 0.015)),
        ("sphere", (0.03,), (0.025,)),
    ],
)
def test_a_shrunk_solid_has_every_side_moved_inwards(kind, size, expected) -> None:
    assert Solid(kind, Pose.identity(), size).shrunk(0.005).size == pytest.approx(expected)


def test_a_shrunk_mesh_loses_the_same_on_every_side(solids) -> None:
    (stone,) = solids["stone"]
    small = stone.shrunk(0.1).vertices
    assert small.min(axis=0) == pytest.approx(stone.vertices.min(axis=0) + 0.1)
    assert small.max(axis=0) == pytest.approx(stone.vertices.max(axis=0) - 0.1)
