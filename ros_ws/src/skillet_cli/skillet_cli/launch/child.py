"""One started process: its pipes, its last lines, its end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from skillet_cli.launch.description import ProcessDescription, command_line
from skillet_core.errors import SkilletError

TAIL_LINES = 15
"""How many of its last lines are kept to be shown when a process dies."""


@dataclass
class Child:
    """A process that was started.

    Args:
        description: what was started.
        process: the process.
        log: where its output is kept.
        retries: how often it has been started again before.
    """

    description: ProcessDescription
    process: subprocess.Popen[bytes]
    log: BinaryIO
    retries: int
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))

    def __post_init__(self) -> None:
        """Open what the supervisor waits on."""
        stdout, stderr = self.process.stdout, self.process.stderr
        if stdout is None or stderr is None:
            raise ValueError("a child is started with pipes for its output")
        self._shown = {stdout.fileno(): self.description.to_terminal, stderr.fileno(): True}
        self._partial = dict.fromkeys(self._shown, b"")
        for pipe in self._shown:
            os.set_blocking(pipe, False)
        self._files = (stdout, stderr)
        self.pidfd = os.pidfd_open(self.process.pid)
        self.pipes: list[int] = list(self._shown)
        self.running = True

    @property
    def label(self) -> str:
        """What it is called in the output."""
        return self.description.label

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self.process.pid

    @property
    def returncode(self) -> int:
        """Its exit status, negative for the signal that killed it; only after `finish`."""
        return int(self.process.returncode)

    def read(self, pipe: int) -> Sequence[str]:
        """Take what a pipe has; return the whole lines that are to be shown.

        A pipe that has nothing more to come leaves `pipes`.
        """
        try:
            data = os.read(pipe, 65536)
        except BlockingIOError:
            return ()
        if not data:
            self.pipes.remove(pipe)
            last, self._partial[pipe] = self._partial[pipe], b""
            return self._take([last], pipe) if last else ()
        self.log.write(data)
        *lines, self._partial[pipe] = (self._partial[pipe] + data).split(b"\n")
        return self._take(lines, pipe)

    def signal(self, number: int) -> None:
        """Send a signal to the process and all that it has started."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return  # it ended in this moment; the pidfd will say so

    def finish(self) -> Sequence[str]:
        """Reap the ended process, end what it left behind, close everything; return its last lines."""
        self.running = False
        self.signal(signal.SIGKILL)  # before it is reaped: until then its group cannot be another's
        self.process.wait()
        lines: list[str] = []
        for pipe in tuple(self.pipes):
            while pipe in self.pipes:  # all writers are dead, so each pipe comes to its end
                lines += self.read(pipe)
        os.close(self.pidfd)
        self.log.close()
        for file in self._files:
            file.close()
        return lines

    def _take(self, lines: Sequence[bytes], pipe: int) -> Sequence[str]:
        decoded = [line.decode(errors="replace").rstrip("\r") for line in lines]
        self.tail.extend(decoded)
        return decoded if self._shown[pipe] else ()


def start(description: ProcessDescription, scratch: Path, log_dir: Path, retries: int) -> Child:
    """Start a process in a group of its own, bound to the life of this one.

    Args:
        description: what to start.
        scratch: folder for parameter files.
        log_dir: folder for its log.
        retries: how often it has been started before.

    Raises:
        OSError: it cannot be executed.
        SkilletError: ``setpriv`` is missing.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SkilletError("setpriv was not found; it belongs to the system package util-linux")
    words = command_line(description, scratch)
    program = shutil.which(words[0], path=description.environment.get("PATH"))
    if program is None:
        raise FileNotFoundError(f"no program {words[0]!r} on PATH")
    process = subprocess.Popen(
        # the death signal survives the exec that follows, so no code of ours runs between fork and exec
        [setpriv, "--pdeathsig", "KILL", "--", program, *words[1:]],
        env={"PYTHONUNBUFFERED": "1", **description.environment},
        cwd=description.cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )
    return Child(description, process, (log_dir / f"{description.label}.log").open("ab"), retries)
