"""Tasks are data that is consistent with itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skillet_core.conditions import Inside
from skillet_core.errors import InvalidFileError, UnknownNameError
from skillet_core.resources import load_yaml
from skillet_core.scene import Box, SceneState, TaskDescription, load_task, task_names


@pytest.mark.parametrize("name", task_names())
def test_a_task_is_consistent(name: str) -> None:
    task = load_task(name)
    assert task.name == name
    for description in task.objects.values():
        if description.interior is not None:
            assert description.kind == "container"
            assert (description.interior.lower >= description.bounds.lower - 1e-9).all()
            assert (description.interior.upper <= description.bounds.upper + 1e-9).all()
        if description.handle is not None:
            assert description.articulation is not None
            assert (description.handle.lower >= description.bounds.lower - 1e-9).all()
            assert (description.handle.upper <= description.bounds.upper + 1e-9).all()
        if description.articulation is not None:
            assert np.linalg.norm(description.articulation.axis) == pytest.approx(1.0)
            assert description.articulation.closed != description.articulation.opened
        assert (description.kind == "button") <= (description.articulation is not None)
        if description.spawn is not None:
            assert (np.array(description.spawn.lower) <= description.spawn.upper).all()
            assert description.spawn.yaw[0] <= description.spawn.yaw[1]


@pytest.mark.parametrize("name", task_names())
def test_no_two_objects_share_a_phrase(name: str) -> None:
    phrases = [phrase for o in load_task(name).objects.values() for phrase in o.phrases]
    assert len(phrases) == len(set(phrases))


def test_the_blocks_task_is_done_with_the_red_block_in_the_left_bin() -> None:
    task = load_task("blocks")
    assert task.success == Inside(object="red_block", container="left_bin")
    assert "put the red block in the left bin" in task.instructions
    assert "red cube" in task.object("red_block").phrases


def test_an_unknown_task_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown task 'block'.*'blocks'"):
        load_task("block")


def test_an_unknown_object_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'red_block'"):
        load_task("blocks").object("red_blok")
    scene = SceneState(stamp=0.0, task="blocks", seed=0, episode=1, success=False, objects={})
    with pytest.raises(UnknownNameError, match="Valid: \\(none\\)"):
        scene.object("red_block")


def test_a_box_knows_its_corners() -> None:
    box = Box(center=(1.0, 2.0, 3.0), size=(0.2, 0.4, 0.6))
    assert box.lower == pytest.approx([0.9, 1.8, 2.7])
    assert box.upper == pytest.approx([1.1, 2.2, 3.3])


def test_a_joint_knows_how_far_open_it_is() -> None:
    drawer = load_task("workbench").object("top_drawer").articulation
    assert drawer is not None
    assert drawer.share(drawer.closed) == 0.0
    assert drawer.share(drawer.opened) == 1.0
    assert drawer.share(0.04) == pytest.approx(0.25)


def test_a_file_that_does_not_fit_names_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text("name: x\ntitle: X\nscene: s.xml\ninstructions: []\ntime_limit: -1\nobjects: {}\n")
    with pytest.raises(InvalidFileError, match=r"instructions.*time_limit.*success"):
        load_yaml(path, TaskDescription)


def test_a_file_that_is_not_yaml_says_so(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text("a: [1, 2\n")
    with pytest.raises(InvalidFileError, match="not valid YAML"):
        load_yaml(path, TaskDescription)


def test_a_file_that_is_missing_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match="cannot read"):
        load_yaml(tmp_path / "none.yaml", TaskDescription)
