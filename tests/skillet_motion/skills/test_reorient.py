from __future__ import annotations

import numpy as np
import pytest

from skillet_motion.skills.carrying import held_object


def lean(stage, name, up):
    """How far an object's once upward direction points away from up [rad]."""
    return float(np.arccos(np.clip((stage.pose(name).rotation.apply(up))[2], -1.0, 1.0)))


@pytest.mark.parametrize("tilt", [0.5, 1.3])
def test_a_held_thing_is_tilted_kept_so_and_turned_back(blocks, tilt):
    blocks.done("grasp", object="red_block")
    up = blocks.pose("red_block").rotation.inv().apply([0.0, 0.0, 1.0])
    leans = []

    def look(now, _):
        if round(now / 0.004) % 10 == 0:
            leans.append(lean(blocks, "red_block", up))

    blocks.on_every_period(look)
    blocks.done("reorient", object="red_block", tilt=tilt, hold=0.5)
    blocks.on_every_period(None)
    kept = sum(abs(angle - tilt) < 0.1 for angle in leans)
    assert max(leans) == pytest.approx(tilt, abs=0.1)
    assert kept * 0.04 >= 0.48
    assert lean(blocks, "red_block", up) < 0.1
    assert held_object(blocks.robot) == "red_block"


def test_it_is_tilted_over_a_container(blocks):
    blocks.done("grasp", object="red_block")
    where = []

    def look(phase):
        if phase == "hold":
            where.append(blocks.pose("red_block").position)

    result = blocks.do("reorient", look, object="red_block", tilt=0.6, hold=0.0, over="left_bin")
    assert result.success, result.reason
    np.testing.assert_allclose(where[0][:2], blocks.pose("left_bin").position[:2], atol=0.04)
    assert where[0][2] > 0.1


def test_nothing_is_tilted_that_is_not_held(blocks):
    before = blocks.robot.time
    assert "does not hold" in blocks.do("reorient", object="red_block", tilt=1.0).reason
    assert blocks.robot.time == before
