"""Parameter values: the ROS type that a launch file's text stands for.

The rules are those of ``launch_ros``: without a ``type``, YAML decides (``5`` int, ``5.0`` double, ``true``
bool, else string), before substitutions for what is plain and after them for what is substituted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import yaml

from skillet_cli.launch.errors import SubstitutionError

Scalar = bool | int | float | str
Value = Scalar | list[Scalar]
Expand = Callable[[str], tuple[str, bool]]
"""Performs the substitutions in a text: the result, and whether there were any."""

_SCALARS: dict[str, type[Scalar]] = {"bool": bool, "int": int, "float": float, "str": str}
TYPES = (*_SCALARS, *(f"list_of_{name}" for name in _SCALARS), "yaml")
"""What a ``type`` attribute may say."""


def parameter_value(text: str, kind: str, expand: Expand) -> Value:
    """Return the value of a ``<param>``.

    Args:
        text: its ``value`` attribute, as written.
        kind: its ``type`` attribute, one of `TYPES`; ``yaml`` where it has none.
        expand: performs substitutions.

    Raises:
        SubstitutionError: the text does not have that type, is neither a scalar nor a list of scalars of
            one type, or a substitution fails.
    """
    if kind not in TYPES:
        raise SubstitutionError(f"unknown parameter type {kind!r}; valid: {', '.join(TYPES)}")
    plain = _convert(text, kind, loose=True)
    if not isinstance(plain, list):
        return _resolve(plain, kind, expand)
    items: list[Scalar] = []
    for item in plain:
        resolved = _resolve(item, _item_kind(kind), expand)
        if isinstance(resolved, list):
            raise SubstitutionError(f"{text!r}: an item of a list cannot be a list")
        items.append(resolved)
    if len({type(item) for item in items}) > 1:
        raise SubstitutionError(f"{text!r}: the items of a list must have one type")
    return items


def _resolve(value: Scalar, kind: str, expand: Expand) -> Value:
    if not isinstance(value, str):
        return value
    result, substituted = expand(value)
    if substituted:
        return _convert(result, kind, loose=False)
    if kind not in ("str", "yaml"):
        raise SubstitutionError(f"{value!r} is not of type {kind}")
    return result


def _item_kind(kind: str) -> str:
    return kind.removeprefix("list_of_")


def _convert(text: str, kind: str, *, loose: bool) -> Value:
    """Convert text to its type; loose lets text stand that substitutions may yet turn into it."""
    if kind == "str":
        return text
    if kind in ("int", "float"):
        try:
            return _SCALARS[kind](text)
        except ValueError as error:
            if loose:
                return text
            raise SubstitutionError(f"{text!r} is not of type {kind}") from error
    if kind == "yaml":
        return _by_yaml(text, loose=loose)
    value = _by_yaml({"1": "true", "0": "false"}.get(text, text) if kind == "bool" else text, loose=loose)
    if not _fits(value, kind, loose=loose):
        raise SubstitutionError(f"{text!r} is not of type {kind}")
    return value


def _fits(value: Value, kind: str, *, loose: bool) -> bool:
    def right(item: object) -> bool:
        return type(item) is _SCALARS[_item_kind(kind)] or (loose and isinstance(item, str))

    if kind.startswith("list_of_"):
        return isinstance(value, list) and all(right(item) for item in value)
    return right(value)


def _by_yaml(text: str, *, loose: bool) -> Value:
    if not text:
        return text
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        if loose:
            return text
        raise SubstitutionError(f'{text!r} is not YAML ({error}); for a text say type="str"') from error
    kinds = {type(item) for item in value} if isinstance(value, list) else {type(value)}
    if isinstance(value, list) and loose:
        kinds -= {str}
    if len(kinds) <= 1 and kinds <= set(_SCALARS.values()):
        return cast("Value", value)
    raise SubstitutionError(
        f'{text!r} is neither a bool, int, float or text nor a list of one of them; for a text say type="str"'
    )
