"""ROS parameters from a pydantic model: each declared once, with description, range and default.

A node's parameters are a `skillet_core.model.DataModel`. Its fields become the node's parameters;
constraints (``ge``, ``le``, ``gt``, ``lt``) and descriptions become the parameter's descriptor.
Values are validated at start-up, all at once; parameters are read-only afterwards.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import annotated_types
import pydantic
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from skillet_core.errors import SkilletError

Model = TypeVar("Model", bound=pydantic.BaseModel)


class ParameterError(SkilletError, ValueError):
    """A parameter with a value that the node does not accept."""


def _bounds(field: FieldInfo) -> tuple[float, float]:
    lower, upper = -math.inf, math.inf
    for constraint in field.metadata:
        if isinstance(constraint, annotated_types.Ge):
            lower = float(constraint.ge)  # type: ignore[arg-type]
        elif isinstance(constraint, annotated_types.Gt):
            lower = float(constraint.gt)  # type: ignore[arg-type]
        elif isinstance(constraint, annotated_types.Le):
            upper = float(constraint.le)  # type: ignore[arg-type]
        elif isinstance(constraint, annotated_types.Lt):
            upper = float(constraint.lt)  # type: ignore[arg-type]
    return lower, upper


def _descriptor(name: str, field: FieldInfo) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(name=name, description=field.description or "", read_only=True)
    lower, upper = _bounds(field)
    if field.annotation is float and (math.isfinite(lower) or math.isfinite(upper)):
        largest = 1.0e300
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=max(lower, -largest), to_value=min(upper, largest))
        ]
    if field.annotation is int and (math.isfinite(lower) or math.isfinite(upper)):
        largest_int = 2**53
        descriptor.integer_range = [
            IntegerRange(from_value=int(max(lower, -largest_int)), to_value=int(min(upper, largest_int)))
        ]
    return descriptor


def _declare(node: Node, model: type[pydantic.BaseModel], prefix: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field_name, field in model.model_fields.items():
        name = prefix + field_name
        if isinstance(field.annotation, type) and issubclass(field.annotation, pydantic.BaseModel):
            values[field_name] = _declare(node, field.annotation, f"{name}.")
            continue
        default = field.get_default(call_default_factory=True)  # type: ignore[call-arg]
        if isinstance(default, tuple):
            default = list(default)
        try:
            values[field_name] = node.declare_parameter(name, default, _descriptor(name, field)).value
        except ParameterException as error:
            msg = f"parameter {name!r} of node {node.get_name()!r}: {error}"
            raise ParameterError(msg) from error
    return values


def declare_parameters(node: Node, model: type[Model]) -> Model:
    """Declare a model's fields as the node's parameters and return the validated values.

    Every field needs a default of type bool, int, float, str or a list or tuple of these, or is a
    model in turn, whose fields are declared as ``<field>.<name>``.

    Raises:
        ParameterError: a value does not fit; every fault is named with its parameter.
    """
    values = _declare(node, model, "")
    try:
        return model.model_validate(values)
    except pydantic.ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        msg = f"node {node.get_name()!r} was given wrong parameters: {faults}"
        raise ParameterError(msg) from error
