"""The walls of the house: who may import whom, and what no module does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "ros_ws" / "src"
MAX_LINES = 400

BELOW = {
    "skillet_core": set(),
    "skillet_ros": {"skillet_core"},
    "skillet_control": {"skillet_core"},
    "skillet_sim": {"skillet_core", "skillet_control"},
    "skillet_motion": {"skillet_core", "skillet_control", "skillet_sim"},
    "skillet_planner": {"skillet_core", "skillet_control", "skillet_sim", "skillet_motion"},
    "skillet_data": {"skillet_core", "skillet_control", "skillet_sim", "skillet_motion"},
    "skillet_cli": {"skillet_core", "skillet_planner", "skillet_data", "skillet_motion", "skillet_sim"},
}
"""What each package may import; a node (and the command's client) may import skillet_ros too."""

ROS = {"rclpy", "skillet_ros", "skillet_interfaces", "control_msgs", "tf2_msgs"}
"""Modules that need a ROS installation, besides everything called ``*_msgs`` or ``*_interfaces``."""

MODULES = sorted(path for package in BELOW for path in (SOURCES / package / package).rglob("*.py"))
PROGRAMS = sorted(path for folder in ("tools", "benchmarks") for path in (ROOT / folder).glob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Top-level packages that are imported anywhere in the module, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are written in full"
            yield (node.module or "").split(".")[0], node.lineno


def needs_ros(module: str) -> bool:
    return module in ROS or module.endswith(("_msgs", "_interfaces", "_srvs"))


def may_use_ros(path: Path) -> bool:
    package = path.relative_to(SOURCES).parts[0]
    return package == "skillet_ros" or path.stem.endswith("_node")


def test_every_package_has_its_place() -> None:
    assert {path.parent.name for path in SOURCES.glob("skillet_*/setup.py")} == BELOW.keys()


def test_no_package_is_above_one_that_it_is_below() -> None:
    def reaches(package: str, seen: frozenset[str] = frozenset()) -> set[str]:
        assert package not in seen, f"{package} depends on itself"
        return set().union(*({below} | reaches(below, seen | {package}) for below in BELOW[package]))

    for package in BELOW:
        assert package not in reaches(package)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_what_is_below_it(path: Path) -> None:
    package = path.relative_to(SOURCES).parts[0]
    allowed = BELOW[package] | {package} | ({"skillet_ros"} if may_use_ros(path) else set())
    wrong = [
        f"line {line}: {module}"
        for module, line in imported(tree_of(path))
        if module in BELOW and module not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize("path", [path for path in MODULES if not may_use_ros(path)], ids=name_of)
def test_ros_is_imported_only_in_nodes(path: Path) -> None:
    lazily = lazy_client(path)
    assert not [
        f"line {line}: {module}"
        for module, line in imported(tree_of(path))
        if needs_ros(module) and module not in lazily
    ]


def lazy_client(path: Path) -> set[str]:
    """The demonstration's command loads its ROS client when it runs."""
    return {"skillet_interfaces"} if path.parent.name == "skillet_cli" and "demo" in path.stem else set()


FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


@pytest.mark.parametrize("path", MODULES + PROGRAMS, ids=name_of)
def test_no_module_unpickles_or_runs_text_as_code(path: Path) -> None:
    tree = tree_of(path)
    assert not FORBIDDEN_IMPORTS & {module for module, _ in imported(tree)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not [f"line {call.lineno}" for call in calls if named(call.func) in FORBIDDEN_CALLS]
    pickled = [keyword for call in calls for keyword in call.keywords if keyword.arg == "allow_pickle"]
    assert not [
        key for key in pickled if not (isinstance(key.value, ast.Constant) and key.value.value is False)
    ]


def named(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""


LIBRARIES = [path for path in MODULES if not may_use_ros(path)]


@pytest.mark.parametrize("path", LIBRARIES, ids=name_of)
def test_no_library_reads_the_wall_clock_or_draws_without_a_seed(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) != "time.time", f"line {node.lineno}: take the time as an argument"
            dotted = ast.unparse(node)
            if dotted.startswith(("np.random.", "numpy.random.")):
                assert dotted.split(".")[2] in {"Generator", "default_rng", "SeedSequence"}, (
                    f"line {node.lineno}"
                )
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("default_rng"):
            assert node.args or node.keywords, f"line {node.lineno}: a generator is made from a seed"


@pytest.mark.parametrize("path", MODULES + PROGRAMS, ids=name_of)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
