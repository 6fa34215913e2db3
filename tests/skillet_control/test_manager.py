"""The controller manager: ownership, goals, stop and reset, on a stand-in arm."""

from __future__ import annotations

import numpy as np
import pytest

from skillet_control.errors import CommandError
from skillet_control.goals import GoalStatus
from skillet_control.manager import STREAM_OWNER, TRAJECTORY_OWNER
from skillet_control.safety import SafetyLevel
from skillet_core.errors import TrajectoryError


def test_a_trajectory_within_limits_is_followed_unaltered(loop):
    goal = loop.manager.follow(loop.trajectory([0.5, -0.3, 1.0], [0.0, 0.0, 0.0]))
    levels = set()
    for _ in range(1200):
        loop.step()
        levels.add(loop.manager.status.level)
        if goal.done:
            break
    assert goal.status is GoalStatus.SUCCEEDED, goal.message
    assert levels == {SafetyLevel.OK}
    np.testing.assert_array_equal(loop.manager.command.position, np.zeros(3))
