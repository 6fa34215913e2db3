"""The arguments that launch files declare, and whether those given are among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skillet_cli.launch.document import Element, read_document
from skillet_cli.launch.errors import LaunchError
from skillet_cli.launch.substitution import Scope, parse, perform
from skillet_core.errors import SkilletError


@dataclass(frozen=True)
class DeclaredArgument:
    """One ``<arg>``.

    Args:
        name: its name.
        default: its default as written, substitutions and all; ``None`` where a value must be given.
        description: one sentence.
        choices: the values allowed; empty where any is.
    """

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...]

    def __str__(self) -> str:
        """Two lines: name and default, then the description."""
        default = "required" if self.default is None else f"default {self.default!r}"
        choices = f" [{', '.join(self.choices)}]" if self.choices else ""
        return f"  {self.name}  ({default}){choices}\n      {self.description}"


def parse_given(words: Iterable[str]) -> dict[str, str]:
    """Read ``name:=value`` words; the last one wins.

    Raises:
        LaunchError: a word has another form.
    """
    given = {}
    for word in words:
        match = re.fullmatch(r"([^:=\s]+):=(.*)", word, re.DOTALL)
        if match is None:
            raise LaunchError(f"{word!r} is not a launch argument; write name:=value")
        given[match[1]] = match[2]
    return given


def declaration(element: Element) -> DeclaredArgument:
    """Read an ``<arg>`` element."""
    choices = tuple(_plain(child, "value") for child in element.named("choice"))
    description = element.attributes.get("description")
    return DeclaredArgument(
        _plain(element, "name"),
        element.attributes.get("default"),
        "no description" if description is None else _unescaped(description),
        choices,
    )


def declared_arguments(path: Path, environment: Mapping[str, str]) -> list[DeclaredArgument]:
    """List what a launch file and the files it includes declare, in order, each name once.

    An include whose path depends on an argument without a default is left out: it cannot be known yet.
    """
    found: dict[str, DeclaredArgument] = {}
    scope = Scope({}, dict(environment), path)
    for argument in _walk(read_document(path), scope, (path,)):
        found.setdefault(argument.name, argument)
    return list(found.values())


def refuse_unknown(given: Iterable[str], declared: Sequence[DeclaredArgument], path: Path) -> None:
    """Check the names of given arguments.

    Raises:
        LaunchError: one is not declared; every declared one is listed with its description.
    """
    valid = {argument.name for argument in declared}
    unknown = [name for name in given if name not in valid]
    if unknown:
        names = ", ".join(map(repr, unknown))
        listed = "\n".join(map(str, declared)) or "  (none)"
        raise LaunchError(f"{path.name} has no argument {names}. Valid:\n{listed}")


def _walk(element: Element, scope: Scope, including: tuple[Path, ...]) -> Iterator[DeclaredArgument]:
    for child in element.children:
        if child.tag == "arg":
            argument = declaration(child)
            if argument.default is not None and argument.name not in scope.configurations:
                _remember(argument.name, argument.default, scope)
            yield argument
        elif child.tag == "group":
            yield from _walk(child, scope.nested(), including)
        elif child.tag == "include":
            yield from _included(child, scope, including)


def _included(element: Element, scope: Scope, including: tuple[Path, ...]) -> Iterator[DeclaredArgument]:
    try:
        path = Path(perform(parse(element.attributes["file"]), scope))
        root = read_document(path)
    except SkilletError:
        return  # the path needs a value that is not given yet, or the file is wrong: reading it will say so
    if path in including:
        return  # reading it will say that it includes itself
    fixed = {child.attributes["name"] for child in element.named("arg")}
    for argument in _walk(root, scope.nested().in_file(path), (*including, path)):
        if argument.name not in fixed:
            yield argument


def _remember(name: str, default: str, scope: Scope) -> None:
    try:
        scope.configurations[name] = perform(parse(default), scope)
    except SkilletError:
        scope.configurations.pop(name, None)  # known only once a value is given


def _plain(element: Element, attribute: str) -> str:
    return _unescaped(element.attributes[attribute])


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
