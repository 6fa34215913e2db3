"""Worlds reset to the bit, report the truth, and take a state over from elsewhere."""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np
import pytest

from skillet_core.conditions import Closed, Inside, Opened
from skillet_core.errors import UnknownNameError
from skillet_core.evaluation import holds
from skillet_core.geometry import Pose
from skillet_core.robot import RobotDescription, load_robot, robot_names
from skillet_core.scene import ObjectState, SceneState, load_task, task_names
from skillet_sim.world import World


def _bytes(world: World) -> bytes:
    size = mujoco.mj_stateSize(world.model, mujoco.mjtState.mjSTATE_INTEGRATION)
    state = np.zeros(size)
    mujoco.mj_getState(world.model, world.data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
    return state.tobytes()


def _moved(scene: SceneState, name: str, position: tuple[float, float, float]) -> SceneState:
    objects = {**scene.objects, name: ObjectState(Pose(np.array(position)))}
    return SceneState(scene.stamp, scene.task, scene.seed, scene.episode, scene.success, objects)


def test_the_same_seed_gives_the_same_state_to_the_bit(world: World, robot: RobotDescription) -> None:
    world.reset(5)
    first = _bytes(world)
    world.data.ctrl[:] = 0.3
    world.step(200)
    world.set_scene(_moved(world.scene_state(), "left_bin", (0.3, 0.4, 0.0)))
    world.reset(5)
    assert _bytes(world) == first
    world.step(300)
    later = _bytes(world)
    world.reset(5)
    world.step(300)
    assert _bytes(world) == later


def test_another_process_would_get_the_same_state(world: World, robot: RobotDescription) -> None:
    other = World(robot, load_task("blocks"), seed=5)
    world.reset(5)
    assert _bytes(world) == _bytes(other)


def test_other_seeds_give_other_scenes(world: World) -> None:
    world.reset(1)
    first = world.scene_state().object("red_block").pose
    world.reset(2)
    assert first.distance_to(world.scene_state().object("red_block").pose)[0] > 0.001


def test_objects_spawn_alike_for_every_robot() -> None:
    poses = [
        World(load_robot(name), load_task("blocks"), seed=4).scene_state().object("blue_block").pose.position
        for name in robot_names()
    ]
    for position in poses[1:]:
        np.testing.assert_allclose(position, poses[0], atol=1e-6)


@pytest.mark.parametrize("task_name", task_names())
def test_every_robot_starts_every_task_at_rest_at_home_and_unfinished(
    robot: RobotDescription, task_name: str
) -> None:
    task = load_task(task_name)
    world = World(robot, task)
    state = world.scene_state()
    np.testing.assert_allclose(world.data.qpos[world.joint_qpos], robot.home, atol=1e-4)
    assert world.opening() == pytest.approx(robot.gripper.max_opening, abs=1e-3)
    assert world.time == 0.0
    assert not state.success
    assert set(state.objects) == set(task.objects)
    for name, description in task.objects.items():
        found = state.object(name)
        assert np.linalg.norm(found.linear) < 0.01
        if description.spawn:
            heights = [rest.height for rest in description.spawn.rests] or [0.0]
            low = np.array(description.spawn.lower) + np.array([0, 0, min(heights)]) - 0.002
            high = np.array(description.spawn.upper) + np.array([0, 0, max(heights)]) + 0.002
            assert (found.pose.position >= low).all(), name
            assert (found.pose.position <= high).all(), name


def test_nothing_touches_the_robot_after_a_reset(world: World) -> None:
    for seed in range(10):
        world.reset(seed)
        touching = {name for c in world.contacts() for name in (c.body_a, c.body_b)}
        assert touching == {"table", "red_block", "green_block", "blue_block"}


def test_contacts_name_each_pair_once_with_the_normal_from_first_to_second(world: World) -> None:
    contacts = [c for c in world.contacts() if "red_block" in {c.body_a, c.body_b}]
    (contact,) = contacts
    up = 1.0 if contact.body_a == "table" else -1.0
    assert contact.normal == pytest.approx((0, 0, up), abs=1e-6)


def test_time_counts_from_the_reset(world: World) -> None:
    world.step(10)
    assert world.time == pytest.approx(0.02)
    episode = world.episode
    world.reset(0)
    assert world.time == 0.0
    assert world.episode == episode + 1


def test_a_block_in_the_left_bin_is_success_and_in_the_right_bin_is_not(world: World) -> None:
    scene = world.scene_state()
    for container, expected in (("left_bin", True), ("right_bin", False)):
        x, y, _ = scene.object(container).pose.position
        world.set_scene(_moved(scene, "red_block", (x + 0.03, y - 0.02, 0.06)))
        world.step(400)
        assert world.scene_state().success is expected
        assert world.success() is expected


def test_a_scene_is_taken_over_with_its_velocities(world: World, robot: RobotDescription) -> None:
    scene = world.scene_state()
    thrown = ObjectState(
        Pose.from_xyz_rpy((0.4, 0.1, 0.5), (0.3, -0.2, 1.0)),
        linear=np.array([0.1, 0.2, -0.3]),
        angular=np.array([1.0, -2.0, 0.5]),
    )
    scene = SceneState(0.0, scene.task, 0, 1, success=False, objects={**scene.objects, "red_block": thrown})
    world.set_scene(scene)
    found = world.scene_state().object("red_block")
    assert found.pose.distance_to(thrown.pose) == pytest.approx((0, 0), abs=1e-9)
    np.testing.assert_allclose(found.linear, thrown.linear, atol=1e-9)
    np.testing.assert_allclose(found.angular, thrown.angular, atol=1e-9)


def test_an_object_that_the_world_lacks_is_refused(world: World) -> None:
    with pytest.raises(UnknownNameError, match="red_block"):
        world.set_scene(_moved(world.scene_state(), "red_blok", (0, 0, 1)))


def test_joints_are_set_at_once_and_held(world: World, robot: RobotDescription) -> None:
    target = robot.home + 0.05
    world.set_joints(target, 0.03)
    world.step(100)
    np.testing.assert_allclose(world.data.qpos[world.joint_qpos], target, atol=1e-5)
    assert world.opening() == pytest.approx(0.03, abs=2e-4)


def test_the_grasp_pose_follows_the_base_joint(world: World, robot: RobotDescription) -> None:
    before = world.grasp_pose()
    turned = robot.home.copy()
    turned[0] += 0.4
    world.set_joints(turned, 0.05)
    after = world.grasp_pose()
    turn = Pose.from_xyz_rpy((0, 0, 0), (0, 0, 0.4))
    assert (turn @ before).distance_to(after) == pytest.approx((0, 0), abs=1e-9)


def test_a_snapshot_shows_the_world_as_it_was(world: World) -> None:
    snapshot = mujoco.MjData(world.model)
    world.copy_state_into(snapshot)
    before = world.data.qpos.copy()
    world.data.ctrl[:] += 0.1
    world.step(100)
    np.testing.assert_array_equal(snapshot.qpos, before)
    assert not np.array_equal(world.data.qpos, before)


@pytest.mark.parametrize(
    "task_name", [name for name in task_names() if load_task(name).scene.endswith(".xml")]
)
def test_after_a_reset_nothing_drifts_or_sinks_in(task_name: str) -> None:
    world = World(load_robot("panda"), load_task(task_name))
    for seed in range(4):
        world.reset(seed)
        before = world.scene_state()
        world.step(1000)
        after = world.scene_state()
        for name, state in after.objects.items():
            distance, angle = before.object(name).pose.distance_to(state.pose)
            assert distance < 0.001, (seed, name)
            assert angle < 0.03, (seed, name)
            assert np.linalg.norm(state.linear) < 0.001, (seed, name)
        assert min(contact.dist for contact in world.data.contact) > -0.0005
        touching = {name for c in after.contacts for name in (c.body_a, c.body_b)}
        assert not any(name.startswith("robot/") for name in touching)


@pytest.fixture(scope="module")
def workbench() -> World:
    return World(load_robot("panda"), load_task("workbench"))


def _pull(world: World, joint: str, force: float, seconds: float) -> None:
    """Push a joint of the scene with a force [N], or a torque [N m]."""
    dof = int(world.model.joint(joint).dofadr[0])
    world.data.qfrc_applied[dof] = force
    world.step(round(seconds / world.model.opt.timestep))
    world.data.qfrc_applied[dof] = 0.0


@pytest.mark.parametrize("name", ["top_drawer", "bottom_drawer"])
def test_a_drawer_is_pulled_with_twenty_newton_takes_things_along_and_stays(
    workbench: World, name: str
) -> None:
    workbench.reset(1)
    drawer = workbench.scene_state().object(name).pose
    inside = drawer @ Pose(np.array([0.07, 0.0, 0.0]))
    workbench.set_scene(_moved(workbench.scene_state(), "soup_can", tuple(inside.position)))
    workbench.step(200)
    can = workbench.scene_state().object("soup_can").pose.position
    _pull(workbench, name, 20.0, 0.5)
    workbench.step(300)
    now = workbench.scene_state()
    opened = now.articulation[name]
    assert opened >= 0.8 * 0.16
    moved = now.object(name).pose.position - drawer.position
    assert moved == pytest.approx([-opened, 0, 0], abs=1e-6)
    assert now.object("soup_can").pose.position - can == pytest.approx(moved, abs=0.03)
    condition = Inside(object="soup_can", container=name)
    assert holds(condition, now, workbench.task, workbench.robot.gripper)
    workbench.step(500)
    assert workbench.scene_state().articulation[name] == pytest.approx(opened, abs=0.002)


def test_a_lid_stays_where_it_is_left_and_a_button_springs_back(workbench: World) -> None:
    workbench.reset(1)
    scene = workbench.scene_state()
    for angle in (0.4, 0.9, 1.4):
        workbench.set_scene(dataclasses.replace(scene, articulation={"chest_lid": angle}))
        workbench.step(500)
        assert workbench.scene_state().articulation["chest_lid"] == pytest.approx(angle, abs=0.02)
    _pull(workbench, "red_button", 8.0, 0.3)
    pressed = workbench.scene_state()
    assert holds(Opened(object="red_button"), pressed, workbench.task, workbench.robot.gripper)
    workbench.step(100)
    released = workbench.scene_state()
    assert holds(Closed(object="red_button"), released, workbench.task, workbench.robot.gripper)


def test_a_scene_is_taken_over_with_its_joints_and_a_reset_closes_them(workbench: World) -> None:
    """Parts on joints are where their joints have them, not moved twice."""
    workbench.reset(1)
    closed = workbench.scene_state()
    joints = {"top_drawer": 0.05, "bottom_drawer": 0.12, "chest_lid": 1.0, "red_button": 0.004}
    workbench.set_scene(dataclasses.replace(closed, articulation=joints))
    opened = workbench.scene_state()
    assert opened.articulation == pytest.approx(joints)
    hinge = closed.object("chest_lid").pose
    assert opened.object("chest_lid").pose.distance_to(hinge) == pytest.approx((0, 1.0), abs=0.01)
    workbench.reset(1)
    workbench.set_scene(opened)
    again = workbench.scene_state()
    for name, state in opened.objects.items():
        assert again.object(name).pose.distance_to(state.pose) == pytest.approx((0, 0), abs=1e-9), name
    workbench.reset(1)
    assert workbench.scene_state().articulation == pytest.approx(dict.fromkeys(joints, 0.0), abs=0.002)
