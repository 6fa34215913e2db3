"""Runs a launch file through the real ``launch`` and through Skillet's reader, to the same plain form."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from skillet_cli.launch import read_launch
from skillet_cli.launch.description import command_line


@dataclass(frozen=True)
class Process:
    """What both ways of launching have to agree on."""

    program: list[str]
    ros_arguments: list[str]
    node_name: str | None
    namespace: str | None
    parameters: dict[str, dict[str, Any]]
    remappings: list[str]
    environment: dict[str, str]
    respawn: tuple[bool, float, int]
    ends_all: bool
    cwd: str | None


def from_words(words: list[str], **others: Any) -> Process:
    """Take a command line apart; the contents of parameter files count, not their names."""
    first = words.index("--ros-args") if "--ros-args" in words else len(words)
    rest = iter(words[first:])
    rules, parameters, free = [], {}, []
    for word in rest:
        if word == "-r":
            rules.append(next(rest))
        elif word == "--params-file":
            for key, entry in yaml.safe_load(Path(next(rest)).read_text()).items():
                parameters.setdefault(key, {}).update(_flat(entry["ros__parameters"]))
        elif word != "--ros-args":
            free.append(word)
    special = {rule.split(":=")[0]: rule.split(":=")[1] for rule in rules if rule.startswith("__")}
    return Process(
        program=words[:first],
        ros_arguments=free,
        node_name=special.get("__node"),
        namespace=special.get("__ns"),
        parameters=parameters,
        remappings=[rule for rule in rules if not rule.startswith("__")],
        **others,
    )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested names joined by dots, which to ROS is the same."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@pytest.fixture
def by_skillet(tmp_path: Path) -> Callable[[Path, Mapping[str, str]], list[Process]]:
    def run(path: Path, arguments: Mapping[str, str]) -> list[Process]:
        return [
            from_words(
                command_line(process, tmp_path),
                environment=dict(process.environment),
                respawn=(
                    process.respawn.enabled,
                    process.respawn.delay,
                    process.respawn.max_retries,
                ),
                ends_all=process.ends_all,
                cwd=process.cwd,
            )
            for process in read_launch(path, arguments, os.environ)
        ]

    return run


@pytest.fixture
def by_ros(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, Mapping[str, str]], list[Process]]:
    launch = pytest.importorskip("launch", reason="launch of a full ROS 2 installation is not importable")
    pytest.importorskip("launch_ros", reason="launch_ros of a full ROS 2 installation is not importable")
    pytest.importorskip("launch_xml", reason="launch_xml of a full ROS 2 installation is not importable")
    execute_local = importlib.import_module("launch.actions.execute_local").ExecuteLocal
    perform_typed = importlib.import_module("launch.utilities.type_utils").perform_typed_substitution

    found: list[Process] = []

    def instead_of_starting(self: Any, context: Any) -> None:
        self.prepare(context)
        private = {name.removeprefix("_ExecuteLocal__"): value for name, value in vars(self).items()}
        found.append(
            from_words(
                list(self.cmd),
                environment=dict(self.env),
                respawn=(
                    perform_typed(context, private["respawn"], bool),
                    private["respawn_delay"] or 0.0,
                    private["respawn_max_retries"],
                ),
                ends_all=bool(private["on_exit"]),
                cwd=self.cwd,
            )
        )

    def run(path: Path, arguments: Mapping[str, str]) -> list[Process]:
        monkeypatch.setattr(execute_local, "execute", instead_of_starting)
        found.clear()
        before = dict(os.environ)
        description = launch.LaunchDescription(
            [
                launch.actions.IncludeLaunchDescription(
                    launch.launch_description_sources.AnyLaunchDescriptionSource(str(path)),
                    launch_arguments=list(arguments.items()),
                )
            ]
        )
        service = launch.LaunchService(noninteractive=True)
        service.include_launch_description(description)
        try:
            if service.run() != 0:
                raise ValueError("ros2 launch refuses it")
        finally:
            os.environ.clear()
            os.environ.update(before)
        return list(found)

    return run


@pytest.fixture
def dummy_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed ROS package called ``dummy`` with the executable ``talk``."""
    prefix = tmp_path / "prefix"
    for folder in ("share/ament_index/resource_index/packages", "share/dummy", "lib/dummy"):
        (prefix / folder).mkdir(parents=True)
    (prefix / "share/ament_index/resource_index/packages/dummy").touch()
    shutil.copy("/bin/true", prefix / "lib/dummy/talk")
    (prefix / "share/dummy/values.yaml").write_text("/**:\n  ros__parameters:\n    from_file: 7\n")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{prefix}{os.pathsep}{os.environ.get('AMENT_PREFIX_PATH', '')}")
    return prefix
