from __future__ import annotations

import mujoco
import numpy as np
import pytest

from skillet_core.evaluation import open_share


def test_a_button_goes_all_the_way_in_and_comes_back(workbench):
    shares = []

    def look(*_):
        shares.append(open_share("red_button", workbench.robot._world.scene_state(), workbench.robot.task))

    workbench.on_every_period(look)
    workbench.done("press", object="red_button")
    assert max(shares) >= 0.8
    assert shares[-1] < 0.1


def test_a_button_that_does_not_give_is_not_pressed(workbench):
    model = workbench.robot._world.model
    dof = model.joint("red_button").dofadr[0]
    model.dof_armature[dof] = 1e6  # inertia without weight
    mujoco.mj_setConst(model, mujoco.MjData(model))
    try:
        result = workbench.do("press", object="red_button")
    finally:
        model.dof_armature[dof] = 0.0
        mujoco.mj_setConst(model, mujoco.MjData(model))
    assert not result.success


@pytest.mark.parametrize("way", [(0.0, 0.1), (0.08, 0.0), (-0.05, -0.06)])
def test_a_block_is_pushed_where_it_should_go(blocks, way):
    blocks.put("red_block", (0.45, 0.0, 0.02))
    blocks.put("green_block", (0.25, 0.35, 0.02))
    blocks.put("blue_block", (0.25, -0.35, 0.02))
    blocks.done("push", object="red_block", dx=way[0], dy=way[1])
    moved = blocks.pose("red_block").position[:2] - [0.45, 0.0]
    assert np.linalg.norm(moved - way) < 0.02
    assert abs(blocks.pose("red_block").position[2] - 0.02) < 0.003


def test_a_push_through_a_wall_is_refused_and_the_block_stays(blocks):
    blocks.put("red_block", (0.45, 0.14, 0.02))
    result = blocks.do("push", object="red_block", dx=0.0, dy=0.2)
    assert "left_bin" in result.reason
    assert np.linalg.norm(blocks.pose("red_block").position[:2] - [0.45, 0.14]) < 0.002
