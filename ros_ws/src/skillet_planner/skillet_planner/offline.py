"""A planner that needs no language model: a small grammar over the phrases of the scene's objects."""

from __future__ import annotations

from dataclasses import dataclass, field

from skillet_core.conditions import All, Closed, Condition, Grasped, Inside, Not, OnTopOf, Opened
from skillet_core.evaluation import CLOSED_SHARE, OPENED_SHARE, open_share
from skillet_core.scene import SceneState, TaskDescription
from skillet_core.task_tree import Node, SequenceNode, SkillNode, TaskTree
from skillet_planner.grammar import Action, Clause, GoHome, ParseError, Pick, Transfer, Work, parse
from skillet_planner.nouns import NounError, Nouns, Role
from skillet_planner.planner import RefusalError

_MOVABLE = Role("something to move", lambda thing: thing.kind == "movable")
_CONTAINER = Role("something to put things in", lambda thing: thing.kind == "container")
_SUPPORT = Role("something to put things on", lambda thing: thing.kind in {"surface", "movable", "fixture"})
_PLACE = Role("somewhere to put things", lambda thing: thing.kind in {"container", "surface"})
_TARGETS = {"in": _CONTAINER, "on": _SUPPORT, "to": _PLACE}
_JOINTED = Role(
    "something to open or close",
    lambda thing: thing.articulation is not None and thing.kind != "button",
)
_BUTTON = Role("something to press", lambda thing: thing.kind == "button")
_WORKED: dict[Action, Role] = {"open": _JOINTED, "close": _JOINTED, "press": _BUTTON}
_LONGEST = 500
"""Characters of a sentence; a longer one is not an instruction."""


@dataclass(frozen=True)
class OfflinePlanner:
    """Plans "put the X in the Y", "pick up the X", "open the Z", "go home", and several in a row.

    Attributes:
        attempts: how often a skill, and a grasp with its placement, is tried in all.
    """

    attempts: int = 3

    def plan(self, instruction: str, task: TaskDescription, scene: SceneState | None = None) -> TaskTree:
        """Plan a sentence; see `skillet_planner.planner.Planner`.

        The same sentence always gives the same tree, but for drawers: what is put into one that the
        scene does not show open is preceded by opening it, and followed by closing it where the scene
        shows it closed.

        Raises:
            RefusalError: a word has no meaning here, a thing is missing or could be several.
        """
        if len(instruction) > _LONGEST:
            said = f"The sentence has {len(instruction)} characters; I read at most {_LONGEST}."
            raise RefusalError(said, _known(task))
        try:
            clauses = parse(instruction)
        except ParseError as error:
            raise RefusalError(str(error), _known(task)) from error
        draft = _Draft(task, self.attempts, _shares(task, scene))
        for number, clause in enumerate(clauses):
            try:
                draft.add(clause)
            except NounError as error:
                done = _understood(clauses[:number])
                raise RefusalError(
                    f"I understood {done}{_words(clause)!r}, but {error}.", _known(task)
                ) from error
        return TaskTree(instruction=instruction, root=draft.root(instruction))


