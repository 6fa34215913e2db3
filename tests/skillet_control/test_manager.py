"""The controller manager: who owns the arm, stop and reset, late loops, other threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from skillet_control.errors import CommandError, RefusedTrajectoryError
from skillet_control.goals import GoalStatus
from skillet_control.manager import STREAM_OWNER, TRAJECTORY_OWNER, ControllerManager
from skillet_control.safety import SafetyLevel
from skillet_core.trajectory import JointTrajectory

PERIOD = 0.004
HOME = np.full(3, 0.1)


def test_a_trajectory_within_limits_is_followed_unaltered(loop):
    goal = loop.manager.follow(loop.trajectory([0.5, -0.3, 1.0], [0.0, 0.0, 0.0]))
    levels = set()
    while not goal.done and loop.now < 110:
        loop.step()
        levels.add(loop.manager.status.level)
    assert goal.status is GoalStatus.SUCCEEDED, goal.message
    assert levels == {SafetyLevel.OK}
    np.testing.assert_array_equal(loop.manager.command.position, np.zeros(3))


def test_nothing_moves_until_asked(loop):
    loop.step(0.2)
    np.testing.assert_array_equal(loop.commanded(), np.tile(HOME, (51, 1)))
    assert loop.manager.status.owner == ""


def test_a_request_before_the_first_update_is_refused(robot, loop):
    manager = ControllerManager(loop.arm, robot)
    with pytest.raises(RefusedTrajectoryError, match="has not run yet"):
        manager.follow(loop.trajectory([0.2, 0.2, 0.2]))


def test_hardware_with_other_joints_is_refused(robot, loop):
    loop.arm.joint_names = ("shoulder", "wrist", "elbow")
    with pytest.raises(CommandError, match="shoulder, wrist, elbow"):
        ControllerManager(loop.arm, robot)


def test_a_stream_is_refused_while_a_trajectory_owns_the_arm(loop):
    goal = loop.manager.follow(loop.trajectory([0.5, 0.5, 0.5]))
    loop.step(0.1)
    assert loop.manager.status.owner == TRAJECTORY_OWNER
    with pytest.raises(CommandError, match=f"{TRAJECTORY_OWNER} owns the arm"):
        loop.manager.stream(HOME, loop.now)
    loop.step(2.0)
    assert goal.status is GoalStatus.SUCCEEDED
    loop.manager.stream(HOME, loop.now)


def test_a_trajectory_is_refused_while_a_stream_speaks_and_takes_over_from_a_silent_one(loop):
    trajectory = loop.trajectory([0.5, 0.5, 0.5])
    loop.manager.stream(HOME, loop.now)
    loop.step()
    with pytest.raises(RefusedTrajectoryError, match=f"{STREAM_OWNER} owns the arm"):
        loop.manager.follow(trajectory)
    loop.step(0.12)
    goal = loop.manager.follow(trajectory)
    loop.step(1.5)
    assert goal.status is GoalStatus.SUCCEEDED
    assert loop.manager.status.level is SafetyLevel.OK


def test_cancel_brakes_within_the_limits_and_holds(loop):
    goal = loop.manager.follow(loop.trajectory([1.5, 1.5, 1.5], velocity=1.2))
    loop.step(0.6)
    loop.manager.cancel(goal)
    assert goal.status is GoalStatus.CANCELED
    loop.step(1.0)
    held = loop.commanded()[-100:]
    assert (held == held[0]).all()
    assert (held[0] > HOME).all()
    acceleration = np.diff(loop.commanded(), n=2, axis=0) / PERIOD**2
    assert (np.abs(acceleration) <= loop.robot.max_acceleration + 1e-6).all()
    loop.manager.cancel(goal)  # again: nothing happens
    assert goal.status is GoalStatus.CANCELED


def test_a_stop_ends_goals_and_refuses_everything_until_reset(loop):
    goal = loop.manager.follow(loop.trajectory([1.5, 1.5, 1.5]))
    grip = loop.manager.move_gripper(0.0, 10.0)
    loop.step(0.1)
    loop.manager.stop("a person walked in")
    assert goal.status is GoalStatus.ABORTED
    assert "a person walked in" in goal.message
    assert grip.status is GoalStatus.ABORTED
    with pytest.raises(CommandError, match="still braking"):
        loop.manager.reset()
    loop.step(0.5)
    assert loop.manager.status.level is SafetyLevel.STOPPED
    for request in (
        lambda: loop.manager.follow(loop.trajectory([0.2, 0.2, 0.2])),
        lambda: loop.manager.stream(HOME, loop.now),
        lambda: loop.manager.move_gripper(0.05, 10.0),
    ):
        with pytest.raises(ValueError, match=r"stopped: a person walked in\. Reset it first"):
            request()
    held = loop.commanded()[-50:]
    assert (held == held[0]).all()
    loop.manager.reset()
    loop.step()
    assert loop.manager.status.level is SafetyLevel.OK
    goal = loop.manager.follow(loop.trajectory([0.2, 0.2, 0.2]))
    loop.step(2.0)
    assert goal.status is GoalStatus.SUCCEEDED


def test_a_stop_keeps_the_grip(loop):
    loop.arm.object_width = 0.03
    loop.manager.move_gripper(0.0, 15.0)
    loop.step(1.0)
    loop.manager.stop("test")
    loop.step(0.2)
    loop.manager.reset()
    loop.step(0.2)
    assert loop.manager.command.gripper_opening == 0.0
    assert loop.manager.command.gripper_force == 15.0


def test_a_reset_takes_the_measured_position_over(loop):
    loop.manager.stop("test")
    loop.step()
    loop.arm.stuck = True
    loop.arm.position = HOME + 0.05
    loop.step()
    loop.manager.reset()
    loop.step()
    np.testing.assert_array_equal(loop.manager.command.position, HOME + 0.05)


def test_a_measurement_that_is_not_finite_stops_the_arm(loop):
    goal = loop.manager.follow(loop.trajectory([0.5, 0.5, 0.5]))
    loop.step(0.2)
    position = loop.arm.position
    loop.arm.stuck = True
    loop.arm.position = np.array([0.1, np.nan, 0.1])
    loop.step(0.2)
    assert goal.status is GoalStatus.ABORTED
    assert loop.manager.status.level is SafetyLevel.STOPPED
    assert np.isfinite(loop.commanded()).all()
    loop.arm.position, loop.arm.stuck = position, False
    loop.step(0.5)
    loop.manager.reset()


def test_a_robot_put_elsewhere_is_synchronised(loop):
    goal = loop.manager.follow(loop.trajectory([0.5, 0.5, 0.5]))
    loop.step(0.3)
    loop.arm.position = np.array([1.0, -1.0, 0.5])
    loop.manager.synchronise("the scene was reset")
    assert goal.status is GoalStatus.ABORTED
    assert "scene was reset" in goal.message
    np.testing.assert_array_equal(loop.manager.command.position, [1.0, -1.0, 0.5])
    again = loop.manager.follow(loop.trajectory([0.5, 0.5, 0.5]))  # at once, before the next update
    loop.step(4.0)
    assert again.status is GoalStatus.SUCCEEDED


def test_a_clock_that_goes_back_aborts_and_synchronises(loop):
    goal = loop.manager.follow(loop.trajectory([0.5, 0.5, 0.5]))
    loop.step(0.3)
    loop.now = 1.0
    loop.step(0.1)
    assert goal.status is GoalStatus.ABORTED
    assert "clock went back" in goal.message
    held = loop.commanded()[-20:]
    assert (held == held[0]).all()


def test_a_late_update_slows_the_motion_instead_of_jumping(loop):
    goal = loop.manager.follow(loop.trajectory([1.5, 1.5, 1.5], velocity=1.2))
    loop.step(0.5)
    loop.now += 0.5  # the loop was blocked for half a second
    loop.step(1.5)
    assert goal.status is GoalStatus.SUCCEEDED
    assert loop.manager.status.level is SafetyLevel.OK
    assert np.abs(np.diff(loop.commanded(), axis=0)).max() <= 2.0 * 0.02


def test_an_update_without_time_writes_nothing(loop):
    count = len(loop.arm.commands)
    loop.manager.update(loop.now)
    assert len(loop.arm.commands) == count


def test_a_hold_ends_a_stream_and_leaves_the_arm_to_others(loop):
    loop.manager.stream(HOME, loop.now)
    loop.step()
    loop.manager.hold("teleoperation ended")
    goal = loop.manager.follow(loop.trajectory([0.3, 0.3, 0.3]))
    loop.step(1.5)
    assert goal.status is GoalStatus.SUCCEEDED


def test_goals_wake_waiting_threads_and_call_back_once(loop):
    goal = loop.manager.follow(loop.trajectory([0.2, 0.2, 0.2]))
    calls = []
    goal.when_done(lambda: calls.append("early"))
    waiter = threading.Thread(target=goal.wait, args=(30,))
    waiter.start()
    loop.step(2.0)
    waiter.join(10)
    assert not waiter.is_alive()
    goal.when_done(lambda: calls.append("late"))
    assert calls == ["early", "late"]


def test_requests_from_other_threads_do_not_disturb_the_loop(loop):
    """Two threads keep replacing goals and cancelling while the loop runs; every limit holds."""
    stop = threading.Event()
    failures: list[Exception] = []

    def pester(seed):
        generator = np.random.default_rng(seed)
        while not stop.is_set():
            try:
                point = generator.uniform(-1.0, 1.0, (1, 3))
                goal = loop.manager.follow(
                    JointTrajectory(loop.robot.joint_names, np.array([2.0]), point, np.zeros((1, 3)))
                )
                if generator.random() < 0.3:
                    loop.manager.cancel(goal)
                loop.manager.move_gripper(generator.uniform(0, 0.08), 10.0)
            except RefusedTrajectoryError:
                pass  # a lead-in against the present motion may be too abrupt
            except Exception as error:  # noqa: BLE001
                failures.append(error)
            stop.wait(0.003)

    threads = [threading.Thread(target=pester, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for _ in range(1500):
        loop.step()
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    velocity = np.diff(loop.commanded(), axis=0) / PERIOD
    acceleration = np.diff(velocity, axis=0) / PERIOD
    assert (np.abs(velocity) <= loop.robot.max_velocity + 1e-6).all()
    assert (np.abs(acceleration) <= loop.robot.max_acceleration + 1e-4).all()
