"""The expressions of ``$(eval ...)``: literals, comparisons, logic and plain arithmetic.

``ros2 launch`` hands the text to Python's own evaluator. Here it is parsed to a syntax tree and only the
nodes below are worked out, so that a launch file stays data. What is accepted has the same value in both.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

from skillet_cli.launch.errors import SubstitutionError

# math's names are in scope of a launch expression; functions are not offered here
_NAMES = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf, "nan": math.nan}

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
}


def evaluate(text: str) -> str:
    """Work out an expression and return its value as text, as ``$(eval ...)`` inserts it.

    Raises:
        SubstitutionError: the text is not an expression, or uses more than comparisons (``== != < <= > >=
            in``), ``and or not``, ``if else``, ``+ - * / // %``, literals and the constants of ``math``.
    """
    try:
        return str(_value(ast.parse(text, mode="eval").body))
    except SyntaxError as error:
        raise SubstitutionError(f"$(eval {text}): not an expression ({error.msg})") from error
    except (TypeError, ValueError, ArithmeticError) as error:
        raise SubstitutionError(f"$(eval {text}): {error}") from error


def _value(node: ast.expr) -> Any:  # noqa: PLR0911 - one return for each kind of node
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.Name(id=name):
            raise SubstitutionError(
                f"$(eval): unknown name {name!r}; put text in quotes, as in \"'$(var robot)' == 'panda'\""
            )
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left), _value(right))
        case ast.BoolOp(op=op, values=values):
            return _logic(values, stop_at=isinstance(op, ast.Or))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body) if _value(test) else _value(orelse)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return _comparison(left, ops, comparators)
    raise SubstitutionError(
        f"$(eval): {ast.unparse(node)!r} is more than skillet launch works out; use comparisons, "
        "and/or/not, if/else and + - * / // %"
    )


def _logic(values: list[ast.expr], *, stop_at: bool) -> Any:
    result: Any = None
    for value in values:
        result = _value(value)
        if bool(result) is stop_at:
            break
    return result


def _comparison(left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr]) -> bool:
    value = _value(left)
    for op, comparator in zip(ops, comparators, strict=True):
        if type(op) not in _COMPARE:
            raise SubstitutionError("$(eval): compare with == != < <= > >= or in, not with 'is'")
        other = _value(comparator)
        if not _COMPARE[type(op)](value, other):
            return False
        value = other
    return True
