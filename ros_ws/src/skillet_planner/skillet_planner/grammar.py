"""The words of the offline planner: sentence → clauses of noun phrases, every word accounted for.

::

    sentence   = [politeness] clause { connector clause } [politeness]
    clause     = transfer | pick | work | home
    transfer   = ("put" | "place" | …) things ("in" | "on" | "to" | …) thing
    pick       = ("pick up" | "grasp" | …) things        also "pick <things> up"
    work       = ("open" | "close" | "press" | …) things also "pull <things> out", "push <things> shut"
    home       = ("go" | "return" | …) ["back"] ["to"] ["the"] ("home" | …)
    things     = thing { ("," | "and") thing }

A word that has no place in it makes the parse fail: "do not put …" must not become "put …".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Relation = Literal["in", "on", "to"]
Action = Literal["open", "close", "press"]

_TRANSFER = frozenset({"put", "place", "move", "drop", "set", "transfer", "bring", "deposit"})
_PICK = (("pick", "up"), ("grasp",), ("grab",), ("lift",), ("take",), ("pick",))
_RELATIONS: dict[tuple[str, ...], Relation] = {
    ("in", "to"): "in",
    ("into",): "in",
    ("inside", "of"): "in",
    ("inside",): "in",
    ("in",): "in",
    ("on", "top", "of"): "on",
    ("on", "to"): "on",
    ("onto",): "on",
    ("on",): "on",
    ("to",): "to",
}
_WORK: dict[str, Action] = {
    "open": "open",
    "close": "close",
    "shut": "close",
    "press": "press",
    "push": "press",
}
_SHIFT = frozenset({"pull", "push", "slide", "swing"})
_PARTICLES: dict[str, Action] = {
    "open": "open",
    "out": "open",
    "closed": "close",
    "shut": "close",
    "in": "close",
}
_GO = frozenset({"go", "return", "move", "drive", "come"})
_HOME = (("home", "position"), ("home", "pose"), ("home",))
_POLITE = (("please",), ("can", "you"), ("could", "you"), ("would", "you"), ("robot",), ("now",), ("kindly",))
_THANKS = (("please",), ("thank", "you"), ("thanks",), ("now",), ("robot",))
_CONNECTORS = frozenset({"and", "then", "afterwards", "next", ",", ";", "."})
_VERBS = _TRANSFER | _GO | {"home"} | {words[0] for words in _PICK} | _WORK.keys() | _SHIFT


@dataclass(frozen=True)
class Transfer:
    """Bring things into a container or onto something."""

    things: tuple[str, ...]
    relation: Relation
    target: str


@dataclass(frozen=True)
class Pick:
    """Take things into the gripper."""

    things: tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """Open or close things that move on a joint, or press buttons."""

    action: Action
    things: tuple[str, ...]


@dataclass(frozen=True)
class GoHome:
    """Move the arm to its rest."""


Clause = Transfer | Pick | Work | GoHome


class ParseError(Exception):
    """A sentence outside the grammar; the message says where it left it."""


def parse(sentence: str) -> tuple[Clause, ...]:
    """Parse a sentence.

    Raises:
        ParseError: with what was understood and what was not.
    """
    words = _strip(_words(sentence))
    if not words:
        raise ParseError("The sentence has no words.")
    return tuple(_clause(clause) for clause in _clauses(words))


def _words(sentence: str) -> list[str]:
    text = sentence.lower().replace("\u2019", "'")
    strange = sorted(set(re.findall(r"[^a-z0-9\s,;.!?'\"_-]", text)))
    if strange:
        raise ParseError(f"I do not read the signs {' '.join(strange)}.")
    return re.findall(r"[a-z0-9']+|[,;.]", re.sub(r"[_\"!?-]", " ", text))


def _starts(words: list[str], phrases: Iterable[tuple[str, ...]]) -> int:
    return next((len(p) for p in phrases if tuple(words[: len(p)]) == p), 0)


def _strip(words: list[str]) -> list[str]:
    while words and (words[0] in {",", ";", "."} or _starts(words, _POLITE)):
        words = words[max(1, _starts(words, _POLITE)) :]
    while words:
        if words[-1] in {",", ";", "."}:
            words = words[:-1]
        elif count := next((len(p) for p in _THANKS if tuple(words[-len(p) :]) == p), 0):
            words = words[:-count]
        else:
            break
    return words


def _clauses(words: list[str]) -> list[list[str]]:
    """Split before a verb that follows a connector; other connectors join the things of a list."""
    clauses: list[list[str]] = [[]]
    k = 0
    while k < len(words):
        after = k
        while after < len(words) and words[after] in _CONNECTORS:
            after += 1
        if after > k and after < len(words) and words[after] in _VERBS and clauses[-1]:
            clauses.append([])
            k = after
        else:
            clauses[-1].append(words[k])
            k += 1
    return clauses


def _clause(words: list[str]) -> Clause:
    text = " ".join(words)
    if _is_home(words):
        return GoHome()
    if words[0] in _TRANSFER:
        return _transfer(words)
    if count := _starts(words, _PICK):
        rest = words[count:]
        if words[0] == "pick" and count == 1:
            if rest[-1:] != ["up"]:
                raise ParseError(f"I understood 'pick', but not {text!r}; did you mean 'pick up …'?")
            rest = rest[:-1]
        if rest:
            return Pick(_things(rest))
        raise ParseError(f"I understood {' '.join(words[:count])!r}, but not what to take.")
    if words[0] in _WORK.keys() | _SHIFT:
        return _work(words)
    if words[0] in _GO:
        raise ParseError(f"I understood {words[0]!r}, but I can only go home, not {text!r}.")
    known = sorted(_VERBS - {"home"})
    raise ParseError(f"In {text!r} I know no action {words[0]!r}; I know {', '.join(known)}.")


def _transfer(words: list[str]) -> Transfer:
    for k in range(1, len(words)):
        if count := _starts(words[k:], _RELATIONS):
            things, target = words[1:k], words[k + count :]
            if things and target:
                return Transfer(_things(things), _RELATIONS[tuple(words[k : k + count])], " ".join(target))
    text = " ".join(words)
    raise ParseError(f"I understood {words[0]!r}, but in {text!r} not what to put into what.")


def _work(words: list[str]) -> Work:
    """Parse "open the drawer", and "pull the drawer out" or "pull out the drawer"."""
    verb, rest = words[0], words[1:]
    action = _WORK.get(verb)
    if verb in _SHIFT and rest:
        if rest[-1] in _PARTICLES:
            action, rest = _PARTICLES[rest[-1]], rest[:-1]
        elif rest[0] in _PARTICLES:
            action, rest = _PARTICLES[rest[0]], rest[1:]
    if action is None:
        raise ParseError(f"I understood {verb!r}, but not where to; I know 'open', 'out', 'shut' and 'in'.")
    if not rest:
        raise ParseError(f"I understood {' '.join(words)!r}, but not what to {action}.")
    return Work(action, _things(rest))


def _is_home(words: list[str]) -> bool:
    rest = words
    if rest[0] in _GO:
        rest = rest[1:]
        for optional in ("back", "to", "the", "your"):
            if rest[:1] == [optional]:
                rest = rest[1:]
    return tuple(rest) in _HOME


def _things(words: list[str]) -> tuple[str, ...]:
    things = [part.strip() for part in re.split(r"\s(?:and|then)\s|\s?,\s?(?:and\s)?", " ".join(words))]
    if not all(things):
        raise ParseError(f"I cannot make out a list of things in {' '.join(words)!r}.")
    return tuple(things)
