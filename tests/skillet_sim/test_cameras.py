"""What the cameras show agrees with where things are: geometry, units, colours."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np
import pytest

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Array, Pose
from skillet_core.robot import RobotDescription
from skillet_sim.cameras import MAX_DEPTH, CameraRenderer, Rod, intrinsics
from skillet_sim.world import World

WIDTH, HEIGHT = 320, 240
COLOURS = {"red_block": 0, "green_block": 1, "blue_block": 2}


@pytest.fixture
def renderer(world: World) -> Iterator[CameraRenderer]:
    with CameraRenderer(world.model, WIDTH, HEIGHT) as renderer:
        yield renderer


def _optical_pose(world: World, robot: RobotDescription, camera: str) -> Pose:
    frame = next(c.optical_frame for c in robot.cameras if c.name == camera)
    body = world.data.body(f"robot/{frame}")
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = body.xmat.reshape(3, 3), body.xpos
    return Pose.from_matrix(matrix)


def _matrix(robot: RobotDescription, camera: str) -> Array:
    return intrinsics(next(c for c in robot.cameras if c.name == camera), WIDTH, HEIGHT)


def _points(depth: np.ndarray, matrix: Array, pose: Pose) -> Array:
    """World positions of every pixel, shape (h, w, 3), from depth in millimetres."""
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH]
    z = depth / 1000.0
    x, y = (u - matrix[0, 2]) * z / matrix[0, 0], (v - matrix[1, 2]) * z / matrix[1, 1]
    return pose.apply(np.stack([x, y, z], axis=-1).reshape(-1, 3)).reshape(HEIGHT, WIDTH, 3)


def _mask(color: np.ndarray, channel: int) -> np.ndarray:
    """Pixels in which one of red, green, blue is more than twice each other."""
    others = [c for c in range(3) if c != channel]
    levels = color.astype(float)
    return (levels[..., channel] > 60) & (levels[..., channel] > 2.0 * levels[..., others].max(axis=-1))


def test_images_have_the_contracts_types(
    world: World, renderer: CameraRenderer, robot: RobotDescription
) -> None:
    for camera in robot.cameras:
        color, depth = renderer.render(world.data, camera.name)
        assert (color.shape, color.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
        assert (depth.shape, depth.dtype) == ((HEIGHT, WIDTH), np.uint16)
        np.testing.assert_array_equal(color, renderer.color(world.data, camera.name))
        np.testing.assert_array_equal(depth, renderer.depth(world.data, camera.name))


def test_the_middle_of_a_block_is_seen_where_the_camera_matrix_says(
    world: World, renderer: CameraRenderer, robot: RobotDescription
) -> None:
    color = renderer.color(world.data, "front")
    pose, matrix = _optical_pose(world, robot, "front"), _matrix(robot, "front")
    for name, channel in COLOURS.items():
        x, y, z = pose.inverse().apply(world.scene_state().object(name).pose.position)
        u, v = matrix[0, 0] * x / z + matrix[0, 2], matrix[1, 1] * y / z + matrix[1, 2]
        mask = _mask(color, channel)
        assert mask[round(v), round(u)], name
        rows, columns = np.nonzero(mask)
        assert columns.mean() == pytest.approx(u, abs=2.0)
        assert rows.mean() == pytest.approx(v, abs=3.0)


def test_depth_puts_the_blocks_surface_where_the_block_is(
    world: World, renderer: CameraRenderer, robot: RobotDescription
) -> None:
    color, depth = renderer.render(world.data, "front")
    points = _points(depth, _matrix(robot, "front"), _optical_pose(world, robot, "front"))
    for name, channel in COLOURS.items():
        block = world.scene_state().object(name).pose
        local = block.inverse().apply(points[_mask(color, channel)])
        assert len(local) > 50
        # every point within the block, and on its surface
        assert np.abs(local).max() < 0.02 + 0.003, name
        assert np.abs(local).max(axis=1) == pytest.approx(np.full(len(local), 0.02), abs=0.003)


def test_depth_puts_the_table_top_at_zero(
    world: World, renderer: CameraRenderer, robot: RobotDescription
) -> None:
    for camera in ("front", "wrist"):
        depth = renderer.depth(world.data, camera)
        points = _points(depth, _matrix(robot, camera), _optical_pose(world, robot, camera))
        # a strip of the table between the spawn region and the right bin
        x, y = points[..., 0], points[..., 1]
        strip = (np.abs(y + 0.17) < 0.01) & (np.abs(x - 0.45) < 0.1) & (np.abs(points[..., 2]) < 0.1)
        assert strip.sum() > 20, camera
        assert np.abs(points[strip][:, 2]).max() < 0.003, camera


def test_what_is_too_far_has_no_reading(world: World, renderer: CameraRenderer) -> None:
    towards_the_sky = mujoco.MjvCamera()
    towards_the_sky.type, towards_the_sky.elevation = mujoco.mjtCamera.mjCAMERA_FREE, 60.0
    towards_the_sky.lookat[:] = (0.0, 0.0, 4.0)
    assert not renderer.depth(world.data, towards_the_sky).any()
    level = renderer.depth(world.data, "front")
    assert (level == 0).any()
    assert level.max() <= 1000 * MAX_DEPTH


def test_what_is_too_near_has_no_reading(world: World, renderer: CameraRenderer) -> None:
    block = world.scene_state().object("red_block").pose.position
    near = mujoco.MjvCamera()
    near.type, near.elevation, near.distance = mujoco.mjtCamera.mjCAMERA_FREE, -90.0, 0.08
    near.lookat[:] = block
    # the block's top is 6 cm away and fills the image
    assert renderer.depth(world.data, near)[HEIGHT // 2, WIDTH // 2] == 0
    near.distance = 0.13
    assert renderer.depth(world.data, near)[HEIGHT // 2, WIDTH // 2] == pytest.approx(110, abs=1)


def test_the_wrist_camera_sees_both_fingers_and_the_table_beyond(
    world: World, renderer: CameraRenderer, robot: RobotDescription
) -> None:
    pose, matrix = _optical_pose(world, robot, "wrist"), _matrix(robot, "wrist")
    columns = []
    half = robot.gripper.max_opening / 2
    for side in (-half, half):
        pad = world.grasp_pose().apply(np.array([0.0, side, 0.0]))
        x, y, z = pose.inverse().apply(pad)
        columns.append(matrix[0, 0] * x / z + matrix[0, 2])
        assert 0 < matrix[1, 1] * y / z + matrix[1, 2] < HEIGHT
    left, right = sorted(columns)
    assert 0 < left < WIDTH / 2 < right < WIDTH
    assert (renderer.depth(world.data, "wrist") > 150).mean() > 0.5


def test_a_turned_wrist_sees_something_else(
    world: World, renderer: CameraRenderer, robot: RobotDescription
) -> None:
    before = renderer.color(world.data, "wrist")
    turned = robot.home.copy()
    turned[-1] += 0.5
    world.set_joints(turned, robot.gripper.max_opening)
    assert (before != renderer.color(world.data, "wrist")).mean() > 0.2


def test_an_unknown_camera_lists_the_known_ones(world: World, renderer: CameraRenderer) -> None:
    with pytest.raises(UnknownNameError, match="front, wrist"):
        renderer.color(world.data, "wirst")


def test_two_renderers_of_different_size_do_not_disturb_each_other(world: World) -> None:
    with CameraRenderer(world.model, 64, 48) as small, CameraRenderer(world.model, 128, 96) as large:
        first = small.color(world.data, "front")
        large.color(world.data, "front")
        np.testing.assert_array_equal(small.color(world.data, "front"), first)
        assert large.color(world.data, "front").shape == (96, 128, 3)


def test_closing_twice_does_nothing(world: World) -> None:
    renderer = CameraRenderer(world.model, 64, 48)
    renderer.close()
    renderer.close()


def test_rods_are_drawn_where_they_are_and_into_that_picture_alone(
    world: World, robot: RobotDescription, renderer: CameraRenderer
) -> None:
    ends = np.array([0.45, -0.1, 0.25]), np.array([0.45, 0.1, 0.25])
    plain = renderer.color(world.data, "front").astype(int)
    drawn = renderer.color(world.data, "front", [Rod(*ends, 0.004, (1.0, 0.0, 1.0, 1.0))]).astype(int)
    matrix, pose = _matrix(robot, "front"), _optical_pose(world, robot, "front")
    x, y, z = pose.inverse().apply((ends[0] + ends[1]) / 2)
    u, v = round(matrix[0, 0] * x / z + matrix[0, 2]), round(matrix[1, 1] * y / z + matrix[1, 2])
    changed = np.abs(drawn - plain).sum(axis=2) > 60
    assert changed[v - 2 : v + 3, u].any()
    assert changed.sum() < 0.02 * changed.size
    np.testing.assert_array_equal(renderer.color(world.data, "front"), plain)
