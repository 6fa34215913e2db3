from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from skillet_core.errors import PlanningError, UnknownNameError
from skillet_core.geometry import Pose
from skillet_core.motion import ANY_LINK
from skillet_core.scene import ObjectState
from skillet_core.trajectory import RobotState
from skillet_motion.collision import CollisionWorld
from skillet_sim.scene_model import build_model, build_spec


@pytest.fixture(scope="module")
def model(robot, task):
    return build_model(robot, task)


@pytest.fixture
def world(model, robot):
    return CollisionWorld(model, robot)


def moved(scene, name, position):
    return replace(scene, objects={**scene.objects, name: ObjectState(Pose(np.array(position)))})


def beside(position, *, x=0.0, y=0.0, z=0.0):
    return np.asarray(position) + np.array([x, y, z])


def looking_down_at(planner, robot, position):
    """Positions with the grasp frame at a place, oriented as at home."""
    target = Pose(np.asarray(position), planner.grasp_pose(robot.home).rotation)
    rng = np.random.default_rng(0)
    [best, *_] = planner.scene.kinematics.solutions(target, robot.home, rng=rng, seeds=8)
    return best


def test_home_is_free(world, robot, at_home, tidy_scene):
    world.update(at_home, tidy_scene)
    assert world.is_free(robot.home)
    assert world.overlaps(robot.home) == []


def test_an_object_in_a_finger_is_named_together_with_the_link(world, robot, at_home, tidy_scene, planner):
    at_pad = beside(planner.grasp_pose(robot.home).position, y=0.035)
    world.update(at_home, moved(tidy_scene, "red_block", at_pad))
    assert not world.is_free(robot.home)
    pairs = {frozenset((overlap.first, overlap.second)) for overlap in world.overlaps(robot.home)}
    links = {"robot/" + link for link in robot.gripper.links}
    assert pairs
    assert all("red_block" in pair and pair & links for pair in pairs)


def test_what_may_be_touched_does_not_collide_with_the_gripper(world, robot, at_home, tidy_scene, planner):
    at_pad = beside(planner.grasp_pose(robot.home).position, y=0.035)
    world.update(at_home, moved(tidy_scene, "red_block", at_pad), touching={"red_block"})
    assert world.is_free(robot.home)


def test_objects_that_touch_each_other_do_not_count(world, robot, at_home, tidy_scene):
    world.update(at_home, moved(tidy_scene, "red_block", (0.45, -0.1, 0.03)))
    assert world.is_free(robot.home)


def test_the_gripper_in_the_table_collides_with_it(world, robot, at_home, tidy_scene, planner):
    world.update(at_home, tidy_scene)
    below = looking_down_at(planner, robot, (0.45, 0.05, -0.03))
    assert any("table" in (overlap.first, overlap.second) for overlap in world.overlaps(below))


def test_a_carried_object_collides_where_the_empty_gripper_does_not(
    world, robot, at_home, tidy_scene, planner
):
    grasped = looking_down_at(planner, robot, tidy_scene.object("red_block").pose.position)
    # above the bin's wall, low enough for the block to be in it but not the fingers
    over_wall = looking_down_at(planner, robot, (0.45, 0.195, 0.085))
    state = RobotState(0.0, grasped, np.zeros_like(grasped), 0.042)
    world.update(state, tidy_scene, touching={"red_block"})
    assert world.is_free(over_wall)
    world.update(state, tidy_scene, attached={"red_block"})
    assert {"red_block", "left_bin"} in [{o.first, o.second} for o in world.overlaps(over_wall)]


def test_a_carried_object_may_rest_on_what_it_is_lifted_from(world, robot, tidy_scene, planner):
    grasped = looking_down_at(planner, robot, tidy_scene.object("green_block").pose.position)
    state = RobotState(0.0, grasped, np.zeros_like(grasped), 0.042)
    world.update(state, tidy_scene, attached={"green_block"})
    world.tolerate_start(grasped)
    assert world.is_free(grasped)


def test_a_deep_overlap_at_the_start_is_an_error_that_names_both(world, robot, at_home, tidy_scene, planner):
    in_palm = beside(planner.grasp_pose(robot.home).position, z=0.06)
    world.update(at_home, moved(tidy_scene, "blue_block", in_palm))
    with pytest.raises(PlanningError, match=r"start in collision: .*blue_block.* mm\)"):
        world.tolerate_start(robot.home)


def test_a_shallow_overlap_at_the_start_may_stay_but_not_deepen(world, robot, at_home, tidy_scene, planner):
    grasp = planner.grasp_pose(robot.home).position
    for y in np.arange(0.0, 0.04, 0.001):
        world.update(at_home, moved(tidy_scene, "blue_block", beside(grasp, y=y)))
        overlaps = world.overlaps(robot.home)
        if overlaps and -0.008 < overlaps[0].distance < -0.003:
            break
    else:
        pytest.fail("no shallow overlap was found")
    world.tolerate_start(robot.home)
    assert world.is_free(robot.home)
    assert world.is_free(looking_down_at(planner, robot, beside(grasp, y=0.002)))
    assert not world.is_free(looking_down_at(planner, robot, beside(grasp, y=-0.003)))


