"""Message definitions as rosbag2 embeds them in a bag, read from the installed ``.msg`` files.

A bag that carries its definitions is readable anywhere, by tools that have never heard of Skillet.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from skillet_core.errors import UnknownNameError

_PRIMITIVES = frozenset(
    {"bool", "byte", "char", "float32", "float64", "string", "wstring"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
_RULE = "=" * 80


@dataclass(frozen=True)
class MessageDefinition:
    """A message type with everything that it is made of.

    Attributes:
        name: e.g. ``"sensor_msgs/msg/Image"``.
        text: the ``ros2msg`` schema: its definition, then each type that it needs behind a rule.
        digest: REP-2011 type hash, ``RIHS01_…``.
    """

    name: str
    text: str
    digest: str


def search_path() -> tuple[Path, ...]:
    """Return the prefixes of the installed packages: the sourced workspaces, then this environment."""
    prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    return tuple(Path(p) for p in dict.fromkeys([*prefixes, sys.prefix]))


def _read(name: str, prefixes: Sequence[Path]) -> str:
    package, _, message = name.split("/")
    for prefix in prefixes:
        path = prefix / "share" / package / "msg" / f"{message}.msg"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    known = {
        f"{package}/msg/{path.stem}"
        for prefix in prefixes
        for path in (prefix / "share" / package / "msg").glob("*.msg")
    }
    raise UnknownNameError("message type", name, known)


def _needed(text: str, package: str) -> Iterator[str]:
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        base = words[0].split("[", 1)[0].split("<=", 1)[0]
        if base in _PRIMITIVES:
            continue
        owner, _, message = base.rpartition("/")
        yield f"{owner.removesuffix('/msg') or package}/msg/{message}"


def message_definition(name: str, prefixes: Sequence[Path] | None = None) -> MessageDefinition:
    """Collect a message type's definition.

    Args:
        name: full name, e.g. ``"sensor_msgs/msg/Image"``.
        prefixes: where packages are installed; None: `search_path`.

    Raises:
        UnknownNameError: the type, or one that it needs, is not installed; lists its package's types.
    """
    where = search_path() if prefixes is None else tuple(prefixes)
    parts, done, queue = [_read(name, where).rstrip() + "\n"], {name}, [name]
    texts = {name: parts[0]}
    while queue:
        current = queue.pop(0)
        for needed in _needed(texts[current], current.split("/")[0]):
            if needed in done:
                continue
            done.add(needed)
            queue.append(needed)
            texts[needed] = _read(needed, where).rstrip() + "\n"
            parts.append(f"{_RULE}\nMSG: {needed.replace('/msg/', '/')}\n{texts[needed]}")
    text = "".join(parts)
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(text, name))
    return MessageDefinition(name, text, store.hash_rihs01(name))
