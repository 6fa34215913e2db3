from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from skillet_cli.launch import remove_abandoned_segments

SEGMENT = "fastrtps_0123456789abcdef"
HOUR_AGO = (1.0, 1.0)


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """A segment and its lock file, both old."""
    for name in (SEGMENT, f"{SEGMENT}_el"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, HOUR_AGO)
    return tmp_path / SEGMENT


def test_the_segment_of_a_dead_process_is_removed_with_its_lock(segment: Path) -> None:
    assert remove_abandoned_segments(segment.parent) == 1
    assert list(segment.parent.iterdir()) == []


def test_the_segment_of_a_living_process_stays(segment: Path) -> None:
    with Path(f"{segment}_el").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert remove_abandoned_segments(segment.parent) == 0
    assert segment.exists()


def test_a_segment_that_is_just_being_made_stays(segment: Path) -> None:
    Path(f"{segment}_el").touch()
    assert remove_abandoned_segments(segment.parent) == 0
    assert segment.exists()


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    others = {"fastrtps_port7411", "fastrtps_port7411_el", "sem.fastrtps_port7411_mutex", "mine"}
    for name in others:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, HOUR_AGO)
    assert remove_abandoned_segments(tmp_path) == 0
    assert {path.name for path in tmp_path.iterdir()} == others
