"""What a skill is: a name, an argument model, a function over the `Robot` protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import pydantic

from skillet_core.errors import (
    CancelledError,
    ExecutionError,
    PlanningError,
    SkilletError,
    StaleStateError,
    TrajectoryError,
)
from skillet_core.robot_interface import Robot

Arguments = TypeVar("Arguments", bound=pydantic.BaseModel)
PhaseCallback = Callable[[str], None]
"""Told the name of each phase as it begins, e.g. ``"approach"``."""


class SkillArgumentError(SkilletError, ValueError):
    """Arguments that do not fit the skill: says which, and what the skill takes."""


@dataclass(frozen=True)
class SkillResult:
    """How a skill ended; ``reason`` says why it failed and is empty on success."""

    success: bool
    reason: str = ""


class SkillFailure(SkilletError):  # noqa: N818 - not an error: how a skill says that it did not work out
    """Raised inside a skill to end it as failed; becomes the result's reason."""


FAILURES = (SkillFailure, PlanningError, ExecutionError, TrajectoryError)
"""What ends a skill as failed, with the exception of the two in `INTERRUPTIONS`."""
INTERRUPTIONS = (CancelledError, StaleStateError)
"""What leaves the robot alone at once: it was cancelled, or it fell silent."""


@dataclass(frozen=True)
class Skill(Generic[Arguments]):
    """One thing that the robot can do.

    Attributes:
        name: how task trees call it.
        description: one sentence for people and planners.
        arguments: model of its arguments.
        run: does it. Raises `SkillFailure`, `PlanningError` or `ExecutionError` when it cannot.
        check: looks at the arguments against the scene before anything moves; raises
            `SkilletError`s that name what would be valid.
    """

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Robot, Arguments, PhaseCallback], None]
    check: Callable[[Robot, Arguments], None]

    def parse(self, arguments: Mapping[str, object]) -> Arguments:
        """Validate arguments.

        Raises:
            SkillArgumentError: one is missing, unknown or of the wrong type.
        """
        try:
            return self.arguments.model_validate(dict(arguments))
        except pydantic.ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()
            )
            raise SkillArgumentError(f"{self.name}: {faults}. Usage: {self.usage}") from error

    @property
    def usage(self) -> str:
        """Signature for people: ``grasp(object: name of the object to grasp, …)``."""
        fields = self.arguments.model_fields.items()
        return f"{self.name}({', '.join(f'{name}: {field.description}' for name, field in fields)})"
