"""A launch file as a tree of elements that know their line, checked against what Skillet can run.

Everything that `skillet launch` understands stands in the tables below. An element or attribute that is
not in them is refused by line, even where ``ros2 launch`` knows it: running a file while leaving a part
of it out would be a different system under the same name.
"""

from __future__ import annotations

import xml.parsers.expat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skillet_cli.launch.errors import LaunchError


@dataclass(frozen=True, eq=False)
class Element:
    """One XML element.

    Args:
        tag: its name.
        attributes: its attributes, as written.
        file: the file it stands in.
        line: the line it begins on, from 1.
        children: the elements inside it, in order.
    """

    tag: str
    attributes: Mapping[str, str]
    file: Path
    line: int
    children: list[Element] = field(default_factory=list)

    @property
    def where(self) -> str:
        """``file:line``, as error messages begin."""
        return f"{self.file}:{self.line}"

    def named(self, tag: str) -> list[Element]:
        """The children with this tag, in order."""
        return [child for child in self.children if child.tag == tag]


@dataclass(frozen=True)
class _Rule:
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    children: Mapping[str, _Rule] = field(default_factory=dict)


_IF = ("if", "unless")
_PAIR = _Rule(("name", "value"))
_PROCESS = ("cwd", "output", "respawn", "respawn_delay", "respawn_max_retries", "on_exit", "launch-prefix")

_PARAM_CHILDREN: dict[str, _Rule] = {}
_PARAM = _Rule((), ("name", "value", "type", "from"), _PARAM_CHILDREN)
_PARAM_CHILDREN["param"] = _PARAM

_ACTIONS: dict[str, _Rule] = {
    "arg": _Rule(("name",), ("default", "description", *_IF), {"choice": _Rule(("value",))}),
    "let": _Rule(("name", "value"), _IF),
    "include": _Rule(("file",), _IF, {"arg": _PAIR}),
    "node": _Rule(
        ("exec",),
        ("pkg", "name", "namespace", "exec_name", "args", "ros_args", *_PROCESS, *_IF),
        {"param": _PARAM, "remap": _Rule(("from", "to")), "env": _PAIR},
    ),
    "executable": _Rule(("cmd",), ("name", *_PROCESS, *_IF), {"env": _PAIR}),
    "set_env": _Rule(("name", "value"), _IF),
    "unset_env": _Rule(("name",), _IF),
    "push_ros_namespace": _Rule(("namespace",), _IF),
    "push-ros-namespace": _Rule(("namespace",), _IF),
}
_ACTIONS["group"] = _Rule((), ("scoped", *_IF), _ACTIONS)
_ROOT = {"launch": _Rule((), (), _ACTIONS)}


def read_document(path: Path) -> Element:
    """Read a launch file and check that all of it can be run.

    Raises:
        LaunchError: the file is missing, is not XML, or holds an element or attribute that is unknown,
            missing or out of place; the line is named and what would be valid is listed.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LaunchError(f"cannot read {path}: {error.strerror}") from error
    root = _parse(data, path)
    _check(root, _ROOT)
    return root


def _parse(data: bytes, path: Path) -> Element:
    parser = xml.parsers.expat.ParserCreate()
    top = Element("", {}, path, 0)
    stack = [top]

    def opened(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, path, parser.CurrentLineNumber)
        stack[-1].children.append(element)
        stack.append(element)

    def closed(_tag: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        if data.strip():
            raise LaunchError(
                f"{path}:{parser.CurrentLineNumber}: text {data.strip()!r} inside <{stack[-1].tag}>; "
                "a launch file says everything in attributes"
            )

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)  # noqa: FBT003 - expat takes "is final" by position
    except xml.parsers.expat.ExpatError as error:
        raise LaunchError(f"{path}:{error.lineno}: not well-formed XML: {error}") from error
    return top.children[0]


def _check(element: Element, allowed: Mapping[str, _Rule]) -> None:
    rule = allowed.get(element.tag)
    if rule is None:
        raise LaunchError(
            f"{element.where}: <{element.tag}> cannot be used here; valid: "
            + ", ".join(f"<{tag}>" for tag in sorted(allowed))
        )
    known = {*rule.required, *rule.optional}
    for name in element.attributes:
        if name not in known:
            raise LaunchError(
                f"{element.where}: <{element.tag}> has no attribute {name!r}; valid: "
                + (", ".join(sorted(known)) or "(none)")
            )
    for name in rule.required:
        if name not in element.attributes:
            raise LaunchError(f"{element.where}: <{element.tag}> needs the attribute {name!r}")
    if "if" in element.attributes and "unless" in element.attributes:
        raise LaunchError(f"{element.where}: <{element.tag}> has both 'if' and 'unless'; keep one")
    for child in element.children:
        _check(child, rule.children)
