"""``$(...)`` in a launch file: parsed once to a template, performed in a scope.

The grammar is that of ``launch``: arguments are separated by single spaces, one that holds spaces or
parentheses is quoted, a backslash takes the next character as it is, and substitutions nest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
    get_packages_with_prefixes,
)

from skillet_cli.launch.errors import SubstitutionError
from skillet_cli.launch.expression import evaluate
from skillet_core.errors import UnknownNameError


@dataclass(frozen=True)
class Call:
    """One ``$(name argument ...)``."""

    name: str
    arguments: tuple[Template, ...]


Template = tuple[str | Call, ...]
"""Plain text and substitutions, in order."""


@dataclass
class Scope:
    """What substitutions see and actions change.

    Args:
        configurations: values of launch arguments and ``<let>``, by name; the pushed namespace is the one
            called ``ros_namespace``, as in ``launch_ros``.
        environment: environment variables of the processes to come.
        file: the launch file being read.
    """

    configurations: dict[str, str]
    environment: dict[str, str]
    file: Path

    def nested(self) -> Scope:
        """A copy whose changes end with it, as ``<group>`` wants."""
        return Scope(dict(self.configurations), dict(self.environment), self.file)

    def in_file(self, file: Path) -> Scope:
        """The same scope, sharing every change, while another file is read."""
        return Scope(self.configurations, self.environment, file)


def parse(text: str) -> Template:
    """Parse text that may hold substitutions.

    Raises:
        SubstitutionError: a substitution is not closed, not well formed or has an unknown name.
    """
    return _Reader(text).template("")


def perform(template: Template, scope: Scope) -> str:
    """Work a template out to text.

    Raises:
        SubstitutionError: a variable, environment variable or package does not exist.
        UnknownNameError: the same, where the valid names can be listed.
    """
    return "".join(part if isinstance(part, str) else _call(part, scope) for part in template)


def has_calls(template: Template) -> bool:
    """Whether the template holds a substitution."""
    return any(isinstance(part, Call) for part in template)


class _Reader:
    """Recursive descent over the text; ``quote`` is the quote that is open around the place read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def template(self, quote: str) -> Template:
        parts: list[str | Call] = []
        while self._at < len(self._text) and not (quote and self._peek() == quote):
            if self._text.startswith("$(", self._at):
                parts.append(self._call(quote))
            else:
                _append(parts, self._character())
        return tuple(parts)

    def _call(self, quote: str) -> Call:
        begin = self._at
        self._at += 2
        name = self._name(begin)
        arguments: list[Template] = []
        while self._peek() == " ":
            self._at += 1
            arguments.append(self._argument(quote, begin))
        if self._peek() != ")":
            raise self._fault(begin)
        self._at += 1
        _check_call(name, len(arguments))
        return Call(name, tuple(arguments))

    def _name(self, begin: int) -> str:
        end = self._at
        while end < len(self._text) and (self._text[end].isalnum() or self._text[end] in "_-"):
            end += 1
        name, self._at = self._text[self._at : end], end
        if not name:
            raise self._fault(begin)
        return name

    def _argument(self, quote: str, begin: int) -> Template:
        if not quote and self._peek() and self._peek() in "'\"":
            opened = self._peek()
            self._at += 1
            value = self.template(opened)
            if self._peek() != opened:
                raise self._fault(begin)
            self._at += 1
            return value
        closing = {" ", ")", "(", "", *([quote] if quote else "'\"")}
        parts: list[str | Call] = []
        while self._peek() not in closing:
            if self._text.startswith("$(", self._at):
                parts.append(self._call(quote))
            else:
                _append(parts, self._character())
        if not parts:
            raise self._fault(begin)
        return tuple(parts)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _character(self) -> str:
        if self._peek() == "\\" and self._at + 1 < len(self._text):
            self._at += 1
        self._at += 1
        return self._text[self._at - 1]

    def _fault(self, begin: int) -> SubstitutionError:
        return SubstitutionError(
            f"{self._text[begin:]!r} is not a well-formed substitution: $(name argument ...), single spaces "
            "between, quotes around an argument with spaces or parentheses"
        )


