"""What single attributes and children of an element say, each error with its file, line and attribute."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skillet_cli.launch.description import ParameterTree, Respawn
from skillet_cli.launch.document import Element
from skillet_cli.launch.errors import LaunchError, SubstitutionError
from skillet_cli.launch.substitution import Scope, has_calls, package_prefix, parse, perform, truth
from skillet_cli.launch.values import Value, parameter_value
from skillet_core.errors import SkilletError, UnknownNameError

_OUTPUTS = {"screen": True, "both": True, "full": True, "log": False, "own_log": False}
"""The values of ``output``, and whether standard output is shown."""


@contextmanager
def located(element: Element, attribute: str) -> Iterator[None]:
    """Give an error that is raised inside its file, line and attribute.

    Raises:
        LaunchError: from any error about a substitution, name or value.
    """
    try:
        yield
    except LaunchError:
        raise
    except SkilletError as error:
        raise LaunchError(f"{element.where}: {attribute} of <{element.tag}>: {error}") from error


def text(element: Element, attribute: str, scope: Scope) -> str:
    """An attribute with its substitutions performed."""
    with located(element, attribute):
        return perform(parse(element.attributes[attribute]), scope)


def optional(element: Element, attribute: str, scope: Scope) -> str | None:
    """An attribute with its substitutions performed, ``None`` where it is not given."""
    return text(element, attribute, scope) if attribute in element.attributes else None


def condition(element: Element, scope: Scope) -> bool:
    """Whether the element's ``if`` or ``unless`` lets it be visited."""
    for name, wanted in (("if", True), ("unless", False)):
        if name in element.attributes:
            value = text(element, name, scope)
            with located(element, name):
                return truth(value) is wanted
    return True


def words(element: Element, attribute: str, scope: Scope) -> list[str]:
    """An attribute as words of a command line.

    Text is split as a shell would; what a substitution gives is never split.
    """
    if attribute not in element.attributes:
        return []
    done: list[str] = []
    current: list[str] = []

    def end_word() -> None:
        if current:
            done.append("".join(current))
            current.clear()

    with located(element, attribute):
        for part in parse(element.attributes[attribute]):
            if not isinstance(part, str):
                current.append(perform((part,), scope))
                continue
            if part[0].isspace():
                end_word()
            for number, token in enumerate(_shell_words(part)):
                if number:
                    end_word()
                current.append(token)
            if part[-1].isspace():
                end_word()
    end_word()
    return done


def _shell_words(part: str) -> list[str]:
    try:
        return shlex.split(part)
    except ValueError as error:
        raise SubstitutionError(f"{part!r} cannot be split into words: {error}") from error


def namespace(base: str | None, given: str | None, element: Element) -> str | None:
    """Join a pushed and a given namespace: absolute, or ``None`` where there is neither.

    Raises:
        LaunchError: it is not a namespace.
    """
    if given is None:
        joined = base
    elif not base or given.startswith("/"):
        joined = given
    else:
        joined = f"{base.rstrip('/')}/{given}"
    if joined is None:
        return None
    absolute = joined if joined.startswith("/") else f"/{joined}"
    absolute = absolute.rstrip("/") or "/"
    if not re.fullmatch(r"/|(/[A-Za-z_][A-Za-z0-9_]*)+", absolute):
        raise LaunchError(
            f"{element.where}: {absolute!r} is not a namespace: words of letters, digits and _, no digit "
            "first, joined by /"
        )
    return absolute


def node_name(element: Element, scope: Scope) -> str | None:
    """The ``name`` of a node.

    Raises:
        LaunchError: ROS does not allow it.
    """
    name = optional(element, "name", scope)
    if name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise LaunchError(
            f"{element.where}: {name!r} is not a node name: letters, digits and _, no digit first"
        )
    return name


def parameters(element: Element, scope: Scope) -> Path | ParameterTree:
    """A ``<param>``: a file, or one name with a value or with names inside it.

    Raises:
        LaunchError: it says too much, too little, or its value has the wrong type.
    """
    if "from" in element.attributes:
        if len(element.attributes) > 1 or element.children:
            raise LaunchError(f"{element.where}: a <param> with 'from' has nothing else")
        path = Path(text(element, "from", scope))
        if not path.is_file():
            raise LaunchError(f"{element.where}: there is no parameter file {path}")
        return path
    if "name" not in element.attributes:
        raise LaunchError(f"{element.where}: <param> needs 'name' and 'value', or 'from' for a file")
    return {text(element, "name", scope): _parameter(element, scope)}


def _parameter(element: Element, scope: Scope) -> Value | ParameterTree:
    if element.children:
        if {"value", "type"} & element.attributes.keys():
            raise LaunchError(f"{element.where}: a <param> has either a value or <param>s inside it")
        tree: dict[str, Value | ParameterTree] = {}
        for child in element.children:
            inner = parameters(child, scope)
            if isinstance(inner, Path):
                raise LaunchError(f"{child.where}: a <param> with 'from' cannot stand inside another")
            tree.update(inner)
        return tree
    if "value" not in element.attributes:
        raise LaunchError(f"{element.where}: <param> needs a value or <param>s inside it")

    def expand(value: str) -> tuple[str, bool]:
        template = parse(value)
        return perform(template, scope), has_calls(template)

    with located(element, "value"):
        return parameter_value(element.attributes["value"], element.attributes.get("type", "yaml"), expand)


def respawn(element: Element, scope: Scope) -> Respawn:
    """What the element says about starting its process again.

    Raises:
        LaunchError: a value is not of its kind.
    """
    enabled = optional(element, "respawn", scope)
    with located(element, "respawn"):
        again = enabled is not None and truth(enabled)
    delay = _number(element, "respawn_delay", 0.0)
    if delay < 0:
        raise LaunchError(f"{element.where}: respawn_delay is {delay} s; it cannot be negative")
    return Respawn(again, delay, int(_number(element, "respawn_max_retries", -1)))


def _number(element: Element, attribute: str, default: float) -> float:
    value = element.attributes.get(attribute)
    if value is None:
        return default
    try:
        return float(value)
    except ValueError as error:
        raise LaunchError(f"{element.where}: {attribute}={value!r} is not a number") from error


def ends_all(element: Element) -> bool:
    """Whether the end of the process ends the launch.

    Raises:
        LaunchError: ``on_exit`` is not ``shutdown``.
    """
    value = element.attributes.get("on_exit")
    if value not in (None, "shutdown"):
        raise LaunchError(f"{element.where}: on_exit={value!r}; valid: 'shutdown'")
    return value is not None


def to_terminal(element: Element, scope: Scope) -> bool:
    """Whether ``output`` shows standard output.

    Raises:
        LaunchError: it has another value than ROS 2 knows.
    """
    value = optional(element, "output", scope) or "log"
    if value not in _OUTPUTS:
        raise LaunchError(f"{element.where}: output={value!r}; valid: {', '.join(_OUTPUTS)}")
    return _OUTPUTS[value]


def executable(package: str, name: str, element: Element) -> str:
    """The path of a package's executable.

    Raises:
        LaunchError: the package or the executable does not exist.
    """
    with located(element, "pkg"):
        folder = package_prefix(package) / "lib" / package
    if not (folder / name).is_file():
        valid = sorted(path.name for path in folder.glob("*") if path.is_file())
        error = UnknownNameError(f"executable of the package {package}", name, valid)
        raise LaunchError(f"{element.where}: {error}") from error
    return str(folder / name)
