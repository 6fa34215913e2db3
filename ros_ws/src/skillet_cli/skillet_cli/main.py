"""The ``skillet`` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from skillet_cli import launch
from skillet_core.errors import SkilletError

_COMMANDS = ("launch", "demo")


def _launch_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skillet launch", description="Run a .launch.xml file; Ctrl-C ends all its processes."
    )
    parser.add_argument("file", help="path, or name in Skillet's launch folder: sim or sim.launch.xml")
    parser.add_argument("arguments", nargs="*", metavar="name:=value", help="launch arguments")
    parser.add_argument("-s", "--show-args", action="store_true", help="list the arguments, run nothing")
    parser.add_argument("-p", "--print", action="store_true", help="list the processes, run nothing")
    parser.add_argument("--log-dir", type=Path, help="folder for the processes' output")
    return parser


def _log_dir(asked: Path | None) -> Path:
    """The folder for logs: the one asked for, else where ROS 2 keeps its own."""
    home = os.environ.get("ROS_HOME") or Path.home() / ".ros"
    base = os.environ.get("ROS_LOG_DIR") or Path(home) / "log"
    folder = asked or Path(base) / f"skillet_launch_{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _describe(process: launch.ProcessDescription) -> str:
    node, inherited = process.node, os.environ
    lines = [f"{process.label}:  {' '.join(process.program)}"]
    if node is not None:
        lines += [f"    name       {node.name}"] * (node.name is not None)
        lines += [f"    namespace  {node.namespace}"] * (node.namespace is not None)
        lines += [f"    parameters {parameters}" for parameters in node.parameters]
        lines += [f"    remap      {source} -> {target}" for source, target in node.remappings]
    lines += [
        f"    env        {name}={value}"
        for name, value in process.environment.items()
        if inherited.get(name) != value
    ]
    if process.respawn.enabled:
        lines.append(f"    respawn    after {process.respawn.delay:g} s")
    return "\n".join(lines)


def launch_command(argv: Sequence[str], console: Console) -> int:
    """Run ``skillet launch``; return the exit status.

    Raises:
        SkilletError: the file or an argument is wrong.
    """
    options = _launch_parser().parse_args(argv)
    path = launch.find_launch_file(options.file)

    def show(line: str) -> None:
        console.out(line, highlight=False)

    if options.show_args:
        declared = launch.declared_arguments(path, os.environ)
        show(f"Arguments of {path.name} (name:=value):")
        show("\n".join(map(str, declared)) or "  (none)")
        return 0
    processes = launch.read_launch(path, launch.parse_given(options.arguments), os.environ)
    if options.print:
        show("\n".join(map(_describe, processes)))
        return 0
    if freed := launch.remove_abandoned_segments():
        show(f"removed the shared memory of {freed} processes that were killed earlier")
    log_dir = _log_dir(options.log_dir)
    show(f"{path.name}: {len(processes)} processes, logs in {log_dir}")
    return launch.Supervisor(processes, show, log_dir).run()


def _demo(argv: Sequence[str], _console: Console) -> int:
    from skillet_cli.demo import main as demo  # noqa: PLC0415 - loads ROS and more, wanted only here

    return demo(list(argv))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status: 2 for a mistake in what was asked."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="skillet", description="From language to robot skill on ROS 2.")
    parser.add_argument("command", choices=_COMMANDS, help="launch: run a launch file; demo: the whole path")
    commands: dict[str, Callable[[Sequence[str], Console], int]] = {"launch": launch_command, "demo": _demo}
    options = parser.parse_args(words[:1])
    try:
        return commands[options.command](words[1:], Console())
    except SkilletError as error:
        Console(stderr=True).print(f"error: {error}", style="red", highlight=False, markup=False)
        return 2


if __name__ == "__main__":
    sys.exit(main())
