from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillet_cli.launch import SubstitutionError
from skillet_cli.launch.expression import evaluate

NUMBERS = st.integers(-20, 20)


@given(a=NUMBERS, b=NUMBERS, c=NUMBERS)
def test_comparisons_and_arithmetic_are_those_of_python(a: int, b: int, c: int) -> None:
    assert evaluate(f"{a} < {b} <= {c}") == str(a < b <= c)
    assert evaluate(f"{a} + {b} * {c} - ({a} - {c})") == str(a + b * c - (a - c))
    assert evaluate(f"not {a} or {b} and {c}") == str(not a or (b and c))
    assert evaluate(f"{a} if {b} > 0 else {c}") == str(a if b > 0 else c)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "open('/etc/passwd')",
        "(1).__class__",
        "[x for x in (1, 2)]",
        "lambda: 1",
        "2 ** 10",
        "1 is 1",
        "f'{1}'",
        "robot == 'ur5e'",
        "1 +",
        "1 / 0",
        "'a' < 1",
        "",
    ],
)
def test_anything_more_than_plain_expressions_is_refused(text: str) -> None:
    with pytest.raises(SubstitutionError):
        evaluate(text)
