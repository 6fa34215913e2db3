"""Grasps and placements of whole robots in the task `blocks`."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from skillet_core.collision_objects import AddObject, BoxShape, CollisionObject, RemoveObject
from skillet_core.errors import PlanningError, PlanningFailure, UnknownNameError
from skillet_core.geometry import Pose
from skillet_core.manipulation import GraspRequest, PlaceRequest
from skillet_core.scene import ObjectState, load_task
from skillet_core.trajectory import RobotState
from skillet_motion.grasping.search import APPROACH_DISTANCE
from skillet_motion.grasping.surface import completed, surface_from_points
from skillet_motion.planning_scene import PlanningScene
from skillet_motion.sampling import SceneSampler
from skillet_sim.world import World

BLOCK = 0.04


@pytest.fixture(scope="module")
def sampler(stack):
    return stack.sampler


def moved(scene, **poses):
    return dataclasses.replace(scene, objects=scene.objects | {n: ObjectState(p) for n, p in poses.items()})


def holding(stack, scene, state, tilt=0.0):
    """The red block between the fingers, straight or turned about the closing axis by a tilt."""
    grasp = stack.sampler.grasps(GraspRequest("red_block", mode="planar"), state, scene)[0]
    pose = Pose(np.array([0.45, 0.1, 0.2]))
    hand = pose @ scene.object("red_block").pose.inverse() @ grasp.pose
    found = stack.scene.kinematics.solutions(hand, grasp.positions, rng=np.random.default_rng(0), seeds=4)
    twist = Pose.from_xyz_rpy((0, 0, 0), (0, tilt, 0))
    held = hand @ twist @ hand.inverse() @ pose
    state = RobotState(0.0, found[0], np.zeros_like(found[0]), grasp.width)
    return state, moved(scene, red_block=held)


def bottom(pose):
    corners = np.array(np.meshgrid(*[[-BLOCK / 2, BLOCK / 2]] * 3)).reshape(3, -1).T
    return float(pose.apply(corners)[:, 2].min())


@pytest.mark.parametrize("mode", ["6dof", "planar"])
def test_grasps_are_reached_free_and_ranked(stack, sampler, at_home, tidy_scene, mode):
    grasps = sampler.grasps(GraspRequest("green_block", mode=mode), at_home, tidy_scene)
    assert 2 <= len(grasps) <= 12
    scores = [grasp.score for grasp in grasps]
    assert scores == sorted(scores, reverse=True)
    for grasp in grasps:
        off, angle = stack.scene.kinematics.forward(grasp.positions).distance_to(grasp.pose)
        assert off < 1e-3
        assert angle < 1e-2
        assert grasp.width == pytest.approx(BLOCK, abs=0.003)
        assert grasp.opening > grasp.width
        assert all(0.0 <= value <= 1.0 for value in grasp.qualities.values())
        state = dataclasses.replace(at_home, opening=grasp.opening)
        stack.scene.update(state, tidy_scene, touching=("green_block",))
        assert stack.scene.collisions.is_free(grasp.positions)


def test_planar_grasps_are_vertical(sampler, at_home, tidy_scene):
    grasps = sampler.grasps(GraspRequest("red_block", mode="planar"), at_home, tidy_scene)
    for grasp in grasps:
        np.testing.assert_allclose(grasp.pose.rotation.apply([0, 0, 1]), [0, 0, -1], atol=1e-9)
        assert abs(grasp.pose.rotation.apply([0, 1, 0])[2]) < 1e-9


def test_a_seed_decides_everything(sampler, at_home, tidy_scene):
    first, again, other = (
        sampler.grasps(GraspRequest("blue_block", seed=seed), at_home, tidy_scene) for seed in (5, 5, 6)
    )
    assert [g.score for g in first] == [g.score for g in again]
    np.testing.assert_array_equal(first[0].positions, again[0].positions)
    assert [g.score for g in first] != [g.score for g in other]


def test_no_more_grasps_than_asked_for_and_no_two_alike(sampler, at_home, tidy_scene):
    grasps = sampler.grasps(GraspRequest("red_block", limit=4), at_home, tidy_scene)
    assert len(grasps) == 4
    for index, grasp in enumerate(grasps):
        for other in grasps[:index]:
            distance, angle = grasp.pose.distance_to(other.pose)
            assert distance > 0.005 or angle > 0.1


@pytest.mark.parametrize(
    ("place", "reason"), [((1.6, 0.0, 0.02), "out of reach"), ((0.45, 0.3, -0.1), "hit")]
)
def test_no_grasp_says_why(sampler, at_home, tidy_scene, place, reason):
    scene = moved(tidy_scene, red_block=Pose(np.array(place)))
    with pytest.raises(PlanningError, match=reason) as caught:
        sampler.grasps(GraspRequest("red_block"), at_home, scene)
    assert caught.value.failure is PlanningFailure.NO_GRASP


def test_what_is_wider_than_the_gripper_says_so(stack, sampler, at_home, tidy_scene):
    crate = CollisionObject(shapes=(BoxShape(size=(0.12, 0.1, 0.11)),), xyz=(0.45, 0.0, 0.3), movable=True)
    stack.scene.apply(AddObject("crate", crate), at_home, tidy_scene)
    try:
        with pytest.raises(PlanningError, match="wider than the gripper opens"):
            sampler.grasps(GraspRequest("crate"), at_home, tidy_scene)
    finally:
        stack.scene.apply(RemoveObject("crate"), at_home, tidy_scene)


def test_an_added_object_can_be_grasped(stack, sampler, at_home, tidy_scene):
    stick = CollisionObject(shapes=(BoxShape(size=(0.02, 0.1, 0.03)),), xyz=(0.6, 0.0, 0.015), movable=True)
    stack.scene.apply(AddObject("stick", stick), at_home, tidy_scene)
    try:
        grasps = sampler.grasps(GraspRequest("stick"), at_home, tidy_scene)
        assert grasps[0].width == pytest.approx(0.02, abs=0.003)
    finally:
        stack.scene.apply(RemoveObject("stick"), at_home, tidy_scene)


def test_unknown_names_and_missing_handles_are_refused(sampler, at_home, tidy_scene):
    with pytest.raises(UnknownNameError):
        sampler.grasps(GraspRequest("red_blok"), at_home, tidy_scene)
    with pytest.raises(PlanningError, match="has no handle"):
        sampler.grasps(GraspRequest("red_block", handle=True), at_home, tidy_scene)


def test_what_a_camera_saw_of_a_block_is_enough_to_grasp_it(sampler, at_home, tidy_scene):
    """A cloud of the sides that face a camera in front, above and to the left."""
    rng = np.random.default_rng(0)
    camera = np.array([-0.6, 0.3, 0.7])
    points = rng.uniform(-BLOCK / 2, BLOCK / 2, (1500, 3))
    axis = rng.integers(0, 3, 1500)
    points[np.arange(1500), axis] = np.sign(camera)[axis] * BLOCK / 2
    points += rng.normal(scale=3e-4, size=points.shape)
    surface = completed(surface_from_points(points, camera), np.array([0.0, 0.0, 1.0]))
    request = GraspRequest("red_block", surface=surface)
    grasps = sampler.grasps(request, at_home, tidy_scene)
    assert grasps[0].width == pytest.approx(BLOCK, abs=0.003)
    assert np.linalg.norm(grasps[0].pose.position - [0.45, 0.1, 0.02]) < 0.03


def test_the_way_to_a_grasp_is_free(stack, sampler, at_home, tidy_scene):
    """A board above the block leaves no room to come from above."""
    board = CollisionObject(shapes=(BoxShape(size=(0.3, 0.3, 0.01)),), xyz=(0.45, 0.1, 0.19))
    stack.scene.apply(AddObject("board", board), at_home, tidy_scene)
    try:
        with pytest.raises(PlanningError):
            sampler.grasps(GraspRequest("red_block", mode="planar"), at_home, tidy_scene)
    finally:
        stack.scene.apply(RemoveObject("board"), at_home, tidy_scene)
    assert APPROACH_DISTANCE < 0.19


def test_a_drawer_is_taken_by_its_handle_from_the_front(robot, at_home):
    task = load_task("workbench")
    scene = World(robot, task, seed=0).scene_state()
    sampler = SceneSampler(PlanningScene(robot, task))
    grasps = sampler.grasps(GraspRequest("top_drawer", handle=True), at_home, scene)
    handle, drawer = task.object("top_drawer").handle, scene.object("top_drawer").pose
    outward = drawer.rotation.apply([-1.0, 0.0, 0.0])
    for grasp in grasps:
        assert grasp.width == pytest.approx(handle.size[2], abs=0.002)
        away = np.abs(drawer.inverse().apply(grasp.pose.position) - handle.center)
        assert (away < np.array(handle.size) / 2 + 0.03).all()
    assert grasps[0].pose.rotation.apply([0.0, 0.0, 1.0]) @ outward < -0.8


@pytest.mark.parametrize("target", ["left_bin", "right_bin", "table"])
def test_a_placement_is_reached_stands_upright_and_is_clear_of_others(
    stack, sampler, at_home, tidy_scene, target
):
    state, scene = holding(stack, tidy_scene, at_home)
    placements = sampler.placements(PlaceRequest("red_block", target), state, scene)
    floor = 0.005 if target != "table" else 0.0
    for placement in placements:
        reached = stack.scene.kinematics.forward(placement.positions)
        assert reached.distance_to(placement.grasp_pose)[0] < 1e-3
        assert floor <= bottom(placement.object_pose) < floor + 0.06
        upright = np.abs(placement.object_pose.rotation.as_matrix()[2]).max()
        assert upright > 0.999 or placement.qualities["stability"] < 0.5
        for name in ("green_block", "blue_block"):
            apart = placement.object_pose.position - scene.object(name).pose.position
            assert np.linalg.norm(apart) > BLOCK
        inner = np.abs(placement.object_pose.position - tidy_scene.object(target).pose.position)[:2]
        assert target == "table" or (inner < 0.1 - BLOCK / 2).all()


def test_a_tilted_block_is_put_down_flat(stack, sampler, at_home, tidy_scene):
    state, scene = holding(stack, tidy_scene, at_home, tilt=0.35)
    assert abs(scene.object("red_block").pose.rotation.as_matrix()[2]).max() < 0.95
    best = sampler.placements(PlaceRequest("red_block", "table"), state, scene)[0]
    assert np.abs(best.object_pose.rotation.as_matrix()[2]).max() > 0.9999


def test_a_wish_is_met_where_there_is_room(stack, sampler, at_home, tidy_scene):
    state, scene = holding(stack, tidy_scene, at_home)
    wish = Pose.from_xyz_rpy((0.5, 0.05, 0.02), (0.0, 0.0, 0.3))
    best = sampler.placements(PlaceRequest("red_block", "table", wish), state, scene)[0]
    assert np.linalg.norm((best.object_pose.position - wish.position)[:2]) < 0.02
    exact = Pose(wish.position + np.array([0.0, 0.0, 0.01]), wish.rotation)
    only = sampler.placements(PlaceRequest("red_block", pose=exact), state, scene)
    assert only[0].object_pose.distance_to(exact)[0] < 1e-9


def test_a_block_can_be_put_on_another(stack, sampler, at_home, tidy_scene):
    state, scene = holding(stack, tidy_scene, at_home)
    best = sampler.placements(PlaceRequest("red_block", "blue_block"), state, scene)[0]
    over = best.object_pose.position - scene.object("blue_block").pose.position
    assert np.linalg.norm(over[:2]) < 0.005
    assert BLOCK <= over[2] < BLOCK + 0.05


def test_a_grasp_that_is_not_taken_yet_gives_the_places_that_it_would_give(
    stack, sampler, at_home, tidy_scene
):
    grasp = sampler.grasps(GraspRequest("red_block", mode="planar"), at_home, tidy_scene)[0]
    there = dataclasses.replace(at_home, positions=grasp.positions, opening=grasp.width)
    request = PlaceRequest("red_block", "left_bin", limit=3)
    held = sampler.placements(request, there, tidy_scene)
    imagined = sampler.placements(dataclasses.replace(request, held_by=grasp), at_home, tidy_scene)
    for one, other in zip(held, imagined, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
        assert one.grasp_pose.distance_to(other.grasp_pose)[0] == 0.0
    object_from_grasp = tidy_scene.object("red_block").pose.inverse() @ grasp.pose
    off, angle = (imagined[0].object_pose @ object_from_grasp).distance_to(imagined[0].grasp_pose)
    assert off < 1e-3
    assert angle < 1e-2


def test_a_full_bin_has_no_room(stack, sampler, at_home, tidy_scene):
    state, scene = holding(stack, tidy_scene, at_home)
    filler = CollisionObject(
        shapes=(BoxShape(size=(0.15, 0.15, 0.05)),), xyz=(0.45, 0.3, 0.031), movable=True
    )
    stack.scene.apply(AddObject("filler", filler), at_home, tidy_scene)
    try:
        with pytest.raises(PlanningError, match="no room for red_block at left_bin") as caught:
            sampler.placements(PlaceRequest("red_block", "left_bin"), state, scene)
    finally:
        stack.scene.apply(RemoveObject("filler"), at_home, tidy_scene)
    assert caught.value.failure is PlanningFailure.NO_ROOM


def test_nothing_is_put_on_what_leans_or_nowhere(stack, sampler, at_home, tidy_scene):
    state, scene = holding(stack, tidy_scene, at_home)
    leaning = moved(scene, blue_block=Pose.from_xyz_rpy((0.45, -0.1, 0.03), (0.7, 0.0, 0.0)))
    with pytest.raises(PlanningError, match="blue_block leans"):
        sampler.placements(PlaceRequest("red_block", "blue_block"), state, leaning)
    with pytest.raises(PlanningError, match="name a target or a pose"):
        sampler.placements(PlaceRequest("red_block"), state, scene)
