from __future__ import annotations

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillet_core.conditions import Grasped
from skillet_core.task_tree import FallbackNode, NodeReport, SequenceNode, SkillNode, TaskReport, TaskTree

names = st.text(min_size=1, max_size=8)
values = st.one_of(names, st.booleans(), st.floats(allow_nan=False, allow_infinity=False))
successes = st.one_of(st.none(), st.builds(Grasped, object=names))
attempts = st.integers(1, 10)
skills = st.builds(
    SkillNode,
    skill=names,
    arguments=st.dictionaries(names, values, max_size=3),
    success=successes,
    attempts=attempts,
)
nodes = st.recursive(
    skills,
    lambda inner: st.one_of(
        *(
            st.builds(
                kind,
                name=names,
                children=st.lists(inner, min_size=1, max_size=3).map(tuple),
                success=successes,
                attempts=attempts,
            )
            for kind in (SequenceNode, FallbackNode)
        )
    ),
    max_leaves=8,
)


@given(st.builds(TaskTree, instruction=st.text(max_size=30), root=nodes))
def test_every_tree_survives_json(tree):
    assert TaskTree.model_validate_json(tree.model_dump_json()) == tree


@pytest.mark.parametrize(
    "root",
    [
        {"kind": "sequence", "name": "empty", "children": []},
        {"kind": "skill", "skill": "grasp", "attempts": 0},
        {"kind": "skill", "skill": "grasp", "arguments": {"force": float("nan")}},
        {"kind": "skill", "skill": "grasp", "code": "print()"},
        {"kind": "loop", "name": "for ever", "children": []},
    ],
)
def test_what_is_not_a_tree_is_refused(root):
    with pytest.raises(pydantic.ValidationError):
        TaskTree.model_validate({"instruction": "", "root": root})


def test_a_skill_is_labelled_with_its_arguments():
    node = SkillNode(skill="place_in", arguments={"object": "red_block", "target": "left_bin"})
    assert node.label() == "place_in(red_block, left_bin)"


def test_a_report_survives_json():
    leaf = NodeReport(path="0", label="grasp(a)", status="failed", reason="slipped", attempts=3, started=0.5)
    report = TaskReport(
        instruction="grasp a",
        success=False,
        reason="slipped",
        root=NodeReport(path="", label="all", children=[leaf]),
    )
    assert TaskReport.model_validate_json(report.model_dump_json()) == report
