from __future__ import annotations

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillet_core.conditions import (
    All,
    Any,
    AtRest,
    Closed,
    Condition,
    Grasped,
    Inside,
    Not,
    OnTopOf,
    Opened,
)

ADAPTER: pydantic.TypeAdapter[Condition] = pydantic.TypeAdapter(Condition)

names = st.text(min_size=1, max_size=8)
leaves = st.one_of(
    st.builds(Inside, object=names, container=names),
    st.builds(OnTopOf, object=names, support=names),
    st.builds(Opened, object=names),
    st.builds(Closed, object=names),
    st.builds(Grasped, object=names),
    st.builds(AtRest, object=names),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, condition=inner),
        st.builds(All, conditions=st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Any, conditions=st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


@given(conditions)
def test_every_condition_survives_json(condition):
    assert ADAPTER.validate_json(ADAPTER.dump_json(condition)) == condition


def test_conditions_print_readably():
    condition = All(conditions=(Inside(object="a", container="b"), Not(condition=Grasped(object="a"))))
    assert str(condition) == "(inside(a, b) and not grasped(a))"
    assert str(Any(conditions=(AtRest(object="a"), Grasped(object="b")))) == "(at_rest(a) or grasped(b))"
    shut = All(conditions=(OnTopOf(object="a", support="b"), Opened(object="c"), Closed(object="d")))
    assert str(shut) == "(on_top_of(a, b) and opened(c) and closed(d))"


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "exec", "code": "import os"},
        {"kind": "inside", "object": "a"},
        {"kind": "inside", "object": "a", "container": "b", "threshold": 0.1},
        {"kind": "on_top_of", "object": "a"},
        {"kind": "opened", "object": "a", "share": 0.5},
        {"kind": "all", "conditions": []},
        "inside(a, b)",
    ],
)
def test_what_is_not_a_condition_is_refused(data):
    with pytest.raises(pydantic.ValidationError):
        ADAPTER.validate_python(data)
