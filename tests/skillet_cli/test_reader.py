from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from skillet_cli.launch import LaunchError, declared_arguments, find_launch_file, parse_given, read_launch
from skillet_cli.launch.description import command_line
from skillet_core.errors import UnknownNameError


def test_a_node_becomes_one_process_with_all_that_the_file_says(read, dummy: Path) -> None:
    (process,) = read(
        """<arg name="robot" default="ur5e"/>
        <node pkg="dummy" exec="talk" name="talker" namespace="left" output="screen" args="-v $(var robot)"
              respawn="true" respawn_delay="1.5">
          <param name="rate" value="5"/>
          <remap from="in" to="/out"/>
          <env name="LEVEL" value="high"/>
        </node>""",
        {"robot": "panda"},
        {"PATH": "/bin"},
    )
    assert process.label == "talk"
    assert process.program == (str(dummy / "lib/dummy/talk"), "-v", "panda")
    assert process.environment == {"PATH": "/bin", "LEVEL": "high"}
    assert process.to_terminal
    assert (process.respawn.enabled, process.respawn.delay) == (True, 1.5)
    assert process.node is not None
    assert (process.node.name, process.node.namespace) == ("talker", "/left")
    assert process.node.parameters == ({"rate": 5},)
    assert process.node.remappings == (("in", "/out"),)


def test_the_command_line_hands_parameters_over_with_their_types(read, dummy: Path, tmp_path: Path) -> None:
    (process,) = read(
        """<node pkg="dummy" exec="talk" name="n" namespace="/ns">
          <param name="int" value="1"/><param name="double" value="1.0"/>
          <param name="text" type="str" value="1"/><param name="bool" value="true"/>
          <param name="outer"><param name="inner" value="[1.5, 2.5]"/></param>
        </node>"""
    )
    words = command_line(process, tmp_path)
    files = [words[index + 1] for index, word in enumerate(words) if word == "--params-file"]
    values = {}
    for file in files:
        values |= yaml.safe_load(Path(file).read_text())["/ns/n"]["ros__parameters"]
    assert values == {"int": 1, "double": 1.0, "text": "1", "bool": True, "outer": {"inner": [1.5, 2.5]}}
    assert type(values["double"]) is float
    assert words[1:6] == ["--ros-args", "-r", "__node:=n", "-r", "__ns:=/ns"]


def test_equal_programs_get_labels_that_tell_them_apart(read, dummy: Path) -> None:
    node = '<node pkg="dummy" exec="talk"/>'
    assert [process.label for process in read(node * 3)] == ["talk", "talk-2", "talk-3"]


def test_what_a_group_sets_ends_with_it(read, dummy: Path) -> None:
    inside, outside = read(
        """<group>
          <set_env name="A" value="1"/><push_ros_namespace namespace="left"/>
          <node pkg="dummy" exec="talk"/>
        </group>
        <node pkg="dummy" exec="talk"/>"""
    )
    assert inside.environment == {"A": "1"}
    assert outside.environment == {}
    assert [process.node.namespace for process in (inside, outside) if process.node] == ["/left", None]


def test_an_unknown_argument_is_refused_with_the_valid_ones_and_what_they_mean(read) -> None:
    with pytest.raises(LaunchError, match=r"(?s)no argument 'robt'.*robot.*default 'ur5e'.*the robot to use"):
        read('<arg name="robot" default="ur5e" description="the robot to use"/>', {"robt": "panda"})


def test_a_misspelt_required_argument_is_named_before_the_missing_one(read) -> None:
    with pytest.raises(LaunchError, match="no argument 'robt'"):
        read('<arg name="robot"/>', {"robt": "panda"})


def test_a_value_outside_the_choices_is_refused_with_the_choices(read) -> None:
    with pytest.raises(LaunchError, match=r"side:=up .* valid: left, right"):
        read(
            '<arg name="side" default="left"><choice value="left"/><choice value="right"/></arg>',
            {"side": "up"},
        )


def test_a_missing_required_argument_is_named_with_its_description(read) -> None:
    with pytest.raises(LaunchError, match=r"'ip' is required \(the robot's address\)"):
        read('<arg name="ip" description="the robot\'s address"/>')


def test_arguments_of_included_files_can_be_given_too(read, write, dummy: Path) -> None:
    write(
        '<arg name="speed" default="1"/><node pkg="dummy" exec="talk" args="$(var speed)"/>',
        "inner.launch.xml",
    )
    (process,) = read('<include file="$(dirname)/inner.launch.xml"/>', {"speed": "2"})
    assert process.program[1:] == ("2",)


def test_an_argument_that_an_include_fixes_is_not_offered(write, dummy: Path) -> None:
    write('<arg name="speed" default="1"/><arg name="mass" default="1"/>', "inner.launch.xml")
    outer = write(
        '<include file="$(dirname)/inner.launch.xml"><arg name="speed" value="3"/></include>',
        "outer.launch.xml",
    )
    assert [argument.name for argument in declared_arguments(outer, {})] == ["mass"]


def test_a_file_that_includes_itself_is_refused(read) -> None:
    with pytest.raises(LaunchError, match="includes itself"):
        read('<include file="$(filename)"/>')


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ('<nod pkg="a"/>', r":2: <nod> cannot be used here; valid: .*<node>"),
        (
            '\n<node pkg="dummy" exec="talk" colour="x"/>',
            r":3: <node> has no attribute 'colour'; valid: .*",
        ),
        ('<node pkg="dummy"/>', r":2: <node> needs the attribute 'exec'"),
        ('<node pkg="dummy" exec="shout"/>', r":2: unknown executable .* 'shout'. Valid: listen, talk"),
        ('<node pkg="dumy" exec="talk"/>', r":2: pkg of <node>: unknown ROS package .* Did you mean 'dummy'"),
        ('<node pkg="dummy" exec="talk" if="perhaps"/>', r":2: if of <node>: 'perhaps' is not a truth value"),
        ('<let name="a" value="$(var robto)"/>', r":2: value of <let>: unknown launch variable 'robto'"),
        (
            '<let name="a" value="$(vra robot)"/>',
            r":2: value of <let>: unknown substitution 'vra'. Did you mean 'var'",
        ),
        (
            '<let name="a" value="$(eval \'open(1)\')"/>',
            r":2: value of <let>: .* more than skillet launch works out",
        ),
        ("<arg", r":\d: not well-formed XML"),
        ("hello", r":2: text 'hello' inside <launch>"),
    ],
)
def test_a_mistake_in_the_file_is_named_by_its_line(inside: str, message: str, read, dummy: Path) -> None:
    with pytest.raises(LaunchError, match=message):
        read(inside)


def test_an_unknown_launch_file_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"launch file 'simm.launch.xml'.*mean 'sim.launch.xml'"):
        find_launch_file("simm")


def test_skillets_own_launch_files_are_found_by_name() -> None:
    assert find_launch_file("sim").name == find_launch_file("sim.launch.xml").name == "sim.launch.xml"


def test_a_word_that_is_no_argument_is_refused_with_the_form() -> None:
    assert parse_given(["a:=1", "b:=x:=y", "a:=2", "c:="]) == {"a": "2", "b": "x:=y", "c": ""}
    with pytest.raises(LaunchError, match="write name:=value"):
        parse_given(["robot=panda"])


def test_a_missing_launch_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"cannot read .*nothing.xml: No such file"):
        read_launch(tmp_path / "nothing.xml", {}, {})