def test_what_is_fixed_to_the_scene_cannot_be_carried(world, at_home, tidy_scene):
    with pytest.raises(PlanningError, match="left_bin is fixed to the scene"):
        world.update(at_home, tidy_scene, attached={"left_bin"})


def test_several_objects_are_carried_at_once_and_do_not_mind_each_other(world, robot, at_home, tidy_scene):
    grasp = world.grasp_pose(robot.home)
    blocks = {
        name: ObjectState(grasp @ Pose(np.array(offset)))
        for name, offset in (("red_block", (0.0, 0.0, 0.0)), ("green_block", (0.0, 0.0, 0.03)))
    }
    scene = replace(tidy_scene, objects={**tidy_scene.objects, **blocks})
    world.update(at_home, scene, attached={"red_block"})
    assert any("green_block" in (o.first, o.second) for o in world.overlaps(robot.home))
    world.update(at_home, scene, attached={"red_block", "green_block"})
    assert world.is_free(robot.home)
    away = robot.home.copy()
    away[0] += 0.5
    assert world.is_free(away)


def test_an_allowed_contact_is_no_collision_but_the_others_are(world, robot, at_home, tidy_scene, planner):
    at_pad = beside(planner.grasp_pose(robot.home).position, y=0.035)
    scene = moved(tidy_scene, "red_block", at_pad)
    world.update(at_home, scene)
    pairs = {(overlap.first, overlap.second) for overlap in world.overlaps(robot.home)}
    world.update(at_home, scene, allowed_contacts={(second, first) for first, second in pairs})
    assert world.is_free(robot.home)
    world.update(at_home, scene, allowed_contacts={("red_block", "robot/" + robot.gripper.links[0])})
    left = {(overlap.first, overlap.second) for overlap in world.overlaps(robot.home)}
    assert left == {pair for pair in pairs if "robot/" + robot.gripper.links[0] not in pair}
    world.update(at_home, scene, allowed_contacts={(ANY_LINK, "red_block")})
    assert world.is_free(robot.home)
    world.update(at_home, scene)
    assert not world.is_free(robot.home)


def test_an_allowed_contact_of_an_unknown_body_is_an_error(world, at_home, tidy_scene):
    with pytest.raises(UnknownNameError, match=r"unknown body 'robot/palm'"):
        world.update(at_home, tidy_scene, allowed_contacts={("red_block", "robot/palm")})


def test_what_a_scene_does_not_mention_is_where_the_model_has_it(world, robot, at_home, tidy_scene, planner):
    at_pad = beside(planner.grasp_pose(robot.home).position, y=0.035)
    world.update(at_home, moved(tidy_scene, "red_block", at_pad))
    assert not world.is_free(robot.home)
    world.update(at_home, replace(tidy_scene, objects={}))
    assert world.is_free(robot.home)


@pytest.fixture
def drawer(robot, task, planner):
    """A drawer on a slide before the hand, its handle a body of its own, and a ball that lies in it."""
    spec = build_spec(robot, task)
    body = spec.worldbody.add_body(name="drawer", pos=planner.grasp_pose(robot.home).position)
    body.add_joint(name="slide", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(1, 0, 0))
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.01, 0.01, 0.01), pos=(0.5, 0, 0))
    handle = body.add_body(name="handle")
    handle.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.01, 0.04, 0.01))
    return CollisionWorld(spec.compile(), robot)


def test_who_may_touch_a_drawer_may_touch_its_handle(drawer, robot, at_home, tidy_scene):
    drawer.update(at_home, tidy_scene)
    assert "handle" in {name for o in drawer.overlaps(robot.home) for name in (o.first, o.second)}
    drawer.update(at_home, tidy_scene, touching={"drawer"})
    assert drawer.is_free(robot.home)


def test_a_drawer_is_where_its_joint_has_it(drawer, robot, at_home, tidy_scene):
    drawer.update(at_home, replace(tidy_scene, articulation={"slide": 0.3}))
    assert drawer.is_free(robot.home)


def test_a_drawer_cannot_be_carried_and_the_error_says_what_to_do(drawer, at_home, tidy_scene):
    with pytest.raises(PlanningError, match=r"drawer .* moves on a joint .* one to touch, not to attach"):
        drawer.update(at_home, tidy_scene, attached={"drawer"})


def test_an_unknown_object_is_named_with_those_there_are(world, at_home, tidy_scene):
    with pytest.raises(UnknownNameError, match=r"unknown body 'red_blok'.*red_block"):
        world.update(at_home, tidy_scene, touching={"red_blok"})


def test_the_model_that_was_given_is_left_alone(model, robot, at_home, tidy_scene):
    before = model.geom_contype.copy(), model.geom_margin.copy(), model.body_pos.copy()
    CollisionWorld(model, robot).update(at_home, moved(tidy_scene, "left_bin", (0.3, 0.3, 0.0)))
    for now, then in zip((model.geom_contype, model.geom_margin, model.body_pos), before, strict=True):
        np.testing.assert_array_equal(now, then)
