"""The joint trajectory controller: what it refuses, how it starts, how it ends."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from skillet_control.errors import RefusedTrajectoryError
from skillet_control.goals import ErrorCode, GoalStatus
from skillet_control.parameters import ControlParameters, TrajectoryParameters
from skillet_control.safety import SafetyLevel
from skillet_control.spline import Setpoint
from skillet_control.trajectory_controller import TrajectoryController
from skillet_core.errors import TrajectoryError
from skillet_core.trajectory import JointTrajectory

HOME = np.full(3, 0.1)


def trajectory(times, positions, velocities="zero", accelerations=None, names=("shoulder", "elbow", "wrist")):
    positions = np.array(positions, dtype=float)
    if isinstance(velocities, str):
        velocities = np.zeros_like(positions)
    elif velocities is not None:
        velocities = np.array(velocities, dtype=float)
    return JointTrajectory(tuple(names), np.array(times, dtype=float), positions, velocities, accelerations)


GOOD = trajectory([0.0, 2.0], [HOME, [0.5, 0.5, 0.5]])

BAD = {
    "NaN position": (
        trajectory([0, 1, 2], [HOME, [0.2, np.nan, 0.2], [0.5] * 3]),
        ErrorCode.INVALID_GOAL,
        r"positions of elbow at point 1 is nan",
    ),
    "infinite velocity": (
        trajectory([0, 2], [HOME, [0.5] * 3], [[0, 0, np.inf], [0, 0, 0]]),
        ErrorCode.INVALID_GOAL,
        r"velocities of wrist at point 0 is inf",
    ),
    "NaN acceleration": (
        dataclasses.replace(GOOD, accelerations=np.array([[0, 0, 0], [np.nan, 0, 0]])),
        ErrorCode.INVALID_GOAL,
        r"accelerations of shoulder at point 1 is nan",
    ),
    "NaN time": (trajectory([0, np.nan], [HOME, HOME]), ErrorCode.INVALID_GOAL, "strictly increasing"),
    "no points": (trajectory([], np.zeros((0, 3))), ErrorCode.INVALID_GOAL, "at least one"),
    "no joints": (trajectory([0.0], np.zeros((1, 0)), names=()), ErrorCode.INVALID_GOAL, "at least one"),
    "times that stand still": (
        trajectory([0, 1, 1], [HOME, HOME, HOME]),
        ErrorCode.INVALID_GOAL,
        r"strictly increasing, got \[0.0, 1.0, 1.0\]",
    ),
    "times that go back": (
        trajectory([0, 2, 1], [HOME, HOME, HOME]),
        ErrorCode.INVALID_GOAL,
        "strictly increasing",
    ),
    "a negative time": (trajectory([-1, 1], [HOME, HOME]), ErrorCode.INVALID_GOAL, "must be >= 0"),
    "wrong shape": (trajectory([0, 1], [[0.1, 0.1], [0.1, 0.1]]), ErrorCode.INVALID_GOAL, "must have shape"),
    "a missing joint": (
        trajectory([0, 1], [[0.1, 0.1], [0.1, 0.1]], names=("shoulder", "wrist")),
        ErrorCode.INVALID_JOINTS,
        r"missing joint: elbow\. The arm has: shoulder, elbow, wrist",
    ),
    "an unknown joint": (
        trajectory([0, 1], np.full((2, 4), 0.1), names=("shoulder", "elbow", "wrist", "tail")),
        ErrorCode.INVALID_JOINTS,
        r"unknown joint: tail",
    ),
    "a misspelt joint": (
        trajectory([0, 1], [HOME, HOME], names=("shoulder", "elbow", "wirst")),
        ErrorCode.INVALID_JOINTS,
        r"unknown joint: wirst; missing joint: wrist",
    ),
    "a joint named twice": (
        trajectory([0, 1], [HOME, HOME], names=("shoulder", "elbow", "elbow")),
        ErrorCode.INVALID_GOAL,
        r"joint named twice: elbow",
    ),
    "a point out of range": (
        trajectory([0, 2, 4], [HOME, [0.5, -1.6, 0.5], HOME]),
        ErrorCode.INVALID_GOAL,
        r"point 1 puts elbow at -1\.6000 rad; its range is -1\.5000 to 2\.5000",
    ),
    "a curve out of range": (
        trajectory(
            [0, 3, 4, 7], [HOME, [1.9, 0, 0], [1.9, 0, 0], HOME], [[0] * 3, [1, 0, 0], [-1, 0, 0], [0] * 3]
        ),
        ErrorCode.INVALID_GOAL,
        r"between points 1 and 2 .* shoulder swings to 2\.\d+ rad; its range is -2\.0000 to 2\.0000",
    ),
    "too fast": (
        trajectory([0, 1], [HOME, [0.1, 0.1, 2.4]]),
        ErrorCode.INVALID_GOAL,
        r"between points 0 and 1 \(at 0\.500 s\) wrist has a velocity of 3\.45 rad/s; its limit is 3 rad/s",
    ),
    "too fast in a straight line": (
        trajectory([0, 1], [HOME, [0.1, 2.2, 0.1]], None),
        ErrorCode.INVALID_GOAL,
        r"elbow has a velocity of 2\.1 rad/s; its limit is 2 rad/s",
    ),
    "too abrupt": (
        trajectory([0, 0.4], [HOME, [0.4, 0.1, 0.1]]),
        ErrorCode.INVALID_GOAL,
        r"shoulder has an acceleration of -?11\.25 rad/s\^2; its limit is 8 rad/s\^2",
    ),
    "a moving end": (
        trajectory([0, 2], [HOME, [0.5] * 3], [[0, 0, 0], [0.1, 0, 0]]),
        ErrorCode.INVALID_GOAL,
        r"shoulder still moves at 0\.1 rad/s at the last point \(1\)",
    ),
    "accelerations alone": (
        trajectory([0, 2], [HOME, HOME], None, np.zeros((2, 3))),
        ErrorCode.INVALID_GOAL,
        "without velocities",
    ),
    "a start elsewhere": (
        trajectory([0, 2], [[0.1, 0.2, 0.1], HOME]),
        ErrorCode.INVALID_GOAL,
        r"starts with elbow at 0\.2000 rad, but the arm is at 0\.1000 rad, more than 0\.05",
    ),
    "a start elsewhere, too soon": (
        trajectory([0.01, 2], [[0.1, 0.2, 0.1], HOME]),
        ErrorCode.INVALID_GOAL,
        r"leading in, between points 0 and 1 .* elbow has a velocity",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_trajectory_is_refused_with_the_reason_and_nothing_moves(loop, case):
    bad, code, message = BAD[case]
    with pytest.raises(RefusedTrajectoryError, match=message) as refusal:
        loop.manager.follow(bad)
    assert refusal.value.code is code
    assert isinstance(refusal.value, TrajectoryError)
    loop.step(0.1)
    np.testing.assert_array_equal(loop.commanded(), np.tile(HOME, (26, 1)))


def test_a_refused_trajectory_does_not_disturb_the_one_in_progress(loop):
    goal = loop.manager.follow(GOOD)
    loop.step(0.5)
    with pytest.raises(RefusedTrajectoryError):
        loop.manager.follow(BAD["NaN position"][0])
    loop.step(2.0)
    assert goal.status is GoalStatus.SUCCEEDED


def test_permuted_joints_are_accepted(loop):
    order = [2, 0, 1]
    names = [loop.robot.joint_names[j] for j in order]
    goal_position = np.array([0.3, -0.2, 0.7])
    goal = loop.manager.follow(trajectory([0, 2], [HOME[order], goal_position[order]], names=names))
    loop.step(2.5)
    assert goal.status is GoalStatus.SUCCEEDED
    np.testing.assert_array_equal(loop.manager.command.position, goal_position)


@pytest.mark.parametrize("kind", ["linear", "cubic", "quintic"])
def test_it_interpolates_by_what_the_points_carry(loop, kind):
    velocities = None if kind == "linear" else "zero"
    accelerations = np.zeros((2, 3)) if kind == "quintic" else None
    goal = loop.manager.follow(trajectory([0, 2], [HOME, HOME + 1.0], velocities, accelerations))
    loop.step(0.5)
    s = 0.25
    share = {"linear": s, "cubic": 3 * s**2 - 2 * s**3, "quintic": 10 * s**3 - 15 * s**4 + 6 * s**5}[kind]
    np.testing.assert_allclose(loop.manager.command.position, HOME + share, atol=1e-9)
    loop.step(2.0)
    assert goal.status is GoalStatus.SUCCEEDED


def test_a_first_point_later_than_zero_is_led_to(loop):
    goal = loop.manager.follow(trajectory([1.5], [[0.8, 0.4, -0.3]]))
    loop.step(1.6)
    assert goal.status is GoalStatus.SUCCEEDED
    assert loop.manager.status.level is SafetyLevel.OK
    steps = np.diff(loop.commanded(), axis=0)
    assert np.abs(steps).max() < 0.8 / 1.5 * 1.6 * 0.004


def test_a_small_distance_at_the_start_fades_out_instead_of_jumping(loop):
    start = HOME + np.array([0.03, -0.02, 0.0])
    goal = loop.manager.follow(trajectory([0, 2], [start, HOME + 0.5]))
    levels = set()
    for _ in range(550):
        loop.step()
        levels.add(loop.manager.status.level)
    assert goal.status is GoalStatus.SUCCEEDED
    assert levels == {SafetyLevel.OK}
    np.testing.assert_array_equal(loop.manager.command.position, HOME + 0.5)


def test_a_replacement_in_motion_starts_from_the_present_command_without_a_jerk(loop):
    first = loop.manager.follow(trajectory([0, 2], [HOME, HOME + 1.0]))
    loop.step(1.0)
    second = loop.manager.follow(trajectory([1.5], [HOME]))
    assert first.status is GoalStatus.PREEMPTED
    assert "replaced" in first.message
    levels = set()
    for _ in range(500):
        loop.step()
        levels.add(loop.manager.status.level)
    assert second.status is GoalStatus.SUCCEEDED
    assert levels == {SafetyLevel.OK}
    acceleration = np.diff(loop.commanded(), n=2, axis=0) / 0.004**2
    assert (np.abs(acceleration) <= loop.robot.max_acceleration).all()


def test_a_replacement_at_time_zero_from_a_standing_plan_blends_the_speed(loop):
    loop.manager.follow(trajectory([0, 2], [HOME, HOME + 1.0]))
    loop.step(1.0)
    here = loop.manager.command.position
    goal = loop.manager.follow(trajectory([0, 2], [here, HOME]))
    loop.step(2.6)
    assert goal.status is GoalStatus.SUCCEEDED
    acceleration = np.diff(loop.commanded(), n=2, axis=0) / 0.004**2
    assert (np.abs(acceleration) <= loop.robot.max_acceleration * 1.000001).all()


def test_leaving_the_path_aborts_and_holds(loop):
    goal = loop.manager.follow(trajectory([0, 2], [HOME, HOME + 1.0]), path_tolerance={"elbow": 0.05})
    loop.step(0.3)
    loop.arm.stuck = True
    loop.step(0.5)
    assert goal.status is GoalStatus.ABORTED
    assert goal.error_code is ErrorCode.PATH_TOLERANCE_VIOLATED
    assert "elbow is 0.05" in goal.message
    assert "0.0500 rad" in goal.message
    loop.step(0.5)
    still = loop.commanded()[-50:]
    assert (still == still[0]).all()
    assert np.abs(still[0] - HOME).max() < 0.5


def test_an_unchecked_path_is_not_checked(loop):
    goal = loop.manager.follow(GOOD, path_tolerance=0.0)
    loop.arm.stuck = True
    loop.step(1.9)
    assert goal.status is GoalStatus.ACTIVE


def test_a_goal_missed_for_too_long_is_aborted(loop):
    goal = loop.manager.follow(GOOD, path_tolerance=0.0, goal_tolerance=0.1, goal_time_tolerance=0.3)
    loop.arm.stuck = True
    loop.step(2.2)
    assert goal.status is GoalStatus.ACTIVE
    loop.step(0.2)
    assert goal.status is GoalStatus.ABORTED
    assert goal.error_code is ErrorCode.GOAL_TOLERANCE_VIOLATED
    assert "0.4000 rad from its goal, more than 0.1000 rad" in goal.message


def test_a_goal_reached_late_but_in_time_succeeds(loop):
    goal = loop.manager.follow(GOOD, path_tolerance=0.0)
    loop.step(1.8)
    loop.arm.stuck = True
    loop.step(0.4)
    loop.arm.stuck = False
    loop.step(0.3)
    assert goal.status is GoalStatus.SUCCEEDED


def test_wrong_tolerances_are_refused(loop):
    with pytest.raises(RefusedTrajectoryError, match="unknown joint: tail") as refusal:
        loop.manager.follow(GOOD, goal_tolerance={"tail": 0.1})
    assert refusal.value.code is ErrorCode.INVALID_JOINTS
    with pytest.raises(RefusedTrajectoryError, match=r"path tolerance of wrist is -0\.1"):
        loop.manager.follow(GOOD, path_tolerance={"wrist": -0.1})


def test_a_trajectory_that_is_over_by_its_stamp_is_refused(loop):
    with pytest.raises(RefusedTrajectoryError, match=r"ended 1\.000 s ago") as refusal:
        loop.manager.follow(GOOD, begin=loop.now - 3.0)
    assert refusal.value.code is ErrorCode.OLD_HEADER_TIMESTAMP


def test_a_trajectory_stamped_in_the_future_waits(loop):
    goal = loop.manager.follow(GOOD, begin=loop.now + 0.5)
    loop.step(0.5)
    np.testing.assert_allclose(loop.manager.command.position, HOME, atol=1e-12)
    loop.step(2.2)
    assert goal.status is GoalStatus.SUCCEEDED


def test_a_trajectory_a_little_late_by_its_stamp_is_joined(loop):
    goal = loop.manager.follow(GOOD, begin=loop.now - 0.02)
    loop.step(2.2)
    assert goal.status is GoalStatus.SUCCEEDED
    assert loop.manager.status.level is SafetyLevel.OK


def test_a_slight_excess_within_the_tolerance_is_accepted_and_clamped(robot):
    controller = TrajectoryController(robot, TrajectoryParameters(limit_tolerance=0.05))
    controller.prepare(trajectory([0, 1.0], [HOME, [0.1, 1.48, 0.1]]))
    with pytest.raises(RefusedTrajectoryError):
        TrajectoryController(robot).prepare(trajectory([0, 1.0], [HOME, [0.1, 1.48, 0.1]]))


def test_following_nothing_gives_no_setpoint(robot):
    controller = TrajectoryController(robot)
    assert controller.update(0.0, HOME, np.zeros(3)) is None
    still = np.zeros(3)
    controller.start(controller.prepare(GOOD), 0.0, Setpoint(HOME, still, still))
    assert controller.update(0.0, HOME, still) is not None
    controller.cancel()
    assert controller.update(0.1, HOME, still) is None


def test_parameters_out_of_range_are_refused():
    with pytest.raises(ValueError, match="start_tolerance"):
        ControlParameters.model_validate({"trajectory": {"start_tolerance": -1}})
