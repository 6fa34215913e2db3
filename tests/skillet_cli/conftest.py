from __future__ import annotations

import os
from collections.abc import Callable, Mapping
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
