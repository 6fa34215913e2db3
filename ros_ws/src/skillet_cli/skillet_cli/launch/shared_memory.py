"""Frees the shared memory that killed processes have left behind.

Fast DDS gives each process a segment in ``/dev/shm`` and locks the file ``<segment>_el`` beside it for as
long as the process lives. One that is killed cannot remove its segment; the lock tells it is abandoned.
"""

from __future__ import annotations

import fcntl
import re
import tempfile
from pathlib import Path

FOLDER = Path("/dev/shm")  # noqa: S108 - not ours to choose: where Fast DDS keeps its segments
_LOCK_SUFFIX = "_el"
_SEGMENT_LOCK = re.compile(rf"fastrtps_[0-9a-f]{{16}}{_LOCK_SUFFIX}")
_YOUNG = 10.0
"""A lock file younger than this may be one that its owner is just about to lock [s]."""


def remove_abandoned_segments(folder: Path = FOLDER) -> int:
    """Remove the segments whose owners are dead; return how many.

    Segments of other users, and of processes that live, are left alone.
    """
    if not folder.is_dir():
        return 0
    with tempfile.NamedTemporaryFile(dir=folder) as reference:
        now = Path(reference.name).stat().st_mtime
    locks = [path for path in folder.iterdir() if _SEGMENT_LOCK.fullmatch(path.name)]
    return sum(_remove_if_abandoned(lock, now) for lock in locks)


def _remove_if_abandoned(lock: Path, now: float) -> bool:
    try:
        if now - lock.stat().st_mtime < _YOUNG:
            return False
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Path(str(lock).removesuffix(_LOCK_SUFFIX)).unlink(missing_ok=True)
            lock.unlink(missing_ok=True)
    except (BlockingIOError, FileNotFoundError, PermissionError):
        return False  # its owner lives, or has just removed it, or is someone else
    return True
