from __future__ import annotations

import numpy as np
import pytest

from skillet_core.evaluation import open_share

PARTS = {"top_drawer": 0.16, "bottom_drawer": 0.16, "chest_lid": 1.5}


def share(stage, name):
    return open_share(name, stage.robot.scene(), stage.robot.task)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_opened_and_the_hand_is_off_it(workbench, name):
    workbench.done("open", object=name)
    assert share(workbench, name) >= 0.8
    touching = {pair.body_a for pair in workbench.robot.scene().contacts} | {
        pair.body_b for pair in workbench.robot.scene().contacts
    }
    assert not any(body.startswith("robot/") for body in touching)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_closed(workbench, name):
    workbench.turn(name, PARTS[name])
    workbench.done("close", object=name)
    assert share(workbench, name) <= 0.1


def test_a_drawer_is_closed_with_what_stands_in_it_right_behind_the_front(workbench):
    workbench.turn("top_drawer", 0.16)
    drawer = workbench.pose("top_drawer")
    workbench.put("soup_can", drawer.apply(np.array([0.05, 0.0, -0.005])))
    workbench.done("close", object="top_drawer")
    assert share(workbench, "top_drawer") <= 0.1
    inside = drawer.inverse() @ workbench.pose("soup_can")
    assert inside.position[0] > 0.15  # it came along: the drawer's frame was taken when it was open


def test_a_drawer_is_opened_half(workbench):
    workbench.done("open", object="bottom_drawer", share=0.5)
    assert abs(share(workbench, "bottom_drawer") - 0.5) < 0.1


@pytest.mark.parametrize(("skill", "position"), [("open", 0.16), ("close", 0.0)])
def test_what_is_done_already_is_a_success_without_motion(workbench, skill, position):
    workbench.turn("top_drawer", position)
    before = workbench.robot.time
    assert workbench.do(skill, object="top_drawer").success
    assert workbench.robot.time == before


def test_a_drawer_that_jams_is_a_failure_and_the_arm_backs_off(workbench):
    model = workbench.robot._world.model
    joint = model.joint("top_drawer").id
    limits = model.jnt_range[joint].copy()
    model.jnt_range[joint] = 0.0, 0.02
    try:
        result = workbench.do("open", object="top_drawer")
    finally:
        model.jnt_range[joint] = limits
    assert not result.success
    assert share(workbench, "top_drawer") < 0.5
    handle = workbench.pose("top_drawer").apply(np.array([-0.052, 0.0, 0.0]))
    assert np.linalg.norm(workbench.robot.grasp_pose().position - handle) > 0.02
