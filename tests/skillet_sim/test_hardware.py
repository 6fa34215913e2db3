"""The simulated arm follows a stream of commands, and its fingers hold what they close on."""

from __future__ import annotations

import numpy as np
import pytest

from skillet_control.hardware import HardwareCommand
from skillet_core.evaluation import is_grasped
from skillet_core.geometry import Array
from skillet_core.robot import RobotDescription, load_robot, robot_names
from skillet_core.scene import ObjectState, SceneState
from skillet_sim.hardware import MujocoArm, OpeningTable
from skillet_sim.world import World

PERIOD, STEPS = 0.004, 2


class Driver:
    """Commands an arm once a period, as a controller would."""

    def __init__(self, world: World) -> None:
        self.world, self.arm = world, MujocoArm(world)
        self.still = np.zeros(len(world.robot.joints))
        self.opening, self.force = world.robot.gripper.max_opening, 40.0

    def tick(self, position: Array, velocity: Array | None = None) -> None:
        velocity = self.still if velocity is None else velocity
        self.arm.write(HardwareCommand(position, velocity, self.opening, self.force))
        self.world.step(STEPS)

    def hold(self, seconds: float) -> None:
        for _ in range(round(seconds / PERIOD)):
            self.tick(self.world.robot.home)


@pytest.fixture
def driver(fresh_world: World) -> Driver:
    return Driver(fresh_world)


def _put_block_into_grasp(world: World) -> None:
    """Hang the red block in the air between the fingers: gravity is off until it is held."""
    scene = world.scene_state()
    objects = {**scene.objects, "red_block": ObjectState(world.grasp_pose())}
    world.set_scene(SceneState(0.0, scene.task, 0, 1, success=False, objects=objects))
    world.model.opt.gravity[2] = 0.0


def _block_in_grasp(world: World) -> Array:
    return (world.grasp_pose().inverse() @ world.scene_state().object("red_block").pose).position


def test_a_read_after_a_reset_is_home_open_and_at_rest(driver: Driver, robot: RobotDescription) -> None:
    state = driver.arm.read()
    assert driver.arm.joint_names == robot.joint_names
    np.testing.assert_allclose(state.position, robot.home, atol=1e-4)
    np.testing.assert_allclose(state.velocity, 0.0, atol=1e-3)
    assert state.stamp == 0.0
    assert state.gripper_opening == pytest.approx(robot.gripper.max_opening, abs=1e-3)


def test_a_read_is_not_changed_by_later_steps(driver: Driver, robot: RobotDescription) -> None:
    state = driver.arm.read()
    before = state.position.copy()
    for _ in range(20):
        driver.tick(robot.home + 0.1)
    np.testing.assert_array_equal(state.position, before)


def test_a_joint_at_one_radian_a_second_lags_by_milliradians(driver: Driver, robot: RobotDescription) -> None:
    for joint in (0, len(robot.joints) - 2, len(robot.joints) - 1):
        driver.world.reset(0)
        largest = 0.0
        for tick in range(150):
            time = tick * PERIOD
            ramp = min(time / 0.2, 1.0)
            position, velocity = robot.home.copy(), np.zeros(len(robot.joints))
            velocity[joint] = ramp
            position[joint] += 0.5 * 0.2 * ramp**2 + max(time - 0.2, 0.0)
            largest = max(largest, float(np.abs(position - driver.arm.read().position).max()))
            driver.tick(position, velocity)
        assert largest < 2e-3


def test_a_step_settles_without_swinging_beyond(driver: Driver, robot: RobotDescription) -> None:
    target = robot.home + 0.05
    positions = []
    for _ in range(250):
        driver.tick(target)
        positions.append(driver.arm.read().position - target)
    assert np.max(positions) < 2e-3
    assert np.abs(positions[-1]).max() < 1e-3


def test_efforts_stay_within_the_joints_limits(driver: Driver, robot: RobotDescription) -> None:
    limits = np.array([joint.max_effort for joint in robot.joints])
    for _ in range(5):
        driver.tick(robot.home + 1.0)
        assert (np.abs(driver.arm.read().effort) <= limits + 1e-9).all()


def test_the_gripper_moves_no_faster_than_it_can(driver: Driver, robot: RobotDescription) -> None:
    driver.opening = 0.0
    speeds = []
    for _ in range(80):
        driver.tick(robot.home)
        speeds.append(driver.arm.read().gripper_velocity)
    # the median is on the way; it starts from rest and overshoots a little while it catches up
    assert np.median(speeds) == pytest.approx(-robot.gripper.max_speed, rel=0.1)
    assert min(speeds) > -1.3 * robot.gripper.max_speed
    assert max(speeds) < 0.01 * robot.gripper.max_speed


