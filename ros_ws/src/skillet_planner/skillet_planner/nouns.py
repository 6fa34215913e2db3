"""From "the red block" to the object that it means, among those of the scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from skillet_core.scene import ObjectDescription, TaskDescription

_DETERMINERS = frozenset({"the", "a", "an", "my", "your", "this", "that", "these", "those", "of"})
_ALL = frozenset({"all", "every", "each", "both"})
_PAIR = 2
_PRONOUNS = frozenset({"it", "them"})


class NounError(Exception):
    """A noun phrase that names nothing, or several things; the message says which."""


@dataclass(frozen=True)
class Role:
    """What an object is wanted for.

    Attributes:
        need: in words, e.g. ``"something to move"``.
        fits: whether an object can be that.
    """

    need: str
    fits: Callable[[ObjectDescription], bool]


def _singular(word: str) -> str:
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


@dataclass(frozen=True)
class Nouns:
    """The objects of a scene by the phrases that people call them."""

    task: TaskDescription

    def resolve(self, phrase: str, role: Role, before: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Find the objects that a phrase means.

        Args:
            phrase: e.g. ``"all the blocks"``; words in lower case.
            role: what it is wanted for; "the block" is not ambiguous for a container.
            before: objects spoken of last, which "it" and "them" mean.

        Returns:
            Identifiers in the scene's order; several only for a plural or for "all".

        Raises:
            NounError: nothing, or more than one thing, is called that.
        """
        words = phrase.split()
        if len(words) == 1 and words[0] in _PRONOUNS:
            return self._pronoun(words[0], role, before)
        everything = any(word in _ALL for word in words)
        core = [word for word in words if word not in _DETERMINERS | _ALL]
        if not core:
            raise NounError(f"{phrase!r} does not name a thing")
        found, plural = self._matches(core, role.fits), False
        if not found:
            found = self._matches([*core[:-1], _singular(core[-1])], role.fits)
            plural = True
        if not found:
            raise NounError(self._nothing(phrase, core, role))
        if "both" in words and len(found) != _PAIR:
            raise NounError(f"{phrase!r} are {self.listed(found, 'and')}, which is not two")
        if len(found) > 1 and not (everything or plural):
            raise NounError(f"{phrase!r} could be {self.listed(found, 'or')}")
        return found

    def _pronoun(self, word: str, role: Role, before: tuple[str, ...]) -> tuple[str, ...]:
        if not before:
            raise NounError(f"{word!r} refers to nothing said before")
        meant = tuple(name for name in before if role.fits(self.task.objects[name]))
        if not meant:
            raise NounError(f"{word!r}, {self.listed(before, 'or')}, is not {role.need}")
        if word == "it" and len(meant) > 1:
            raise NounError(f"'it' could be {self.listed(meant, 'or')}")
        return meant

    def _matches(self, core: list[str], fits: Callable[[ObjectDescription], bool]) -> tuple[str, ...]:
        """Exact phrases first; else every object with a phrase that holds all the words."""
        objects = {name: o for name, o in self.task.objects.items() if fits(o)}
        split = {name: [p.lower().split() for p in o.phrases] for name, o in objects.items()}
        exact = tuple(name for name, phrases in split.items() if core in phrases)
        if exact:
            return exact
        return tuple(
            name for name, phrases in split.items() if any(set(core) <= set(words) for words in phrases)
        )

    def _nothing(self, phrase: str, core: list[str], role: Role) -> str:
        if self._matches(core, lambda other: not role.fits(other)):
            return f"{phrase!r} is not {role.need}"
        names = tuple(name for name, o in self.task.objects.items() if role.fits(o))
        return f"there is no {' '.join(core)!r} here, only {self.listed(names, 'and')}"

    def listed(self, names: tuple[str, ...], word: str) -> str:
        """Print objects by their first phrases: ``the red block or the blue block``."""
        phrases = [f"the {self.task.objects[name].phrases[0]}" for name in names] or ["nothing"]
        return f" {word} ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)
