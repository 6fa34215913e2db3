"""The safety filter: transparent within the limits, and never beyond them, whatever is asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillet_control.errors import CommandError
from skillet_control.parameters import SafetyParameters
from skillet_control.safety import SafetyFilter, SafetyLevel, Watchdog, joint_array
from skillet_control.spline import Spline

PERIOD = 0.004
ROUNDING = 1e-7
"""Velocities are differences of positions over 1 ms or more: 1e-16 rad becomes 1e-13 rad/s and, over
a millisecond again, 1e-10 rad/s^2; the filter lets 1e-9 rad/s pass as rounding."""


def make_filter(robot, start=None, **parameters) -> SafetyFilter:
    grasp_position = parameters.pop("grasp_position", None)
    filter_ = SafetyFilter(robot, SafetyParameters(**parameters), grasp_position=grasp_position)
    filter_.synchronise(robot.home if start is None else np.asarray(start, float))
    return filter_


def require_limits_kept(robot, start, positions, periods) -> None:
    """Check the outputs against the definitions of the module's description."""
    positions = np.vstack([start, positions])
    periods = np.asarray(periods)[:, np.newaxis]
    velocity = np.vstack([np.zeros(positions.shape[1]), np.diff(positions, axis=0) / periods])
    spans = 0.5 * (periods + np.vstack([periods[:1], periods[:-1]]))
    acceleration = np.diff(velocity, axis=0) / spans
    assert (positions <= np.maximum(robot.upper, start)).all()
    assert (positions >= np.minimum(robot.lower, start)).all()
    assert (np.abs(velocity) <= robot.max_velocity + ROUNDING).all()
    assert (np.abs(acceleration) <= robot.max_acceleration * (1 + 1e-6) + 2 * ROUNDING / spans).all()