@pytest.mark.parametrize("opening", [0.01, 0.035, 0.07])
def test_the_gripper_reaches_an_opening(driver: Driver, opening: float) -> None:
    driver.opening = opening
    driver.hold(1.2)
    state = driver.arm.read()
    assert state.gripper_opening == pytest.approx(opening, abs=5e-4)
    assert abs(state.gripper_velocity) < 1e-3


def test_closing_on_a_block_stalls_at_its_width_with_the_force_asked_for(driver: Driver) -> None:
    _put_block_into_grasp(driver.world)
    driver.opening, driver.force = 0.0, 25.0
    driver.hold(0.8)
    state = driver.arm.read()
    assert state.gripper_opening == pytest.approx(0.04, abs=5e-4)
    assert state.gripper_effort == pytest.approx(-25.0, abs=0.5)
    assert abs(state.gripper_velocity) < 1e-3
    assert is_grasped("red_block", driver.world.scene_state(), driver.world.robot.gripper)


def test_a_held_block_stays_in_the_grasp_while_the_arm_swings_at_full_speed(
    driver: Driver, robot: RobotDescription
) -> None:
    _put_block_into_grasp(driver.world)
    driver.opening, driver.force = 0.0, 20.0
    driver.hold(0.8)
    driver.world.model.opt.gravity[2] = -9.81
    driver.hold(0.4)
    before = _block_in_grasp(driver.world)
    height = float(driver.world.scene_state().object("red_block").pose.position[2])
    amplitude = 0.25
    rate = np.minimum(robot.max_velocity / amplitude, np.sqrt(robot.max_acceleration / amplitude))
    swinging = np.zeros(len(robot.joints))
    swinging[[0, -2, -1]] = amplitude
    for tick in range(250):
        time = tick * PERIOD
        # fade in, so that the reference starts at rest
        fade, slope = (min(time / 0.2, 1.0), 5.0 if time < 0.2 else 0.0)
        sine, cosine = np.sin(rate * time), np.cos(rate * time)
        driver.tick(robot.home + swinging * fade * sine, swinging * (fade * rate * cosine + slope * sine))
    driver.hold(0.4)
    assert is_grasped("red_block", driver.world.scene_state(), robot.gripper)
    assert np.linalg.norm(_block_in_grasp(driver.world) - before) < 4e-3
    assert driver.world.scene_state().object("red_block").pose.position[2] == pytest.approx(height, abs=6e-3)


def test_a_held_block_does_not_creep(driver: Driver) -> None:
    _put_block_into_grasp(driver.world)
    driver.opening, driver.force = 0.0, 20.0
    driver.hold(0.8)
    driver.world.model.opt.gravity[2] = -9.81
    driver.hold(0.4)
    before = _block_in_grasp(driver.world)
    driver.hold(4.0)
    assert np.linalg.norm(_block_in_grasp(driver.world) - before) < 2e-4


def test_opening_lets_the_block_fall(driver: Driver, robot: RobotDescription) -> None:
    _put_block_into_grasp(driver.world)
    driver.opening = 0.0
    driver.hold(0.8)
    driver.world.model.opt.gravity[2] = -9.81
    driver.opening = robot.gripper.max_opening
    driver.hold(1.0)
    assert not is_grasped("red_block", driver.world.scene_state(), robot.gripper)
    assert driver.world.scene_state().object("red_block").pose.position[2] < 0.1


def test_a_force_limit_holds_again_after_a_reset(driver: Driver) -> None:
    driver.force = 25.0
    driver.hold(0.2)
    driver.world.reset(1)
    driver.hold(0.2)
    limits = driver.world.model.actuator_forcerange[driver.world.gripper_actuator]
    slope = abs(OpeningTable(driver.world.robot.gripper).at(driver.arm._finger_position.item())[1])
    np.testing.assert_allclose(limits, (-25.0 * slope, 25.0 * slope), rtol=1e-3)


@pytest.mark.parametrize("name", robot_names())
def test_the_opening_table_is_the_descriptions(name: str) -> None:
    gripper = load_robot(name).gripper
    table = OpeningTable(gripper)
    for joint in np.linspace(-0.1, 1.0, 40):
        opening, slope = table.at(joint)
        assert opening == pytest.approx(gripper.opening(joint), abs=1e-12)
        assert abs(slope) == pytest.approx(gripper.drive_effort(joint, 1.0))