@dataclass
class _Draft:
    """A tree that grows clause by clause.

    Attributes:
        task: describes the objects.
        attempts: of a skill.
        shares: how far open what moves on a joint will be by then, 0 to 1, where that is known.
        before: objects that the last clause spoke of.
        steps: what has been planned.
        finals: how objects must end up.
    """

    task: TaskDescription
    attempts: int
    shares: dict[str, float]
    before: tuple[str, ...] = ()
    steps: list[Node] = field(default_factory=list)
    finals: dict[str, Condition] = field(default_factory=dict)

    def add(self, clause: Clause) -> None:
        """Add a clause's steps.

        Raises:
            NounError: a thing is missing, could be several, or cannot be what it is wanted for.
        """
        match clause:
            case GoHome():
                self.steps.append(SkillNode(skill="go_home", attempts=self.attempts))
            case Pick(things):
                self._pick(self._resolve(things, _MOVABLE))
            case Work(action, things):
                self._work(action, self._resolve(things, _WORKED[action]))
            case Transfer():
                self._transfer(clause)

    def root(self, instruction: str) -> Node:
        """Return the whole tree."""
        conditions: list[Condition] = []
        for condition in self.finals.values():
            # one flat list reads better than a conjunction of conjunctions
            conditions += condition.conditions if isinstance(condition, All) else [condition]
        success = All(conditions=tuple(conditions)) if conditions else None
        name = " ".join(instruction.split())
        return SequenceNode(name=name, children=tuple(_merge(self.steps)), success=success)

    @property
    def _nouns(self) -> Nouns:
        return Nouns(self.task)

    def _resolve(self, things: tuple[str, ...], role: Role) -> tuple[str, ...]:
        names = [name for thing in things for name in self._nouns.resolve(thing, role, self.before)]
        return tuple(dict.fromkeys(names))

    def _pick(self, objects: tuple[str, ...]) -> None:
        if len(objects) > 1:
            raise NounError(f"the gripper holds one thing, not {self._nouns.listed(objects, 'and')}")
        self._require_free()
        self.finals[objects[0]] = Grasped(object=objects[0])
        self.steps.append(self._grasp(objects[0]))
        self.before = objects

    def _work(self, action: Action, objects: tuple[str, ...]) -> None:
        self._require_free()
        for name in objects:
            self._do(action, name)
        self.before = objects

    def _do(self, action: Action, name: str) -> None:
        """Open, close or press one thing."""
        success: Condition | None = None
        if action != "press":
            opening = action == "open"
            success = Opened(object=name) if opening else Closed(object=name)
            self.shares[name], self.finals[name] = float(opening), success
        step = SkillNode(skill=action, arguments={"object": name}, success=success, attempts=self.attempts)
        self.steps.append(step)

    def _transfer(self, clause: Transfer) -> None:
        objects = self._resolve(clause.things, _MOVABLE)
        targets = self._resolve((clause.target,), _TARGETS[clause.relation])
        if len(targets) > 1:
            raise NounError(f"{clause.target!r} could be {self._nouns.listed(targets, 'or')}")
        target = targets[0]
        if target in objects:
            raise NounError(f"{self._nouns.listed(targets, 'and')} cannot be put on itself")
        self._require_free(but_for=objects[0])
        share = self.shares.get(target)
        if self.task.objects[target].articulation and (share is None or share < OPENED_SHARE):
            self._do("open", target)
        for name in objects:
            self.finals[name] = self._put(name, target)
            self.steps.append(self._grasp_and_place(name, target))
        if share is not None and share <= CLOSED_SHARE:
            self._do("close", target)
        self.before = (*objects, target)

    def _put(self, name: str, target: str) -> All:
        held = Not(condition=Grasped(object=name))
        if self.task.objects[target].kind == "container":
            return All(conditions=(Inside(object=name, container=target), held))
        return All(conditions=(OnTopOf(object=name, support=target), held))

    def _grasp(self, name: str, **target: str) -> SkillNode:
        arguments: dict[str, str | float | bool] = {"object": name, **target}
        success = Grasped(object=name)
        return SkillNode(skill="grasp", arguments=arguments, success=success, attempts=self.attempts)

    def _grasp_and_place(self, name: str, target: str) -> SequenceNode:
        """Grasp and place, from the start again if the object was lost on the way."""
        success, inside = self._put(name, target), self.task.objects[target].kind == "container"
        arguments: dict[str, str | float | bool] = {"object": name, "target": target}
        skill, word = ("place_in", "in") if inside else ("place_on", "on")
        place = SkillNode(skill=skill, arguments=arguments, success=success, attempts=1)
        return SequenceNode(
            name=f"put {name} {word} {target}",
            children=(self._grasp(name, target=target), place),
            success=success,
            attempts=self.attempts,
        )

    def _require_free(self, but_for: str = "") -> None:
        for name, condition in self.finals.items():
            if isinstance(condition, Grasped) and name != but_for:
                raise NounError(f"the gripper still holds {self._nouns.listed((name,), 'and')}")


def _shares(task: TaskDescription, scene: SceneState | None) -> dict[str, float]:
    """Return how far open everything on a joint is, where the scene tells."""
    if scene is None:
        return {}
    joints = {name: o.articulation.joint for name, o in task.objects.items() if o.articulation is not None}
    return {name: open_share(name, scene, task) for name, j in joints.items() if j in scene.articulation}


def _merge(steps: list[Node]) -> list[Node]:
    """Drop what a later step does anyway: "pick up the X and put it in the Y", "… and close it"."""
    kept = []
    for index, step in enumerate(steps):
        rest = steps[index + 1 :]
        if isinstance(step, SkillNode) and step.skill in {"open", "close"} and step in rest[:1]:
            continue
        following = next((s for s in rest if not (isinstance(s, SkillNode) and s.skill == "open")), None)
        if isinstance(following, SequenceNode) and _is_same_grasp(following.children[0], step):
            continue
        kept.append(step)
    return kept


def _is_same_grasp(one: Node, other: Node) -> bool:
    """Whether both take hold of the same object, whatever for."""
    if not (isinstance(one, SkillNode) and isinstance(other, SkillNode)):
        return False
    return one.skill == other.skill == "grasp" and one.arguments["object"] == other.arguments["object"]


def _words(clause: Clause) -> str:
    match clause:
        case GoHome():
            return "go home"
        case Pick(things):
            return f"pick up {' and '.join(things)}"
        case Work(action, things):
            return f"{action} {' and '.join(things)}"
        case Transfer(things, relation, target):
            return f"put {' and '.join(things)} {relation} {target}"


def _understood(clauses: tuple[Clause, ...]) -> str:
    return "".join(f"{_words(clause)!r}, then " for clause in clauses)


def _known(task: TaskDescription) -> tuple[str, ...]:
    objects = task.objects.values()
    patterns = ["pick up the <thing>"]
    patterns += ["open the <thing>", "close the <thing>"] if any(map(_JOINTED.fits, objects)) else []
    patterns += ["press the <button>"] if any(map(_BUTTON.fits, objects)) else []
    return tuple(dict.fromkeys((*task.instructions, *patterns, "go home")))
