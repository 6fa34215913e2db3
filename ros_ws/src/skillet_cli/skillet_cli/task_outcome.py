"""What a sentence came to."""

from __future__ import annotations

from dataclasses import dataclass

from skillet_core.task_tree import TaskReport


@dataclass(frozen=True)
class TaskOutcome:
    """How a sentence ended.

    Attributes:
        success: the task's success condition held at its end.
        refused: the sentence could not be planned; nothing moved.
        reason: why it failed or was refused.
        report: the executed tree, None when refused.
        episode: folder of the committed episode, empty if there is none.
    """

    success: bool
    refused: bool
    reason: str
    report: TaskReport | None
    episode: str
