"""Task trees: what a planner makes of a sentence, and the record of what became of each node.

A tree is typed data (JSON), never code. Composite nodes tick their children in order; a node with
a ``success`` condition has succeeded only if the condition holds when its work is done.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from skillet_core.conditions import Condition
from skillet_core.model import DataModel


class SkillNode(DataModel):
    """Run one skill; on failure, or if ``success`` does not hold after it, try again."""

    kind: Literal["skill"] = "skill"
    skill: str
    arguments: dict[str, str | float | bool] = pydantic.Field(default_factory=dict)
    success: Condition | None = None
    attempts: int = pydantic.Field(default=3, ge=1, le=10)

    def label(self) -> str:
        """Print as ``skill(argument, …)``."""
        return f"{self.skill}({', '.join(str(v) for v in self.arguments.values())})"


class _Composite(DataModel):
    name: str
    children: tuple[Node, ...] = pydantic.Field(min_length=1)
    success: Condition | None = None
    attempts: int = pydantic.Field(default=1, ge=1, le=10)

    def label(self) -> str:
        """Print the name."""
        return self.name


class SequenceNode(_Composite):
    """Succeeds when every child does, in order; fails with the first that fails."""

    kind: Literal["sequence"] = "sequence"


class FallbackNode(_Composite):
    """Succeeds with the first child that does; fails when none does."""

    kind: Literal["fallback"] = "fallback"


Node = Annotated[SkillNode | SequenceNode | FallbackNode, pydantic.Field(discriminator="kind")]

SequenceNode.model_rebuild()
FallbackNode.model_rebuild()


class TaskTree(DataModel):
    """A sentence and the tree that it became."""

    instruction: str
    root: Node


class NodeReport(pydantic.BaseModel):
    """What became of one node. Times are seconds since the task began."""

    path: str = pydantic.Field(description="indices from the root, e.g. '0.1'; '' is the root")
    label: str
    status: Literal["pending", "running", "succeeded", "failed", "skipped"] = "pending"
    reason: str = ""
    attempts: int = 0
    started: float | None = None
    finished: float | None = None
    success_condition: str = ""
    children: list[NodeReport] = pydantic.Field(default_factory=list)


class TaskReport(pydantic.BaseModel):
    """What became of a sentence."""

    instruction: str
    success: bool
    reason: str = ""
    root: NodeReport | None = None
