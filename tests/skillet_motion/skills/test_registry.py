from __future__ import annotations

import pytest

from skillet_core.errors import UnknownNameError
from skillet_motion.skills import SkillArgumentError, skill, skill_names


@pytest.mark.parametrize(
    ("task", "name", "arguments", "error", "message"),
    [
        ("blocks", "grasb", {}, UnknownNameError, r"unknown skill 'grasb'. Did you mean 'grasp'"),
        ("blocks", "grasp", {"object": "red_blok"}, UnknownNameError, r"Did you mean 'red_block'"),
        ("blocks", "grasp", {"object": "red_block", "target": "left"}, UnknownNameError, "left_bin"),
        ("blocks", "grasp", {"object": "red_block", "target": "red_block"}, SkillArgumentError, "itself"),
        ("blocks", "grasp", {}, SkillArgumentError, r"object: Field required. Usage: grasp\(object: name of"),
        ("blocks", "grasp", {"object": "red_block", "speed": 1}, SkillArgumentError, r"speed: Extra inputs"),
        ("blocks", "grasp", {"object": 3}, SkillArgumentError, r"object: Input should be a valid string"),
        (
            "blocks",
            "grasp",
            {"object": "left_bin"},
            SkillArgumentError,
            r"container.*blue_block, green_block",
        ),
        ("blocks", "grasp", {"object": "red_block", "handle": True}, SkillArgumentError, r"no handle"),
        ("blocks", "place_in", {"object": "red_block", "target": "bin"}, UnknownNameError, r"left_bin"),
        (
            "blocks",
            "place_in",
            {"object": "red_block", "target": "table"},
            SkillArgumentError,
            r"into table. Valid: left_bin, right_bin",
        ),
        (
            "blocks",
            "place_on",
            {"object": "red_block", "target": "table", "x": 0.4},
            SkillArgumentError,
            r"both or neither",
        ),
        ("blocks", "place_on", {"object": "red_block", "target": "red_block"}, SkillArgumentError, r"itself"),
        ("blocks", "open", {"object": "left_bin"}, SkillArgumentError, r"no joint"),
        ("workbench", "open", {"object": "top_drawr"}, UnknownNameError, r"Did you mean 'top_drawer'"),
        ("workbench", "open", {"object": "top_drawer", "share": 0.0}, SkillArgumentError, r"share"),
        ("workbench", "close", {"object": "red_button"}, SkillArgumentError, r"press it"),
        ("workbench", "press", {"object": "chest"}, SkillArgumentError, r"Valid: red_button"),
        (
            "blocks",
            "push",
            {"object": "red_block", "dx": 0.4, "dy": 0.0},
            SkillArgumentError,
            r"at most 0.25",
        ),
        (
            "blocks",
            "push",
            {"object": "red_block", "dx": 0.0, "dy": 0.0},
            SkillArgumentError,
            r"longer than 0",
        ),
        ("blocks", "push", {"object": "left_bin", "dx": 0.1, "dy": 0.0}, SkillArgumentError, r"pushed"),
        ("blocks", "reorient", {"object": "red_block", "tilt": 4.0}, SkillArgumentError, r"tilt"),
        (
            "blocks",
            "reorient",
            {"object": "red_block", "tilt": 1.0, "over": "left"},
            UnknownNameError,
            r"left_bin",
        ),
        ("blocks", "go_home", {"fast": True}, SkillArgumentError, r"fast: Extra inputs"),
        ("blocks", "wait", {"seconds": -1.0}, SkillArgumentError, r"seconds"),
    ],
)
def test_wrong_requests_name_what_is_valid_and_nothing_moves(  # noqa: PLR0917
    stages, task, name, arguments, error, message
):
    stage = stages(task)
    before = stage.robot.time
    with pytest.raises(error, match=message):
        stage.do(name, **arguments)
    assert stage.robot.time == before


def test_every_skill_describes_itself_and_its_arguments():
    assert len(skill_names()) == 11
    for name in skill_names():
        assert skill(name).description.endswith(".")
        assert skill(name).usage.startswith(f"{name}(")
        assert all(field.description for field in skill(name).arguments.model_fields.values())
