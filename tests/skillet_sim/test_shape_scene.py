"""Scenes of boxes, cylinders, spheres and meshes are built, simulated and rendered like any other."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import pytest

from skillet_core.collision_objects import (
    BoxShape,
    CollisionObject,
    CollisionScene,
    CylinderShape,
    MeshShape,
    SphereShape,
)
from skillet_core.errors import InvalidFileError
from skillet_core.resources import share_dir
from skillet_core.robot import load_robot
from skillet_core.scene import load_task
from skillet_sim.cameras import CameraRenderer
from skillet_sim.shape_scene import FLOOR, add_body, load_collision_scene, shape_spec
from skillet_sim.world import World

LAB = share_dir() / "assets" / "tasks" / "lab"
QUARTER_TURN = (0.0, 0.0, np.pi / 2)
RAY_FROM = 2.0


def ray_down(model: mujoco.MjModel, x: float, y: float) -> float:
    """Height of the first surface met from above [m]."""
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    hit = np.zeros(1, dtype=np.int32)
    start, down = np.array([x, y, RAY_FROM]), np.array([0.0, 0.0, -1.0])
    return RAY_FROM - mujoco.mj_ray(model, data, start, down, None, 1, -1, hit)


def built(item: CollisionObject, folder: Path = LAB) -> mujoco.MjModel:
    return shape_spec(CollisionScene(objects={"thing": item}), folder).compile()


@pytest.mark.parametrize(
    ("shape", "height"),
    [
        (BoxShape(size=(0.2, 0.4, 0.6)), 0.3),
        (CylinderShape(radius=0.1, length=0.5), 0.25),
        (SphereShape(radius=0.15), 0.15),
        (MeshShape(file="wedge.obj", scale=(1.0, 1.0, 2.0)), 0.1),
    ],
)
def test_every_kind_of_shape_has_its_full_size(shape, height) -> None:
    model = built(CollisionObject(shapes=(shape,), xyz=(1.0, 0.0, 0.5)))
    assert ray_down(model, 1.0, 0.0) == pytest.approx(0.5 + height, abs=1e-6)
    assert ray_down(model, 0.0, 0.0) == pytest.approx(FLOOR)


def test_shapes_are_placed_in_the_frame_of_their_object() -> None:
    bar = BoxShape(size=(0.4, 0.02, 0.02), xyz=(0.3, 0.0, 0.0), rpy=QUARTER_TURN)
    model = built(CollisionObject(shapes=(bar,), xyz=(0.0, 0.0, 1.0), rpy=QUARTER_TURN))
    # turned twice by 90 degrees: centred at y = 0.3, and along x again
    assert ray_down(model, 0.15, 0.3) == pytest.approx(1.01)
    assert ray_down(model, 0.0, 0.15) == pytest.approx(FLOOR)


def test_a_slanted_mesh_keeps_its_frame() -> None:
    model = built(CollisionObject(shapes=(MeshShape(file="wedge.obj"),)))
    assert ray_down(model, -0.05, 0.0) == pytest.approx(0.075, abs=1e-6)
    assert ray_down(model, 0.05, 0.0) == pytest.approx(0.025, abs=1e-6)


def test_only_what_is_movable_falls() -> None:
    ball = (SphereShape(radius=0.05),)
    scene = CollisionScene(
        objects={
            "shelf": CollisionObject(shapes=ball, xyz=(0.0, 0.0, 1.0)),
            "apple": CollisionObject(shapes=ball, xyz=(1.0, 0.0, 1.0), movable=True),
        }
    )
    model = shape_spec(scene, LAB).compile()
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, 100)
    assert data.body("shelf").xpos[2] == pytest.approx(1.0)
    assert data.body("apple").xpos[2] < 0.95


def test_a_missing_mesh_is_named_with_where_it_was_looked_for() -> None:
    with pytest.raises(InvalidFileError, match=r"wegde\.obj of 'thing' does not exist.*lab"):
        built(CollisionObject(shapes=(MeshShape(file="wegde.obj"),)))


def test_a_box_without_extent_is_refused() -> None:
    item = CollisionObject(shapes=(BoxShape(size=(0.1, 0.0, 0.1)),))
    with pytest.raises(InvalidFileError, match="every side must be positive"):
        add_body(mujoco.MjSpec(), "plate", item, LAB, free=True)


def test_a_file_that_does_not_fit_is_refused_with_its_faults(tmp_path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text("objects: {ball: {shapes: [{kind: sphere, radius: -1}]}}")
    with pytest.raises(InvalidFileError, match=r"world\.yaml.*radius.*greater than 0"):
        load_collision_scene(path)


@pytest.mark.parametrize("robot", ["ur5e", "panda"])
def test_the_laboratory_is_simulated_and_at_rest(robot) -> None:
    world = World(load_robot(robot), load_task("lab"))
    world.step(250)
    scene = world.scene_state()
    assert set(scene.objects) == {"table", "camera_stand", "crate"}
    np.testing.assert_allclose(scene.object("crate").pose.position, [0.5, 0.0, 0.025], atol=1e-3)
    assert not scene.success


def test_the_laboratory_is_lit_and_seen_in_its_colours() -> None:
    world = World(load_robot("ur5e"), load_task("lab"))
    with CameraRenderer(world.model, 160, 120) as renderer:
        picture = renderer.color(world.data, "front").astype(float)
    red, green, blue = np.moveaxis(picture, -1, 0)
    assert picture.mean() > 60
    assert ((blue > 1.5 * red) & (blue > 1.5 * green)).sum() > 50  # the crate
    assert ((red > 1.8 * blue) & (red > 120)).sum() > 50  # the wedge