joint_values = st.floats(-1e3, 1e3) | st.floats(-3.2, 3.2)
commands = st.lists(
    st.tuples(
        st.tuples(joint_values, joint_values, joint_values),
        st.sampled_from(["apply"] * 6 + ["hold", "stop"]),
        st.floats(0.001, 0.03),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(commands=commands, start=st.tuples(*[st.floats(-1.4, 1.9)] * 3))
def test_no_stream_of_commands_breaks_a_limit(robot, commands, start):
    filter_ = make_filter(robot, start)
    outputs, periods = [], []
    for target, action, dt, repeats in commands:
        for _ in range(repeats):
            if action == "stop":
                filter_.stop("test")
            if action == "hold":
                position, _ = filter_.hold(dt)
            else:
                position, _ = filter_.apply(np.array(target), None, dt)
            outputs.append(position)
            periods.append(min(dt, filter_.parameters.max_period))
    require_limits_kept(robot, np.array(start), np.array(outputs), periods)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_noise_on_every_joint_breaks_no_limit(robot, seed):
    generator = np.random.default_rng(seed)
    filter_ = make_filter(robot)
    targets = generator.normal(0, 2, (400, 3)) + np.cumsum(generator.normal(0, 0.2, (400, 3)), axis=0)
    outputs = [filter_.apply(target, None, PERIOD)[0] for target in targets]
    require_limits_kept(robot, robot.home, np.array(outputs), [PERIOD] * len(outputs))


def test_a_motion_within_the_limits_passes_bit_for_bit(robot):
    # quintics that use 99 % of the velocity limits and reach the position limits exactly
    times, positions = [0.0], [robot.home]
    for goal in (robot.upper, robot.lower, robot.home):
        distance = np.abs(goal - positions[-1])
        fast = np.max(1.875 * distance / robot.max_velocity)
        soft = np.sqrt(np.max(5.7736 * distance / robot.max_acceleration))
        times.append(times[-1] + max(fast, soft) / 0.99)
        positions.append(goal)
    still = np.zeros((4, 3))
    spline = Spline(np.array(times), np.array(positions), still, still)
    filter_ = make_filter(robot)
    count = int(spline.end / PERIOD) + 2
    for k in range(count):
        setpoint = spline.sample(k * PERIOD)
        position, velocity = filter_.apply(setpoint.position, setpoint.velocity, PERIOD)
        np.testing.assert_array_equal(position, setpoint.position)
        np.testing.assert_array_equal(velocity, setpoint.velocity)
        assert filter_.status.level is SafetyLevel.OK
    np.testing.assert_array_equal(position, robot.home)


def test_a_motion_at_full_acceleration_up_to_the_limit_passes(robot):
    # bang-bang to the very position limit: the braking distance must be exact, not conservative
    distance = robot.upper[0] - 1.9
    peak = np.sqrt(distance / robot.max_acceleration[0])
    filter_ = make_filter(robot, [1.9, 0.0, 0.0])
    for k in range(int(2 * peak / PERIOD) + 2):
        t = min(k * PERIOD, 2 * peak)
        rest = 2 * peak - t
        a = robot.max_acceleration[0]
        x = 1.9 + a * t**2 / 2 if t < peak else robot.upper[0] - a * rest**2 / 2
        command = np.array([min(x, robot.upper[0]), 0.0, 0.0])
        np.testing.assert_array_equal(filter_.apply(command, None, PERIOD)[0], command)
    assert filter_.status.level is SafetyLevel.OK


def test_a_motion_with_uneven_periods_passes(robot):
    generator = np.random.default_rng(7)
    still = np.zeros((2, 3))
    spline = Spline(np.array([0.0, 2.5]), np.stack([robot.home, [1.9, 2.0, -2.0]]), still, still)
    filter_, time = make_filter(robot), 0.0
    while time < 2.6:
        dt = generator.uniform(0.001, 0.02)
        time += dt
        setpoint = spline.sample(time)
        np.testing.assert_array_equal(filter_.apply(setpoint.position, None, dt)[0], setpoint.position)
    assert filter_.status.level is SafetyLevel.OK


def test_a_far_target_is_approached_without_overshoot_or_chatter(robot):
    filter_ = make_filter(robot)
    target = np.array([1.0, -1.0, 2.0])
    outputs = np.array([filter_.apply(target, None, PERIOD)[0] for _ in range(600)])
    np.testing.assert_array_equal(outputs[-1], target)
    travel = np.diff(outputs, axis=0) * np.sign(target - robot.home)
    assert (travel >= 0).all(), "it turned round on its way"
    # as fast as the limits allow: a trapezoid's time, and two periods
    distance, v, a = np.abs(target - robot.home), robot.max_velocity, robot.max_acceleration
    fastest = np.max(distance / v + v / a)
    arrived = np.argmax((outputs == target).all(axis=1)) * PERIOD
    assert arrived <= fastest + 3 * PERIOD


def test_a_target_beyond_the_position_limit_is_stopped_at_the_limit(robot):
    filter_ = make_filter(robot)
    outputs = np.array([filter_.apply(np.full(3, 100.0), None, PERIOD)[0] for _ in range(800)])
    np.testing.assert_array_equal(outputs[-1], robot.upper)
    assert (np.diff(outputs, axis=0) >= 0).all()
    assert filter_.status.limited_joints == robot.joint_names
    assert filter_.status.level is SafetyLevel.LIMITING


def test_a_lag_behind_a_moving_target_is_made_up(robot):
    # a ramp begins with a step of velocity, which no arm can follow; the lag must not remain
    filter_ = make_filter(robot, np.zeros(3))
    for k in range(1, 300):
        target = np.full(3, 1.0) * k * PERIOD
        position, _ = filter_.apply(target, None, PERIOD)
    np.testing.assert_array_equal(position, target)


def test_limiting_is_shown_and_forgotten(robot):
    filter_ = make_filter(robot, limiting_hold=0.1)
    filter_.apply(robot.home + np.array([0, 0.5, 0]), None, PERIOD, "someone")
    status = filter_.status
    assert (status.level, status.owner) == (SafetyLevel.LIMITING, "someone")
    assert status.limited_joints == ("elbow",)
    assert "elbow" in status.message
    for _ in range(300):
        filter_.apply(robot.home + np.array([0, 0.5, 0]), None, PERIOD)
    assert filter_.status.level is SafetyLevel.OK


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_and_names_the_joint(robot, bad):
    filter_ = make_filter(robot)
    with pytest.raises(CommandError, match=r"elbow is (nan|-?inf)"):
        filter_.apply(np.array([0.1, bad, 0.1]), None, PERIOD)
    with pytest.raises(CommandError, match=r"velocity is not finite: wrist"):
        filter_.apply(robot.home, np.array([0.1, 0.0, bad]), PERIOD)
    np.testing.assert_array_equal(filter_.position, robot.home)


def test_a_wrong_shape_is_refused(robot):
    filter_ = make_filter(robot)
    with pytest.raises(CommandError, match=r"3 joints \(shoulder, elbow, wrist\), got shape \(2,\)"):
        filter_.apply(np.zeros(2), None, PERIOD)


def test_named_values_are_put_in_order_and_wrong_names_are_named(robot):
    names = robot.joint_names
    values = joint_array({"wrist": 3.0, "shoulder": 1.0, "elbow": 2.0}, names, "position")
    np.testing.assert_array_equal(values, [1.0, 2.0, 3.0])
    with pytest.raises(CommandError, match=r"unknown joint: wirst; missing joint: wrist"):
        joint_array({"wirst": 3.0, "shoulder": 1.0, "elbow": 2.0}, names, "position")


def test_a_stop_brakes_holds_and_refuses_until_reset(robot):
    filter_ = make_filter(robot)
    for _ in range(50):
        filter_.apply(np.full(3, 1.5), None, PERIOD)
    assert filter_.moving
    filter_.stop("someone shouted")
    with pytest.raises(CommandError, match="still braking"):
        filter_.reset(robot.home)
    outputs = np.array([filter_.apply(np.full(3, 1.5), None, PERIOD)[0] for _ in range(200)])
    assert (outputs[-1] == outputs[-2]).all()
    assert not filter_.moving
    assert filter_.status.level is SafetyLevel.STOPPED
    assert filter_.status.message == "someone shouted"
    measured = outputs[-1] + 0.003
    filter_.reset(measured)
    assert filter_.status.level is SafetyLevel.OK
    np.testing.assert_array_equal(filter_.hold(PERIOD)[0], measured)


def test_braking_keeps_the_direction_of_the_motion(robot):
    filter_ = make_filter(robot, np.zeros(3))
    direction = np.array([1.0, -0.5, 0.25])
    for k in range(1, 120):
        filter_.apply(direction * 2.0 * (k * PERIOD) ** 2, None, PERIOD)
    before = filter_.position
    for _ in range(200):
        after, _ = filter_.hold(PERIOD)
    travel = after - before
    np.testing.assert_allclose(travel / travel[0], direction, atol=1e-6)


def test_a_step_is_never_longer_than_allowed(robot):
    filter_ = make_filter(robot, max_step=0.01)
    last = robot.home
    for _ in range(300):
        position, _ = filter_.apply(np.full(3, 1.5), None, 5.0)  # five seconds late, each time
        assert np.abs(position - last).max() <= 0.01 + 1e-12
        last = position


def test_an_arm_that_starts_out_of_range_may_return_but_go_no_further(robot):
    start = np.array([2.1, 0.0, 0.0])
    filter_ = make_filter(robot, start)
    assert filter_.apply(np.array([2.5, 0.0, 0.0]), None, PERIOD)[0][0] == 2.1
    for _ in range(300):
        position, _ = filter_.apply(np.array([1.5, 0.0, 0.0]), None, PERIOD)
    assert position[0] == 1.5


def test_a_step_without_time_changes_nothing(robot):
    filter_ = make_filter(robot)
    np.testing.assert_array_equal(filter_.apply(np.zeros(3), None, 0.0)[0], robot.home)
    np.testing.assert_array_equal(filter_.hold(0.0)[0], robot.home)


def straight_up(position):
    """Forward kinematics of a plane arm: x, y from two joints, z from the third."""
    return np.array([np.sin(position[0]), np.sin(position[1]), position[2]])


def test_the_grasp_frame_stays_in_the_workspace_box(robot):
    box = {"workspace_lower": (-0.5, -0.5, -0.5), "workspace_upper": (0.5, 0.5, 0.5)}
    filter_ = make_filter(robot, np.zeros(3), **box, grasp_position=straight_up)
    reached = []
    for _ in range(500):
        position, _ = filter_.apply(np.array([1.2, 0.0, 0.0]), None, PERIOD)
        reached.append(straight_up(position)[0])
    assert max(reached) <= 0.5
    assert reached[-1] > 0.4
    assert filter_.status.level is SafetyLevel.LIMITING
    assert "workspace" in filter_.status.message
    for _ in range(500):
        position, _ = filter_.apply(np.array([0.2, 0.0, 0.0]), None, PERIOD)
    assert position[0] == 0.2
    assert filter_.status.level is SafetyLevel.OK


def test_a_workspace_box_needs_forward_kinematics(robot):
    with pytest.raises(CommandError, match="forward kinematics"):
        make_filter(robot, workspace_lower=(-1, -1, 0))


def test_an_empty_workspace_box_is_refused():
    with pytest.raises(ValueError, match="must be below"):
        SafetyParameters(workspace_lower=(0, 0, 0), workspace_upper=(1, 0, 1))


def test_a_watchdog_barks_after_its_timeout():
    watchdog = Watchdog(0.1)
    assert watchdog.expired(0.0)
    watchdog.feed(5.0)
    assert not watchdog.expired(5.1)
    assert watchdog.expired(5.11)
    watchdog.feed(4.0)  # an older stamp does not turn time back
    assert not watchdog.expired(5.05)
    watchdog.clear()
    assert watchdog.expired(5.05)
