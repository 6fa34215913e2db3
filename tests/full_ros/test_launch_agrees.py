"""The same launch files under the real ``ros2 launch`` and under ``skillet launch``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from skillet_core.errors import SkilletError

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = ROOT / "launch"

Run = Callable[[Path, Mapping[str, str]], list]

pytestmark = pytest.mark.full_ros


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sim.launch.xml", {}),
        ("sim.launch.xml", {"robot": "panda", "task": "drawer", "seed": "42"}),
        ("sim.launch.xml", {"cameras": "false", "recorder": "false"}),
        ("sim.launch.xml", {"namespace": "left", "episodes": "a b/episodes"}),
        ("sim.launch.xml", {"discovery": "subnet", "robot": "1e3"}),
        ("sim.launch.xml", {"planner": "moveit", "robot": "panda"}),
        ("sim.launch.xml", {"planner": "move_group", "robot": "panda", "namespace": "left"}),
        ("parts/middleware.launch.xml", {}),
        ("parts/moveit.launch.xml", {"robot": "ur5e", "use_sim_time": "true"}),
        ("parts/skills.launch.xml", {"robot": "ur5e", "task": "blocks", "use_sim_time": "true"}),
    ],
)
def test_a_launch_file_means_the_same_to_both(
    name: str, arguments: dict[str, str], by_ros: Run, by_skillet: Run
) -> None:
    theirs = by_ros(LAUNCH / name, arguments)
    assert by_skillet(LAUNCH / name, arguments) == theirs


def test_every_launch_file_is_compared() -> None:
    compared = {arguments[0] for arguments in test_a_launch_file_means_the_same_to_both.pytestmark[0].args[1]}
    assert {str(path.relative_to(LAUNCH)) for path in LAUNCH.rglob("*.launch.xml")} == compared


NODE = '<node pkg="dummy" exec="talk" {}>{}</node>'


def node(inside: str = "", attributes: str = 'name="n" namespace="ns"') -> str:
    return NODE.format(attributes, inside)


def value(text: str, kind: str = "") -> str:
    kind = f'type="{kind}"' if kind else ""
    return node(f'<param name="p" value="{text}" {kind}/>')


FRAGMENTS = {
    "no name": node(attributes=""),
    "name only": node('<param name="p" value="1"/>', 'name="n"'),
    "namespace only": node('<param name="p" value="1"/>', 'namespace="ns"'),
    "absolute namespace": node(attributes='namespace="/a/b/"'),
    "pushed": '<push_ros_namespace namespace="a"/>' + node() + '<push-ros-namespace namespace="b"/>' + node(),
    "pushed in group": '<group><push_ros_namespace namespace="a"/>' + node() + "</group>" + node(),
    "pushed in open group": '<group scoped="false"><push_ros_namespace namespace="a"/></group>' + node(),
    "absolute under pushed": '<push_ros_namespace namespace="a"/>' + node(attributes='namespace="/b"'),
    "bad namespace": node(attributes='namespace="a//b"'),
    "bad name": node(attributes='name="a-b"'),
    "int": value("5"),
    "double": value("5.0"),
    "exponent": value("1e5"),
    "exponent with point": value("1.0e+5"),
    "bool": value("true"),
    "yes": value("yes"),
    "text": value("hello there"),
    "empty": value(""),
    "null": value("null"),
    "mapping": value("a: b"),
    "date": value("2026-11-21"),
    "quoted number": value("'5'"),
    "variable int": value("$(var one)"),
    "variable in text": value("x$(var one)y"),
    "variable in quotes": value("'$(var one)'"),
    "two variables": value("$(var one)$(var one)"),
    "int list": value("[1, 2, 3]"),
    "float list": value("[1.0, 2.0]"),
    "mixed numbers": value("[1, 2.5]"),
    "mixed list": value("[1, a]"),
    "text list": value("[a, b]"),
    "empty list": value("[]"),
    "list with variable": value("[4, $(var one)]"),
    "list with text variable": value("[4, $(var word)]"),
    "list in list": value("[[1], [2]]"),
    "as str": value("5", "str"),
    "variable as str": value("$(var one)", "str"),
    "as float": value("5", "float"),
    "variable as float": value("$(var one)", "float"),
    "as int": value("5", "int"),
    "not an int": value("5.5", "int"),
    "variable not an int": value("$(var word)", "int"),
    "as bool": value("1", "bool"),
    "variable as bool": value("$(var one)", "bool"),
    "not a bool": value("2", "bool"),
    "as list of float": value("[1.5, 2.5]", "list_of_float"),
    "ints as list of float": value("[1, 2]", "list_of_float"),
    "as list of str": value("[a, $(var word)]", "list_of_str"),
    "variable as list": value("$(var list)", "list_of_int"),
    "variable is list": value("$(var list)"),
    "as yaml": value("5", "yaml"),
    "unknown type": value("5", "double"),
    "nested": node('<param name="a"><param name="b" value="1"/><param name="c" value="x"/></param>'),
    "nested and value": node('<param name="a" value="1"><param name="b" value="1"/></param>'),
    "name in variable": node('<param name="p.$(var word)" value="1"/>'),
    "parameter without value": node('<param name="p"/>'),
    "file": node('<param from="$(find-pkg-share dummy)/values.yaml"/><param name="p" value="1"/>'),
    "file and name": node('<param from="$(find-pkg-share dummy)/values.yaml" name="p"/>'),
    "last wins": node('<param name="p" value="1"/><param name="p" value="2"/>'),
    "remap": node('<remap from="a" to="/b/c"/><remap from="$(var word)" to="~/x"/>'),
    "environment": '<set_env name="A" value="1"/>' + node('<env name="B" value="$(env A)"/>') + node(),
    "environment in group": '<group><set_env name="A" value="1"/>' + node() + "</group>" + node(),
    "unset": '<set_env name="A" value="1"/><unset_env name="A"/>' + node(),
    "environment default": value("$(env SURELY_NOT_SET 3)"),
    "environment missing": value("$(env SURELY_NOT_SET)"),
    "arguments": node(attributes="args=\"one 'two three' $(var word)/x --flag=$(var one)\""),
    "arguments apart": node(attributes='args="$(var one) $(var word)"'),
    "arguments of spaces": node(attributes='args="$(var spaced) x"'),
    "ros arguments": node(attributes='ros_args="--log-level debug"'),
    "respawn": node(attributes='respawn="$(var yes)" respawn_delay="2.5" respawn_max_retries="3"'),
    "negative delay": node(attributes='respawn="true" respawn_delay="-1"'),
    "on exit": node(attributes='on_exit="shutdown"'),
    "on exit else": node(attributes='on_exit="restart"'),
    "cwd": node(attributes='cwd="/tmp"'),
    "prefix": node(attributes='launch-prefix="nice -n 5"'),
    "executable": '<executable cmd="echo $(var word) \'a b\'" name="e"><env name="X" value="y"/>'
    "</executable>",
    "if": node(attributes='if="$(var yes)"') + node(attributes='unless="$(var yes)"'),
    "if False": node(attributes='if="False"') + node(attributes='unless="FALSE"'),
    "if number": node(attributes='if="$(var one)"'),
    "if word": node(attributes='if="$(var word)"'),
    "if and unless": node(attributes='if="true" unless="false"'),
    "eval text": node(attributes="if=\"$(eval &quot;'$(var word)' == 'w'&quot;)\""),
    "eval single quotes": node(attributes="if=\"$(eval '$(var one) &lt; 2')\""),
    "eval chain": value("$(eval '1 &lt; $(var one) + 1 &lt; 3 and not False')"),
    "eval arithmetic": value("$(eval '7 // 2 + 7 % 4 - 2 * 3 / 4')"),
    "eval choice": value("$(eval &quot;'a' if $(var one) else 'b'&quot;)"),
    "eval in": value("$(eval &quot;'$(var word)' in ['w', 'x']&quot;)"),
    "eval pi": value("$(eval 'pi / 2')"),
    "eval unknown": value("$(eval 'nothing')"),
    "eval division": value("$(eval '1 / 0')"),
    "equals": value("$(equals $(var one) 1.0)") + value("$(equals $(var word) w)"),
    "equals truth": value("$(equals 1 true)") + value("$(not-equals TRUE 0)"),
    "logic": value("$(and $(var yes) $(not false))") + value("$(or 0 false)"),
    "dirname": value("$(dirname)"),
    "unknown substitution": value("$(nothing x)"),
    "unknown variable": value("$(var nothing)"),
    "variable default": value("$(var nothing w)"),
    "nested names": value("$(var $(var word)_one)"),
    "escape": value(r"a\$(var one)b\\c"),
    "quotes in argument": value("$(env NOT_SET 'a (b) c')"),
    "two spaces": value("$(var  one)"),
    "unclosed": value("$(var one"),
    "dollar": value("5$ and $x"),
    "let": '<let name="one" value="2"/>' + value("$(var one)"),
    "let in group": '<group><let name="one" value="2"/>' + node() + "</group>" + value("$(var one)"),
    "let in open group": '<group scoped="false"><let name="one" value="2"/></group>' + value("$(var one)"),
    "group off": '<group if="false">' + node() + "</group>" + node(),
    "missing package": '<node pkg="surely_missing" exec="talk"/>',
    "missing executable": '<node pkg="dummy" exec="shout"/>',
    "unknown element": "<nodes/>",
    "unknown attribute": node(attributes='colour="n"'),
    "unknown child": node("<parameter/>"),
    "missing exec": '<node pkg="dummy"/>',
    "include": '<include file="$(dirname)/inner.xml"><arg name="given" value="g$(var one)"/></include>'
    + value("$(var given)"),
    "include leaks": '<include file="$(dirname)/inner.xml"><arg name="given" value="g"/></include>'
    + value("$(var inner) $(env INNER)"),
    "include in group": '<group><include file="$(dirname)/inner.xml"><arg name="given" value="g"/></include>'
    "</group>" + value("$(var inner)"),
    "include without its argument": '<include file="$(dirname)/inner.xml"/>',
    "include inherits not": '<let name="given" value="x"/><include file="$(dirname)/inner.xml"/>',
    "include missing": '<include file="$(dirname)/nothing.xml"/>',
    "choice": '<arg name="c" default="a"><choice value="a"/><choice value="b"/></arg>' + value("$(var c)"),
    "bad choice": '<arg name="c" default="z"><choice value="a"/><choice value="b"/></arg>',
    "required": '<arg name="c"/>',
    "argument off": '<arg name="c" if="false"/>' + node(),
    "default from another": '<arg name="c" default="$(var one)0"/>' + value("$(var c)"),
}

PREAMBLE = """
<arg name="one" default="1"/><arg name="word" default="w"/><arg name="w_one" default="11"/>
<arg name="yes" default="true"/><arg name="list" default="[1, 2]"/><arg name="spaced" default="a b"/>
"""
INNER = """<launch><arg name="given" description="d"/><let name="inner" value="i$(var one)"/>
<set_env name="INNER" value="1"/><node pkg="dummy" exec="talk" name="$(var given)"/></launch>"""


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_means_the_same_to_both_or_is_refused_by_both(
    name: str, tmp_path: Path, dummy_package: Path, by_ros: Run, by_skillet: Run
) -> None:
    (tmp_path / "inner.xml").write_text(INNER)
    path = tmp_path / "outer.launch.xml"
    path.write_text(f"<launch>{PREAMBLE}{FRAGMENTS[name]}</launch>")
    try:
        theirs = by_ros(path, {})
    except Exception:  # noqa: BLE001 - launch raises whatever it meets
        with pytest.raises(SkilletError):
            by_skillet(path, {})
    else:
        assert by_skillet(path, {}) == theirs
