import pydantic
import pytest

pytest.importorskip("skillet_interfaces")

import rclpy
from rclpy.parameter import Parameter

from skillet_core.model import DataModel
from skillet_ros.parameters import ParameterError, declare_parameters


class Example(DataModel):
    rate: float = pydantic.Field(default=10.0, ge=1.0, le=100.0, description="loop [Hz]")
    count: int = pydantic.Field(default=3, ge=1, description="how many")
    name: str = pydantic.Field(default="x", pattern="^[a-z]+$", description="a name")
    topics: tuple[str, ...] = pydantic.Field(default=("a",), description="topics")


class Nested(DataModel):
    example: Example = Example()
    speed: float = pydantic.Field(default=1.0, gt=0, description="[m/s]")


@pytest.fixture
def make_node():
    context = rclpy.Context()
    context.init()
    nodes = []

    def make(**values):
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        nodes.append(rclpy.create_node("example", context=context, parameter_overrides=overrides))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    context.shutdown()


pytestmark = pytest.mark.ros


def test_defaults_and_overrides_arrive_typed(make_node):
    assert declare_parameters(make_node(), Example) == Example()
    values = declare_parameters(make_node(rate=50.0, topics=["b", "c"]), Example)
    assert (values.rate, values.topics) == (50.0, ("b", "c"))


def test_a_parameter_carries_its_description_and_range(make_node):
    node = make_node()
    declare_parameters(node, Example)
    descriptor = node.describe_parameter("rate")
    assert descriptor.description == "loop [Hz]"
    assert descriptor.floating_point_range[0].to_value == 100.0
    assert node.describe_parameter("count").integer_range[0].from_value == 1


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"rate": 500.0}, "rate"),
        ({"count": 0}, "count"),
        ({"count": "many"}, "count"),
        ({"name": "X1"}, "name"),
    ],
)
def test_a_wrong_value_is_refused_and_its_parameter_named(make_node, values, named):
    with pytest.raises(ParameterError, match=named):
        declare_parameters(make_node(**values), Example)


def test_the_fields_of_a_nested_model_are_named_after_it(make_node):
    node = make_node(**{"example.count": 7, "speed": 2.0})
    values = declare_parameters(node, Nested)
    assert (values.example.count, values.speed) == (7, 2.0)
    assert node.describe_parameter("example.rate").description == "loop [Hz]"
    with pytest.raises(ParameterError, match=r"example\.count"):
        declare_parameters(make_node(**{"example.count": 0}), Nested)