def _append(parts: list[str | Call], character: str) -> None:
    if parts and isinstance(parts[-1], str):
        parts[-1] += character
    else:
        parts.append(character)


def _var(scope: Scope, name: str, default: str | None = None) -> str:
    value = scope.configurations.get(name, default)
    if value is None:
        raise UnknownNameError("launch variable", name, scope.configurations)
    return value


def _env(scope: Scope, name: str, default: str | None = None) -> str:
    value = scope.environment.get(name, default)
    if value is None:
        raise SubstitutionError(
            f"environment variable {name!r} is not set; set it, or give a default: $(env {name} DEFAULT)"
        )
    return value


def package_prefix(package: str) -> Path:
    """Return the prefix a ROS package is installed in.

    Raises:
        UnknownNameError: there is no such package in the sourced workspaces.
    """
    try:
        return Path(get_package_prefix(package))
    except (PackageNotFoundError, ValueError) as error:
        known = [name for name in get_packages_with_prefixes() if name.startswith(package[:3])]
        raise UnknownNameError(
            "ROS package (is the workspace built and sourced?)",
            package,
            known or get_packages_with_prefixes(),
        ) from error


def _share(_scope: Scope, package: str) -> str:
    package_prefix(package)
    return str(get_package_share_directory(package))


def _truth(text: str) -> bool:
    value = {"1": True, "true": True, "0": False, "false": False}.get(text.strip().lower())
    if value is None:
        raise SubstitutionError(f"{text!r} is not a truth value; valid: true, false, 1, 0")
    return value


def _equal(left: str, right: str) -> bool:
    truths = {"true": True, "1": True, "false": False, "0": False}
    if left.lower() in truths and right.lower() in truths:
        return truths[left.lower()] is truths[right.lower()]
    try:
        return math.isclose(float(left), float(right))
    except ValueError:
        return left == right


def _text(value: bool) -> str:  # noqa: FBT001 - a converter's one argument
    return "true" if value else "false"


_FUNCTIONS: Mapping[str, tuple[Callable[..., str], int, int]] = {
    "var": (_var, 1, 2),
    "env": (_env, 1, 2),
    "find-pkg-share": (_share, 1, 1),
    "find-pkg-prefix": (lambda _scope, package: str(package_prefix(package)), 1, 1),
    "dirname": (lambda scope: str(scope.file.parent), 0, 0),
    "filename": (lambda scope: str(scope.file), 0, 0),
    "eval": (lambda _scope, text: evaluate(text), 1, 1),
    "equals": (lambda _scope, left, right: _text(_equal(left, right)), 2, 2),
    "not-equals": (lambda _scope, left, right: _text(not _equal(left, right)), 2, 2),
    "not": (lambda _scope, value: _text(not _truth(value)), 1, 1),
    "and": (lambda _scope, left, right: _text(_truth(left) and _truth(right)), 2, 2),
    "or": (lambda _scope, left, right: _text(_truth(left) or _truth(right)), 2, 2),
}


def _check_call(name: str, count: int) -> None:
    if name not in _FUNCTIONS:
        raise UnknownNameError("substitution", name, _FUNCTIONS)
    _, least, most = _FUNCTIONS[name]
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise SubstitutionError(f"$({name}) takes {wanted} argument(s), not {count}")


def _call(call: Call, scope: Scope) -> str:
    function = _FUNCTIONS[call.name][0]
    return function(scope, *(perform(argument, scope) for argument in call.arguments))


def truth(text: str) -> bool:
    """Read a condition: ``true``, ``1``, ``false`` or ``0`` in any case.

    Raises:
        SubstitutionError: it is something else.
    """
    return _truth(text)
