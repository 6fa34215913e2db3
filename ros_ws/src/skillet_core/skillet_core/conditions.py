"""Success conditions as data: parsed from YAML or JSON, printed readably, evaluated on a scene.

A condition is a tagged object, ``{"kind": "inside", "object": "red_block", "container": "left_bin"}``.
Nothing in it is ever executed as code.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from skillet_core.model import DataModel


class Inside(DataModel):
    """At least 75 % of the object's bounding box lies in the container's interior."""

    kind: Literal["inside"] = "inside"
    object: str
    container: str

    def __str__(self) -> str:
        """Print as ``inside(object, container)``."""
        return f"inside({self.object}, {self.container})"


class Grasped(DataModel):
    """The object touches the gripper's fingers from both sides."""

    kind: Literal["grasped"] = "grasped"
    object: str

    def __str__(self) -> str:
        """Print as ``grasped(object)``."""
        return f"grasped({self.object})"


class AtRest(DataModel):
    """The object moves slower than 0.02 m/s and 0.2 rad/s."""

    kind: Literal["at_rest"] = "at_rest"
    object: str

    def __str__(self) -> str:
        """Print as ``at_rest(object)``."""
        return f"at_rest({self.object})"


class OnTopOf(DataModel):
    """The object touches the other one, which carries it from below (`evaluation.is_on_top_of`)."""

    kind: Literal["on_top_of"] = "on_top_of"
    object: str
    support: str

    def __str__(self) -> str:
        """Print as ``on_top_of(object, support)``."""
        return f"on_top_of({self.object}, {self.support})"


class Opened(DataModel):
    """The object's joint is at least 80 % of the way from closed to open; of a button: pressed."""

    kind: Literal["opened"] = "opened"
    object: str

    def __str__(self) -> str:
        """Print as ``opened(object)``."""
        return f"opened({self.object})"


class Closed(DataModel):
    """The object's joint is at most 10 % of the way from closed to open."""

    kind: Literal["closed"] = "closed"
    object: str

    def __str__(self) -> str:
        """Print as ``closed(object)``."""
        return f"closed({self.object})"


class Not(DataModel):
    """The condition does not hold."""

    kind: Literal["not"] = "not"
    condition: Condition

    def __str__(self) -> str:
        """Print as ``not condition``."""
        return f"not {self.condition}"


class All(DataModel):
    """Every one of the conditions holds."""

    kind: Literal["all"] = "all"
    conditions: tuple[Condition, ...] = pydantic.Field(min_length=1)

    def __str__(self) -> str:
        """Print as ``(a and b)``."""
        return f"({' and '.join(map(str, self.conditions))})"


class Any(DataModel):
    """At least one of the conditions holds."""

    kind: Literal["any"] = "any"
    conditions: tuple[Condition, ...] = pydantic.Field(min_length=1)

    def __str__(self) -> str:
        """Print as ``(a or b)``."""
        return f"({' or '.join(map(str, self.conditions))})"


Condition = Annotated[
    Inside | OnTopOf | Opened | Closed | Grasped | AtRest | Not | All | Any,
    pydantic.Field(discriminator="kind"),
]

Not.model_rebuild()
All.model_rebuild()
Any.model_rebuild()
