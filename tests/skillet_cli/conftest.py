from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from skillet_cli.launch import ProcessDescription, read_launch

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the inside of a launch file; returns its path."""

    def write(inside: str, name: str = "test.launch.xml") -> Path:
        path = tmp_path / name
        path.write_text(f"<launch>\n{inside}\n</launch>\n")
        return path

    return write


@pytest.fixture
def read(write: Write) -> Callable[..., tuple[ProcessDescription, ...]]:
    """Reads the inside of a launch file with arguments and an environment."""

    def read(
        inside: str, arguments: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
    ) -> tuple[ProcessDescription, ...]:
        return read_launch(write(inside), arguments or {}, environment or {})

    return read


@pytest.fixture
def dummy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed ROS package ``dummy`` with the executables ``talk`` and ``listen``."""
    prefix = tmp_path / "prefix"
    for folder in ("share/ament_index/resource_index/packages", "share/dummy", "lib/dummy"):
        (prefix / folder).mkdir(parents=True)
    (prefix / "share/ament_index/resource_index/packages/dummy").touch()
    for name in ("talk", "listen"):
        executable = prefix / "lib/dummy" / name
        executable.write_text("#!/bin/sh\necho $@\n")
        executable.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", os.pathsep.join([str(prefix), *_prefixes()]))
    return prefix


def _prefixes() -> list[str]:
    return [path for path in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if path]


PATIENCE = 20.0
"""A hang ends the test after this long [s]; nothing here takes a second by itself."""


class Launch:
    """``skillet launch`` in a process of its own."""

    def __init__(self, file: str, log_dir: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "skillet_cli.main", "launch", file, *arguments]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(
            [*command, "--log-dir", str(log_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def until(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"{pattern!r} was never printed:\n" + "\n".join(self.lines))

    def finish(self) -> int:
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        return self.process.wait(PATIENCE)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def run_launch(tmp_path: Path) -> Iterator[Callable[..., Launch]]:
    """Starts ``skillet launch FILE ARGUMENTS``; whatever is left at the end is killed."""
    started: list[Launch] = []

    def run_launch(file: str, *arguments: str) -> Launch:
        started.append(Launch(file, tmp_path / "log", *arguments))
        return started[-1]

    yield run_launch
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


@pytest.fixture
def launch(write: Write, run_launch: Callable[..., Launch]) -> Callable[[str], Launch]:
    """Starts ``skillet launch`` on the inside of a launch file."""
    return lambda inside: run_launch(str(write(inside)))


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Waits for a process to end; whether it has."""

    def gone(pid: int) -> bool:
        deadline = time.monotonic() + PATIENCE
        while _alive(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        return not _alive(pid)

    return gone


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
