"""The planning scene: what is added, moved, attached and removed counts in every check from then on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from skillet_core.collision_objects import (
    AddObject,
    AttachObject,
    BoxShape,
    CollisionObject,
    CylinderShape,
    DetachObject,
    MeshShape,
    MoveObject,
    RemoveObject,
    SphereShape,
)
from skillet_core.errors import (
    InvalidFileError,
    PlanningError,
    SceneChangeError,
    SkilletError,
    UnknownNameError,
)
from skillet_core.geometry import Pose
from skillet_core.motion import JointGoal, PlanRequest
from skillet_core.scene import ObjectState, SceneState, load_task
from skillet_motion.planning import OmplPlanner
from skillet_motion.planning_scene import PlanningScene

NOTHING = SceneState(0.0, "blocks", 0, 0, success=False, objects={})


@pytest.fixture(scope="module")
def built(robot, task) -> PlanningScene:
    return PlanningScene(robot, task)


@pytest.fixture
def scene(built, at_home) -> Iterator[PlanningScene]:
    """Made once, and cleared after every test."""
    yield built
    for name in built.attached:
        built.apply(DetachObject(name), at_home, NOTHING)
    for name in list(built.added):
        built.apply(RemoveObject(name), at_home, NOTHING)


@pytest.fixture
def lab(robot) -> PlanningScene:
    """A scene of shapes, of which nothing is reported: as on hardware."""
    return PlanningScene(robot, load_task("lab"))


def ball(position, radius=0.03):
    return CollisionObject(shapes=(SphereShape(radius=radius),), xyz=tuple(map(float, position)))


def above_hand(scene, q):
    """Where a ball hits the hand at arm positions."""
    return scene.kinematics.forward(q).position + np.array([0.0, 0.0, 0.08])


def hits(scene, q):
    return {name for overlap in scene.collisions.overlaps(q) for name in (overlap.first, overlap.second)}


def turned(state, angle):
    """The arm turned about its base."""
    positions = state.positions.copy()
    positions[0] += angle
    return replace(state, positions=positions)


def snapshot(scene, state, reported):
    scene.update(state, reported)
    poses = {
        name: entry.pose.matrix.tolist() for name, entry in scene.merged(reported, state).objects.items()
    }
    return scene.model, scene.kinematics, scene.collisions, poses, scene.attached, dict(scene.added)


def test_an_added_object_collides_where_it_is_and_a_removed_one_does_not(scene, at_home, tidy_scene):
    home = at_home.positions
    scene.apply(AddObject("ball", ball(above_hand(scene, home))), at_home, tidy_scene)
    scene.update(at_home, tidy_scene)
    assert "ball" in hits(scene, home)
    assert not scene.collisions.is_free(home)
    scene.apply(RemoveObject("ball"), at_home, tidy_scene)
    scene.update(at_home, tidy_scene)
    assert scene.collisions.is_free(home)
    assert set(scene.merged(tidy_scene, at_home).objects) == set(tidy_scene.objects)


@pytest.mark.parametrize(
    "shape",
    [
        BoxShape(size=(0.06, 0.06, 0.06)),
        CylinderShape(radius=0.03, length=0.06),
        MeshShape(file="../lab/wedge.obj", scale=(0.5, 1.0, 1.0)),
    ],
)
def test_every_shape_is_an_obstacle(scene, at_home, tidy_scene, shape):
    place = tuple(map(float, above_hand(scene, at_home.positions)))
    scene.apply(AddObject("thing", CollisionObject(shapes=(shape,), xyz=place)), at_home, tidy_scene)
    scene.update(at_home, tidy_scene)
    assert "thing" in hits(scene, at_home.positions)


def test_a_moved_object_is_where_it_was_moved_to(scene, at_home, tidy_scene):
    home = at_home.positions
    scene.apply(AddObject("ball", ball((0.0, 1.0, 1.0))), at_home, tidy_scene)
    scene.apply(MoveObject("ball", Pose(above_hand(scene, home))), at_home, tidy_scene)
    scene.update(at_home, tidy_scene)
    assert "ball" in hits(scene, home)
    merged = scene.merged(tidy_scene, at_home)
    np.testing.assert_allclose(merged.object("ball").pose.position, above_hand(scene, home))


def test_an_attached_object_moves_with_the_hand_until_it_is_detached(scene, at_home, tidy_scene):
    grasp = scene.kinematics.forward(at_home.positions)
    scene.apply(AddObject("ball", ball(grasp.position)), at_home, tidy_scene)
    scene.apply(AttachObject("ball"), at_home, tidy_scene)
    scene.update(at_home, tidy_scene)
    assert scene.attached == {"ball"}
    assert scene.collisions.is_free(at_home.positions)  # the fingers hold it
    there = turned(at_home, 0.8)
    carried = scene.merged(tidy_scene, there).object("ball").pose.position
    np.testing.assert_allclose(carried, scene.kinematics.forward(there.positions).position, atol=1e-9)
    scene.apply(DetachObject("ball"), there, tidy_scene)
    for state in (at_home, there):
        np.testing.assert_allclose(scene.merged(tidy_scene, state).object("ball").pose.position, carried)
    assert not scene.attached


def test_what_is_attached_keeps_clear_of_the_rest(scene, at_home, tidy_scene):
    grasp = scene.kinematics.forward(at_home.positions)
    scene.apply(AddObject("ball", ball(grasp.position)), at_home, tidy_scene)
    scene.apply(AddObject("post", ball(grasp.position - [0.0, 0.0, 0.09])), at_home, tidy_scene)
    scene.apply(AttachObject("ball"), at_home, tidy_scene)
    scene.update(at_home, tidy_scene)
    assert scene.collisions.is_free(at_home.positions)
    scene.apply(MoveObject("post", Pose(grasp.position - [0.0, 0.0, 0.05])), at_home, tidy_scene)
    scene.update(at_home, tidy_scene)
    assert {"ball", "post"} <= hits(scene, at_home.positions)


def test_a_reported_object_that_is_attached_follows_the_hand_and_not_the_report(scene, at_home, tidy_scene):
    grasp = scene.kinematics.forward(at_home.positions)
    held = replace(tidy_scene, objects={**tidy_scene.objects, "red_block": ObjectState(grasp)})
    scene.apply(AttachObject("red_block"), at_home, held)
    there = turned(at_home, 0.5)
    carried = scene.merged(held, there).object("red_block").pose
    assert carried.distance_to(scene.kinematics.forward(there.positions))[0] < 1e-9
    scene.apply(DetachObject("red_block"), there, held)
    assert scene.merged(held, there).object("red_block") is held.object("red_block")


def test_merging_twice_changes_nothing_more(lab, at_home):
    lab.apply(AddObject("ball", ball((0.3, 0.3, 0.3))), at_home, NOTHING)
    lab.apply(AttachObject("crate"), at_home, NOTHING)
    once = lab.merged(NOTHING, at_home)
    twice = lab.merged(once, at_home)
    assert set(once.objects) == {"table", "wall", "camera_stand", "wedge", "crate", "ball"}
    for name, entry in once.objects.items():
        np.testing.assert_array_equal(twice.object(name).pose.matrix, entry.pose.matrix)


def test_what_a_file_declares_is_an_obstacle_though_nobody_reports_it(lab, at_home):
    lab.update(at_home, NOTHING)
    assert lab.collisions.is_free(at_home.positions)
    hand = above_hand(lab, at_home.positions)
    # what was merged once is not reported by anybody
    lab.apply(MoveObject("wall", Pose(hand)), at_home, lab.merged(NOTHING, at_home))
    lab.update(at_home, NOTHING)
    assert "wall" in hits(lab, at_home.positions)


def test_a_report_of_a_declared_object_counts_and_forbids_to_move_it(lab, at_home):
    seen = Pose(np.array([0.4, -0.1, 0.025]))
    reported = replace(NOTHING, objects={"crate": ObjectState(seen)})
    assert lab.merged(reported, at_home).object("crate").pose is seen
    with pytest.raises(SceneChangeError, match=r"'crate' is where.*Objects that can: camera_stand, table"):
        lab.apply(MoveObject("crate", Pose.identity()), at_home, reported)


def test_a_plan_avoids_what_was_added(scene, at_home, tidy_scene):
    planner, request = OmplPlanner(scene), PlanRequest(JointGoal(turned(at_home, 1.0).positions))
    straight = planner.plan(request, at_home, tidy_scene)
    halfway = turned(at_home, 0.5).positions
    place = tuple(map(float, scene.kinematics.forward(halfway).position))
    pillar = CollisionObject(shapes=(CylinderShape(radius=0.03, length=0.3),), xyz=place)
    scene.apply(AddObject("pillar", pillar), at_home, tidy_scene)
    around = planner.plan(request, at_home, tidy_scene)
    assert all(scene.collisions.is_free(point) for point in around.positions)
    assert not all(scene.collisions.is_free(point) for point in straight.positions)
    with pytest.raises(PlanningError, match=r"in collision: .*pillar"):
        planner.plan(PlanRequest(JointGoal(halfway)), at_home, tidy_scene)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (AddObject("ball", ball((0, 0, 1))), (SceneChangeError, "there is a 'ball' already")),
        (AddObject("left_bin", ball((0, 0, 1))), (SceneChangeError, "there is a 'left_bin' already")),
        (AddObject("robot/ball", ball((0, 0, 1))), (SceneChangeError, "does not begin with 'robot/'")),
        (AddObject("", ball((0, 0, 1))), (SceneChangeError, "needs a name")),
        (
            AddObject("gap", CollisionObject(shapes=(MeshShape(file="none.obj"),))),
            (InvalidFileError, r"none\.obj of 'gap' does not exist"),
        ),
        (
            AddObject("flat", CollisionObject(shapes=(MeshShape(file="../lab/wedge.obj", scale=(1, 1, 0)),))),
            (SceneChangeError, "MuJoCo cannot build .*flat"),
        ),
        (MoveObject("bal", Pose.identity()), (UnknownNameError, "unknown object to move 'bal'.*'ball'")),
        (MoveObject("red_block", Pose.identity()), (SceneChangeError, "'red_block' is where.*can: ball")),
        (AttachObject("bal"), (UnknownNameError, "unknown object 'bal'.*'ball'")),
        (AttachObject("left_bin"), (SceneChangeError, "'left_bin' is fixed to the scene")),
        (DetachObject("ball"), (UnknownNameError, r"unknown attached object 'ball'.*Valid: \(none\)")),
        (RemoveObject("bal"), (UnknownNameError, "unknown added object 'bal'.*'ball'")),
        (RemoveObject("red_block"), (SceneChangeError, "'red_block' belongs to the scene.*: ball")),
    ],
)
def test_a_change_that_cannot_be_made_says_why_and_changes_nothing(
    scene, at_home, tidy_scene, change, refusal
):
    scene.apply(AddObject("ball", ball((0.0, 1.0, 1.0))), at_home, tidy_scene)
    before = snapshot(scene, at_home, tidy_scene)
    error, message = refusal
    with pytest.raises(error, match=message):
        scene.apply(change, at_home, tidy_scene)
    assert snapshot(scene, at_home, tidy_scene) == before


def test_an_attached_object_can_be_neither_moved_nor_attached_again(scene, at_home, tidy_scene):
    scene.apply(AddObject("ball", ball((0.0, 1.0, 1.0))), at_home, tidy_scene)
    scene.apply(AttachObject("ball"), at_home, tidy_scene)
    for change in (MoveObject("ball", Pose.identity()), AttachObject("ball")):
        with pytest.raises(SkilletError, match="attached"):
            scene.apply(change, at_home, tidy_scene)
    scene.apply(RemoveObject("ball"), at_home, tidy_scene)
    assert not scene.attached


def test_poses_and_attachments_outlive_other_changes(scene, at_home, tidy_scene):
    grasp = scene.kinematics.forward(at_home.positions)
    scene.apply(AddObject("ball", ball(grasp.position)), at_home, tidy_scene)
    scene.apply(AttachObject("ball"), at_home, tidy_scene)
    scene.apply(AddObject("other", ball((0.0, 1.0, 1.0))), at_home, tidy_scene)
    scene.apply(MoveObject("other", Pose(np.array([0.0, -1.0, 1.0]))), at_home, tidy_scene)
    scene.apply(AddObject("third", ball((0.0, 1.0, 1.0))), at_home, tidy_scene)
    merged = scene.merged(tidy_scene, at_home)
    np.testing.assert_allclose(merged.object("other").pose.position, [0.0, -1.0, 1.0])
    np.testing.assert_allclose(merged.object("ball").pose.position, grasp.position, atol=1e-9)
    assert scene.attached == {"ball"}
