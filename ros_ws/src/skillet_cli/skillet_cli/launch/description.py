"""What a launch file comes to: a plain list of processes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from skillet_cli.launch.values import Value

ParameterTree: TypeAlias = "Mapping[str, Value | ParameterTree]"
"""Parameter names and values; nested trees stand for names joined by dots."""


@dataclass(frozen=True)
class Respawn:
    """What happens after a process has ended on its own.

    Args:
        enabled: start it again.
        delay: wait this long first [s].
        max_retries: give up after so many; negative: never.
    """

    enabled: bool = False
    delay: float = 0.0
    max_retries: int = -1


@dataclass(frozen=True)
class NodeOptions:
    """What a ROS node is told beyond its command line.

    Args:
        package: the package that has the executable, empty where a path was given.
        name: the node's name, ``None`` to keep the program's own.
        namespace: absolute namespace, ``None`` for the root.
        parameters: parameter files and trees in the order in which they apply, the last one wins.
        remappings: pairs of names, from and to.
        ros_arguments: further words after ``--ros-args``.
    """

    package: str = ""
    name: str | None = None
    namespace: str | None = None
    parameters: tuple[Path | ParameterTree, ...] = ()
    remappings: tuple[tuple[str, str], ...] = ()
    ros_arguments: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The node's entry in a parameter file: its full name where that is known, else any node."""
        if self.name is None or self.namespace is None:
            return "/**"
        return f"{self.namespace.rstrip('/')}/{self.name}"


@dataclass(frozen=True)
class ProcessDescription:
    """One process to run.

    Args:
        label: what it is called in the output; unique within a launch.
        program: program and plain arguments.
        environment: all of its environment variables.
        where: ``file:line`` that asked for it.
        node: what makes it a ROS node; ``None`` for ``<executable>``.
        respawn: whether it is started again.
        ends_all: its end, for whatever reason, ends the whole launch (``on_exit="shutdown"``).
        to_terminal: standard output goes to the terminal; standard error always does.
        cwd: working directory, ``None`` to inherit.
    """

    label: str
    program: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    where: str
    node: NodeOptions | None = None
    respawn: Respawn = Respawn()
    ends_all: bool = False
    to_terminal: bool = True
    cwd: str | None = None


def command_line(process: ProcessDescription, folder: Path) -> list[str]:
    """Return the words to execute; parameter trees are written to files in ``folder``.

    Args:
        process: what to run.
        folder: an existing folder that outlives the process.
    """
    words = list(process.program)
    node = process.node
    if node is None:
        return words
    if node.ros_arguments:
        words += ["--ros-args", *node.ros_arguments]
    words.append("--ros-args")
    if node.name is not None:
        words += ["-r", f"__node:={node.name}"]
    if node.namespace is not None:
        words += ["-r", f"__ns:={node.namespace}"]
    for parameters in node.parameters:
        path = parameters if isinstance(parameters, Path) else _write(node.key, parameters, folder)
        words += ["--params-file", str(path)]
    for source, target in node.remappings:
        words += ["-r", f"{source}:={target}"]
    return words


def _write(key: str, parameters: ParameterTree, folder: Path) -> Path:
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="parameters_", suffix=".yaml", dir=folder, delete=False
    ) as file:
        yaml.safe_dump({key: {"ros__parameters": parameters}}, file, default_flow_style=False)
    return Path(file.name)
