"""A planner that needs no language model: a small grammar over the phrases of the scene's objects."""

from __future__ import annotations

from dataclasses import dataclass

from skillet_core.conditions import All, Condition, Grasped, Inside, Not
from skillet_core.scene import SceneState, TaskDescription
from skillet_core.task_tree import Node, SequenceNode, SkillNode, TaskTree
from skillet_planner.grammar import Clause, GoHome, ParseError, Pick, Transfer, parse
from skillet_planner.nouns import NounError, Nouns
from skillet_planner.planner import RefusalError

_MOVABLE, _CONTAINER = frozenset({"movable"}), frozenset({"container"})
_LONGEST = 500
"""Characters of a sentence; a longer one is not an instruction."""


@dataclass(frozen=True)
class OfflinePlanner:
    """Plans "put the X in the Y", "pick up the X", "go home", and several of these in a row.

    Attributes:
        attempts: how often a pick, and a pick with its place, is tried in all.
    """

    attempts: int = 3

    def plan(self, instruction: str, task: TaskDescription, scene: SceneState | None = None) -> TaskTree:
        """Plan a sentence; see `skillet_planner.planner.Planner`.

        The same sentence always gives the same tree; ``scene`` is not looked at.

        Raises:
            RefusalError: a word has no meaning here, a thing is missing or could be several.
        """
        del scene
        if len(instruction) > _LONGEST:
            said = f"The sentence has {len(instruction)} characters; I read at most {_LONGEST}."
            raise RefusalError(said, _known(task))
        try:
            clauses = parse(instruction)
        except ParseError as error:
            raise RefusalError(str(error), _known(task)) from error
        nouns, steps, before = Nouns(task), list[Node](), tuple[str, ...]()
        finals: dict[str, Condition] = {}
        for number, clause in enumerate(clauses):
            try:
                nodes, before = self._clause(clause, nouns, before, finals)
            except NounError as error:
                done = _understood(clauses[:number])
                raise RefusalError(
                    f"I understood {done}{_words(clause)!r}, but {error}.", _known(task)
                ) from error
            steps += nodes
        return TaskTree(instruction=instruction, root=_root(instruction, _merge(steps), finals))

    def _clause(
        self, clause: Clause, nouns: Nouns, before: tuple[str, ...], finals: dict[str, Condition]
    ) -> tuple[list[Node], tuple[str, ...]]:
        """Return a clause's nodes and the objects that it spoke of; note how they must end up."""
        match clause:
            case GoHome():
                return [SkillNode(skill="go_home", attempts=self.attempts)], before
            case Pick(things):
                objects = _objects(things, nouns, before)
                return [self._pick_clause(objects, nouns, finals)], objects
            case Transfer(things, target):
                objects = _objects(things, nouns, before)
                return self._transfer_clause(objects, target, nouns, finals), objects

    def _pick_clause(self, objects: tuple[str, ...], nouns: Nouns, finals: dict[str, Condition]) -> Node:
        if len(objects) > 1:
            raise NounError(f"the gripper holds one thing, not {nouns.listed(objects, 'and')}")
        _require_free(finals, nouns)
        finals[objects[0]] = Grasped(object=objects[0])
        return self._pick(objects[0])

    def _transfer_clause(
        self, objects: tuple[str, ...], target: str, nouns: Nouns, finals: dict[str, Condition]
    ) -> list[Node]:
        containers = nouns.resolve(target, _CONTAINER)
        if len(containers) > 1:
            raise NounError(f"{target!r} could be {nouns.listed(containers, 'or')}")
        _require_free(finals, nouns, but_for=objects[0])
        nodes: list[Node] = []
        for name in objects:
            finals[name] = _put(name, containers[0])
            nodes.append(self._transfer(name, containers[0]))
        return nodes

    def _pick(self, name: str) -> SkillNode:
        return SkillNode(
            skill="pick", arguments={"object": name}, success=Grasped(object=name), attempts=self.attempts
        )

    def _transfer(self, name: str, container: str) -> SequenceNode:
        """Pick and place, from the start again if the object was lost on the way."""
        success = _put(name, container)
        place = SkillNode(
            skill="place", arguments={"object": name, "target": container}, success=success, attempts=1
        )
        return SequenceNode(
            name=f"put {name} in {container}",
            children=(self._pick(name), place),
            success=success,
            attempts=self.attempts,
        )


def _put(name: str, container: str) -> All:
    return All(conditions=(Inside(object=name, container=container), Not(condition=Grasped(object=name))))


def _require_free(finals: dict[str, Condition], nouns: Nouns, but_for: str = "") -> None:
    for name, condition in finals.items():
        if isinstance(condition, Grasped) and name != but_for:
            raise NounError(f"the gripper still holds {nouns.listed((name,), 'and')}")


def _objects(things: tuple[str, ...], nouns: Nouns, before: tuple[str, ...]) -> tuple[str, ...]:
    names = [name for thing in things for name in nouns.resolve(thing, _MOVABLE, before)]
    return tuple(dict.fromkeys(names))


def _merge(steps: list[Node]) -> list[Node]:
    """Drop a pick whose object the next step picks anyway: "pick up the X and put it in the Y"."""
    kept = []
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(following, SequenceNode) and following.children[0] == step:
            continue
        kept.append(step)
    return kept


def _root(instruction: str, steps: list[Node], finals: dict[str, Condition]) -> Node:
    conditions: list[Condition] = []
    for condition in finals.values():
        # one flat list reads better than a conjunction of conjunctions
        conditions += condition.conditions if isinstance(condition, All) else [condition]
    success = All(conditions=tuple(conditions)) if conditions else None
    return SequenceNode(name=" ".join(instruction.split()), children=tuple(steps), success=success)


def _words(clause: Clause) -> str:
    match clause:
        case GoHome():
            return "go home"
        case Pick(things):
            return f"pick up {' and '.join(things)}"
        case Transfer(things, target):
            return f"put {' and '.join(things)} in {target}"


def _understood(clauses: tuple[Clause, ...]) -> str:
    return "".join(f"{_words(clause)!r}, then " for clause in clauses)


def _known(task: TaskDescription) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*task.instructions, "pick up the <thing>", "go home")))
