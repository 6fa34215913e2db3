"""The gripper controller: reaches, stalls around objects, gives up in time."""

from __future__ import annotations

import numpy as np
import pytest

from skillet_control.errors import CommandError
from skillet_control.goals import GoalStatus


def test_it_moves_at_a_bounded_speed_and_reaches(loop):
    goal = loop.manager.move_gripper(0.01, 20.0)
    loop.step(0.1)
    assert not goal.done
    loop.step(0.3)
    assert goal.status is GoalStatus.SUCCEEDED
    assert goal.reached
    assert not goal.stalled
    assert goal.opening == pytest.approx(0.01, abs=0.002)
    openings = np.array([command.gripper_opening for command in loop.arm.commands])
    assert np.abs(np.diff(openings)).max() <= 0.2 * 0.004 + 1e-12
    assert loop.manager.command.gripper_force == 20.0


def test_it_stalls_around_an_object_and_keeps_pushing(loop):
    loop.arm.object_width = 0.03
    goal = loop.manager.move_gripper(0.0, 15.0)
    loop.step(1.0)
    assert goal.status is GoalStatus.SUCCEEDED
    assert goal.stalled
    assert not goal.reached
    assert goal.opening == pytest.approx(0.03, abs=1e-6)
    assert loop.manager.command.gripper_opening == 0.0
    assert loop.manager.command.gripper_force == 15.0


def test_opening_after_a_grasp_begins_where_the_fingers_are(loop):
    loop.arm.object_width = 0.03
    loop.manager.move_gripper(0.0, 15.0)
    loop.step(1.0)
    goal = loop.manager.move_gripper(0.08, 15.0)
    loop.step()
    assert 0.03 <= loop.manager.command.gripper_opening <= 0.032
    loop.step(0.5)
    assert goal.reached


def test_squeezing_harder_does_not_let_go(loop):
    loop.arm.object_width = 0.03
    loop.manager.move_gripper(0.0, 15.0)
    loop.step(1.0)
    loop.manager.move_gripper(0.0, 30.0)
    loop.step(0.3)
    assert all(command.gripper_opening == 0.0 for command in loop.arm.commands[-70:])
    assert loop.manager.command.gripper_force == 30.0


def test_a_new_command_preempts_the_old_one(loop):
    first = loop.manager.move_gripper(0.0, 15.0)
    loop.step(0.05)
    second = loop.manager.move_gripper(0.08, 15.0)
    assert first.status is GoalStatus.PREEMPTED
    loop.step(1.0)
    assert second.reached


def test_cancel_holds_where_it_is(loop):
    goal = loop.manager.move_gripper(0.0, 15.0)
    loop.step(0.05)
    loop.manager.cancel(goal)
    assert goal.status is GoalStatus.CANCELED
    held = loop.manager.command.gripper_opening
    loop.step(0.5)
    assert loop.manager.command.gripper_opening == held > 0.02


def test_fingers_that_creep_are_given_up_in_time(robot, loop):
    goal = loop.manager.move_gripper(0.0, 15.0)
    loop.arm.share = 0.0
    for _ in range(2000):
        loop.step()
        loop.arm.opening = max(loop.arm.opening - 0.00001, 0.01)  # 2.5 mm/s: not still, never there
        if goal.done:
            break
        if loop.arm.opening <= 0.01:
            loop.arm.opening = 0.05
    assert goal.status is GoalStatus.ABORTED
    assert "did not reach 0.0000 m in time" in goal.message


def test_the_force_is_lowered_to_the_grippers_own(loop):
    assert loop.manager.move_gripper(0.0, 1000.0).force == 40.0


@pytest.mark.parametrize(
    ("opening", "force", "message"),
    [
        (np.nan, 10.0, "opens from 0 to 0.0800 m; nan m"),
        (-0.01, 10.0, "-0.01 m was asked for"),
        (0.09, 10.0, "0.09 m was asked for"),
        (0.05, 0.0, "force must be above 0 N"),
        (0.05, np.nan, "got nan N"),
        (0.05, -5.0, "got -5.0 N"),
    ],
)
def test_a_bad_command_is_refused_and_a_goal_in_progress_goes_on(loop, opening, force, message):
    goal = loop.manager.move_gripper(0.0, 15.0)
    with pytest.raises(CommandError, match=message):
        loop.manager.move_gripper(opening, force)
    assert goal.status is GoalStatus.ACTIVE


def test_a_rounding_excess_of_the_range_is_clamped(loop):
    assert loop.manager.move_gripper(0.0805, 10.0).target == 0.08
