"""Robots are put into scenes; a scene that does not fit its description is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from skillet_core.errors import InvalidFileError, UnknownNameError
from skillet_core.robot import load_robot
from skillet_core.scene import ObjectDescription, load_task
from skillet_sim.scene_model import build_model, build_spec


def test_robot_bodies_carry_the_prefix_and_objects_do_not() -> None:
    model = build_model(load_robot("panda"), load_task("blocks"))
    names = {model.body(index).name for index in range(model.nbody)}
    assert {
        "red_block",
        "left_bin",
        "robot/panda_link0",
        "robot/panda_leftfinger",
        "robot/grasp_frame",
    } <= names


def test_the_robots_base_is_the_world_frame() -> None:
    for name in ("ur5e", "panda"):
        robot = load_robot(name)
        model = build_model(robot, load_task("blocks"))
        base = model.body(f"robot/{robot.base_frame}")
        assert base.pos == pytest.approx([0, 0, 0])
        assert base.quat == pytest.approx([1, 0, 0, 0])


def test_an_object_without_a_body_is_refused() -> None:
    task = load_task("blocks")
    ghost = ObjectDescription.model_validate({"phrases": ["ghost"], "bounds": {"size": [1, 1, 1]}})
    with pytest.raises(UnknownNameError, match="ghost"):
        build_spec(load_robot("panda"), task.model_copy(update={"objects": {**task.objects, "ghost": ghost}}))


def test_a_scene_that_is_not_mjcf_is_refused() -> None:
    task = load_task("blocks").model_copy(update={"scene": "task.yaml"})
    with pytest.raises(InvalidFileError, match=str(Path("blocks") / "task.yaml")):
        build_spec(load_robot("panda"), task)


def test_shadows_and_smoothing_are_off_unless_asked_for() -> None:
    robot, task = load_robot("panda"), load_task("blocks")
    plain = build_model(robot, task).vis.quality
    fine = build_model(robot, task, shadows=True, multisampling=4).vis.quality
    assert (plain.shadowsize, plain.offsamples) == (0, 0)
    assert fine.shadowsize > 0
    assert fine.offsamples == 4
