"""What a planner is: a sentence and a scene in, a typed task tree or a refusal out. Nothing moves here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from skillet_core.errors import SkilletError
from skillet_core.scene import SceneState, TaskDescription
from skillet_core.task_tree import TaskTree


class RefusalError(SkilletError):
    """A sentence that was not turned into a task tree. The robot does not move.

    Attributes:
        understood: what the planner made of the sentence, and what it stumbled over, in words.
        known: instructions that would have been accepted.
    """

    def __init__(self, understood: str, known: Sequence[str]) -> None:
        """Compose the message."""
        self.understood, self.known = understood, tuple(known)
        listed = "; ".join(f"{sentence!r}" for sentence in self.known)
        super().__init__(f"{understood} Known here: {listed}.")


class Planner(Protocol):
    """Turns sentences into task trees."""

    def plan(self, instruction: str, task: TaskDescription, scene: SceneState | None = None) -> TaskTree:
        """Plan a sentence.

        Args:
            instruction: the sentence, as a person says it.
            task: what is in the scene.
            scene: where it is now, if that is known.

        Raises:
            RefusalError: the sentence cannot be mapped, or means several things.
        """
