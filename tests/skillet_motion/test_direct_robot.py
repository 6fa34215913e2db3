from __future__ import annotations

import threading

import numpy as np
import pytest

from skillet_core.errors import CancelledError, ExecutionError, TrajectoryError
from skillet_core.manipulation import GraspRequest, PlaceRequest
from skillet_core.motion import JointGoal, PlanRequest
from skillet_core.trajectory import JointTrajectory
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.skills import run_skill
from skillet_sim.world import World


@pytest.fixture
def ready(direct_robot):
    direct_robot.reset(0)
    return direct_robot


def sideways(robot, angle=0.6):
    goal = robot.state().positions
    goal[0] += angle
    return robot.plan(PlanRequest(JointGoal(goal), velocity_scaling=0.5))


def test_following_ends_at_the_goal_after_the_planned_time(ready):
    trajectory, begin = sideways(ready), ready.time
    ready.follow(trajectory)
    np.testing.assert_allclose(ready.state().positions, trajectory.positions[-1], atol=0.01)
    assert trajectory.duration <= ready.time - begin <= trajectory.duration + 0.5


def test_the_filter_never_has_to_clamp_what_was_planned(ready):
    levels = set()
    hook, ready._hook = ready._hook, lambda *_: levels.add(int(ready.manager.status.level))
    try:
        for name, arguments in (
            ("grasp", {"object": "red_block"}),
            ("place_in", {"object": "red_block", "target": "left_bin"}),
        ):
            assert run_skill(ready, name, arguments).success
    finally:
        ready._hook = hook
    assert levels == {0}


def trace(robot, task, seed):
    joints = []
    direct = DirectRobot(World(robot, task, seed=seed), hook=lambda _, state: joints.append(state.position))
    direct.reset(seed)
    run_skill(direct, "grasp", {"object": "red_block"})
    run_skill(direct, "go_home", {})
    return np.array(joints)


def test_the_same_seed_gives_the_same_joint_trace_to_the_bit(robot, task):
    first, _, again = trace(robot, task, 3), trace(robot, task, 4), trace(robot, task, 3)
    assert len(first) > 100
    np.testing.assert_array_equal(first, again)


def test_a_reset_leaves_no_trace_of_what_was_before(ready):
    def joints():
        seen = []
        hook, ready._hook = ready._hook, lambda _, state: seen.append(state.position)
        ready.reset(5)
        ready.follow(sideways(ready))
        ready._hook = hook
        return np.array(seen)

    first = joints()
    run_skill(ready, "grasp", {"object": "blue_block"})
    np.testing.assert_array_equal(first, joints())


def test_cancel_from_a_hook_brakes_the_arm_and_raises(ready):
    trajectory, begin = sideways(ready, 1.2), ready.time
    hook, ready._hook = ready._hook, lambda now, _: ready.cancel() if now - begin > 0.3 else None
    try:
        with pytest.raises(CancelledError):
            ready.follow(trajectory)
    finally:
        ready._hook = hook
    ready._cancelled.clear()  # the hook went on cancelling while the arm braked
    stopped = ready.state()
    assert np.abs(stopped.velocities).max() < 0.05
    assert abs(stopped.positions[0] - trajectory.positions[-1][0]) > 0.2
    ready.wait(0.5)
    np.testing.assert_allclose(ready.state().positions, stopped.positions, atol=0.01)


def test_cancel_from_another_thread_ends_a_wait(ready):
    timer = threading.Timer(0.1, ready.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        ready.wait(600.0)
    timer.join()


def test_a_cancel_is_answered_once(ready):
    ready.cancel()
    with pytest.raises(CancelledError):
        ready.wait(0.1)
    ready.wait(0.1)


def test_a_trajectory_from_elsewhere_is_refused_and_nothing_moves(ready):
    before = ready.state().positions
    still = np.zeros((2, len(before)))
    far = JointTrajectory(
        ready.description.joint_names, np.array([0.0, 1.0]), before + 0.5 + still, still, still
    )
    with pytest.raises(TrajectoryError):
        ready.follow(far)
    ready.wait(0.2)
    np.testing.assert_allclose(ready.state().positions, before, atol=2e-3)


def test_an_opening_beyond_the_gripper_is_an_error_with_its_range(ready):
    with pytest.raises(ExecutionError, match="opens from 0 to"):
        ready.grip(0.5, 10.0)


def test_closing_on_nothing_reaches_and_does_not_stall(ready):
    result = ready.grip(0.0, 40.0)
    assert result.reached
    assert not result.stalled
    assert result.opening < 0.003


def test_a_watch_is_called_ten_times_a_second_and_what_it_raises_stops_the_arm(ready):
    trajectory, begin, calls = sideways(ready, 1.2), ready.time, []

    def watch():
        calls.append(ready.time - begin)
        if len(calls) == 3:
            raise LookupError("seen enough")

    with pytest.raises(LookupError, match="seen enough"):
        ready.follow(trajectory, watch)
    np.testing.assert_allclose(calls, [0.1, 0.2, 0.3], atol=1e-6)
    stopped = ready.state()
    assert np.abs(stopped.velocities).max() < 0.05
    assert abs(stopped.positions[0] - trajectory.positions[-1][0]) > 0.2
    ready.wait(0.5)
    np.testing.assert_allclose(ready.state().positions, stopped.positions, atol=0.01)


def test_grasps_and_placements_are_found_without_time_passing(ready):
    begin = ready.time
    assert ready.grasps(GraspRequest("red_block"))
    assert ready.time == begin
    assert run_skill(ready, "grasp", {"object": "red_block"}).success
    begin = ready.time
    assert ready.placements(PlaceRequest("red_block", "left_bin"))
    assert ready.time == begin


def test_a_rate_that_is_not_a_whole_number_of_steps_is_refused(robot, task, stack):
    with pytest.raises(ValueError, match="333 Hz is not a whole number"):
        DirectRobot(World(robot, task), stack, rate=333)
