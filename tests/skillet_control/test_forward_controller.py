"""The forward position controller: streams, and what happens when they fall silent."""

from __future__ import annotations

import numpy as np
import pytest

from skillet_control.errors import CommandError
from skillet_control.forward_controller import ForwardController
from skillet_control.manager import STREAM_OWNER
from skillet_control.safety import SafetyLevel

HOME = np.full(3, 0.1)


def test_a_stream_is_followed(loop):
    for k in range(100):
        loop.manager.stream(HOME + 0.1 * (1 - np.cos(k * 0.03)), loop.now)
        loop.step()
    np.testing.assert_array_equal(loop.manager.command.position, HOME + 0.1 * (1 - np.cos(99 * 0.03)))
    assert loop.manager.status.owner == STREAM_OWNER
    assert loop.manager.status.level is SafetyLevel.OK


def test_named_targets_may_come_in_any_order(loop):
    for _ in range(100):
        loop.manager.stream({"wrist": 0.3, "shoulder": 0.1, "elbow": 0.2}, loop.now)
        loop.step()
    np.testing.assert_array_equal(loop.manager.command.position, [0.1, 0.2, 0.3])


def test_a_silent_stream_brakes_and_holds_and_never_goes_to_zero(loop):
    for k in range(100):
        loop.manager.stream(HOME + 0.004 * k, loop.now)
        loop.step()
    reached = loop.manager.command.position
    loop.step(0.09)
    assert loop.manager.status.level is not SafetyLevel.HOLDING
    loop.step(0.4)
    status = loop.manager.status
    assert status.level is SafetyLevel.HOLDING
    assert "fell silent" in status.message
    assert status.owner == STREAM_OWNER
    held = loop.commanded()[-50:]
    assert (held == held[0]).all()
    braking = 1.0**2 / (2 * loop.robot.max_acceleration)
    assert (np.abs(held[0] - reached) <= braking + 0.01).all()
    loop.manager.stream(held[0], loop.now)
    loop.step()
    assert loop.manager.status.level is not SafetyLevel.HOLDING


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([0.1, np.nan, 0.1], "elbow is nan"),
        ([0.1, 0.1], r"got shape \(2,\)"),
        ({"shoulder": 0.1, "elbow": 0.1}, "missing joint: wrist"),
        ({"shoulder": 0.1, "elbow": 0.1, "wrist": 0.1, "tail": 0.1}, "unknown joint: tail"),
    ],
)
def test_a_bad_target_is_refused_and_the_last_one_stays(loop, target, message):
    loop.manager.stream(HOME + 0.01, loop.now)
    with pytest.raises(CommandError, match=message):
        loop.manager.stream(target, loop.now)
    for _ in range(20):
        loop.step()
    np.testing.assert_allclose(loop.manager.command.position, HOME + 0.01, atol=1e-6)


def test_a_stale_target_is_refused(robot):
    controller = ForwardController(robot)
    with pytest.raises(CommandError, match=r"0\.200 s old; at most 0\.100 s"):
        controller.accept(HOME, stamp=9.8, now=10.0)
    assert not controller.streaming


def test_a_stamp_from_the_future_does_not_outlive_the_timeout(robot):
    controller = ForwardController(robot)
    controller.accept(HOME, stamp=500.0, now=10.0)
    assert controller.update(10.05) is not None
    assert controller.update(10.15) is None
