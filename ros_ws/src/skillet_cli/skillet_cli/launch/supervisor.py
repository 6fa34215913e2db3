"""Runs the processes of a launch: starts them, passes their output on, notices their end, ends them all.

One loop in one thread waits on everything at once: the pipes of the processes, their ends (a pidfd each)
and signals to the supervisor itself. A process cannot outlive the supervisor, not even one that is killed:
the kernel sends it SIGKILL when its parent dies.
"""

from __future__ import annotations

import selectors
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from skillet_cli.launch.child import Child, start
from skillet_cli.launch.description import ProcessDescription

STOP_BUDGET = 1.8
"""All processes are gone this long after the first signal to stop [s]."""
_INTERRUPT_SHARE, _TERMINATE_SHARE = 0.6, 0.85
"""Parts of the budget after which SIGTERM, then SIGKILL replaces SIGINT."""

Print = Callable[[str], None]


class Supervisor:
    """The running processes of one launch.

    Args:
        processes: what to run, in the order to start it.
        out: receives each line to show.
        log_dir: an existing folder; each process's output is kept there as ``<label>.log``.
    """

    def __init__(self, processes: Sequence[ProcessDescription], out: Print, log_dir: Path) -> None:
        """Prepare; nothing is started yet."""
        self._descriptions = processes
        self._out = out
        self._log_dir = log_dir
        self._selector = selectors.DefaultSelector()
        self._children: list[Child] = []
        self._due: list[tuple[float, ProcessDescription, int]] = []
        self._failed = False
        self._stopping = False

    def run(self) -> int:
        """Run until every process has ended, one that must not end has, or a signal asks to stop.

        Returns:
            The exit status: 0 where no process failed, else 1.
        """
        with ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skillet_launch_")))
            stack.enter_context(self._signals())
            stack.callback(self._selector.close)
            stack.callback(self._kill_rest)
            for description in self._descriptions:
                self._start(description, scratch, retries=0)
            while (self._children or self._due) and not self._stopping:
                self._turn(self._until_due())
                self._start_due(scratch)
            self._stop_all()
        return 1 if self._failed else 0

    def _start(self, description: ProcessDescription, scratch: Path, *, retries: int) -> None:
        try:
            child = start(description, scratch, self._log_dir, retries)
        except OSError as error:
            self._out(f"[{description.label}] cannot be started: {error}")
            self._failed = True
            self._stopping = self._stopping or description.ends_all
            return
        self._out(f"[{description.label}] started, process {child.pid}")
        for pipe in child.pipes:
            self._selector.register(pipe, selectors.EVENT_READ, child)
        self._selector.register(child.pidfd, selectors.EVENT_READ, child)
        self._children.append(child)

    def _turn(self, timeout: float | None) -> None:
        """Wait for something to happen and deal with it."""
        for key, _ in self._selector.select(timeout):
            child: Child | None = key.data
            if child is None:
                self._signalled()
            elif child.running and key.fd == child.pidfd:
                self._ended(child)
            elif child.running:
                self._show(child, child.read(key.fd))
                if key.fd not in child.pipes:
                    self._selector.unregister(key.fd)

    def _show(self, child: Child, lines: Sequence[str]) -> None:
        for line in lines:
            self._out(f"[{child.label}] {line}")

    def _ended(self, child: Child) -> None:
        for pipe in child.pipes:
            self._selector.unregister(pipe)
        self._selector.unregister(child.pidfd)
        self._show(child, child.finish())
        self._children.remove(child)
        if self._stopping:
            return
        status = child.returncode
        if status == 0:
            self._out(f"[{child.label}] ended")
        else:
            self._failed = True
            self._out(f"[{child.label}] DIED: {_reason(status)}. Its last lines:")
            for line in child.tail or ["(it said nothing)"]:
                self._out(f"[{child.label}]   | {line}")
        self._after_end(child)

    def _after_end(self, child: Child) -> None:
        description, respawn = child.description, child.description.respawn
        if description.ends_all:
            self._out(f"[{child.label}] the launch ends with it")
            self._stopping = True
        elif respawn.enabled and not 0 <= respawn.max_retries <= child.retries:
            self._out(f"[{child.label}] starts again in {respawn.delay:g} s")
            self._due.append((time.monotonic() + respawn.delay, description, child.retries + 1))

    def _until_due(self) -> float | None:
        if not self._due:
            return None
        return max(0.0, min(when for when, _, _ in self._due) - time.monotonic())

    def _start_due(self, scratch: Path) -> None:
        now = time.monotonic()
        ready = [entry for entry in self._due if entry[0] <= now]
        self._due = [entry for entry in self._due if entry[0] > now]
        for _, description, retries in ready:
            if not self._stopping:
                self._start(description, scratch, retries=retries)

    def _stop_all(self) -> None:
        """End everything in the reverse order of starting, within `STOP_BUDGET`."""
        self._stopping = True
        if not self._children:
            return
        self._out("stopping")
        begin = time.monotonic()
        share = _INTERRUPT_SHARE * STOP_BUDGET / len(self._children)
        for number, child in enumerate(reversed(list(self._children)), start=1):
            child.signal(signal.SIGINT)
            self._wait(partial(_has_ended, child), begin + number * share)
        self._wait(lambda: not self._children, begin + _INTERRUPT_SHARE * STOP_BUDGET)
        for signum, share in ((signal.SIGTERM, _TERMINATE_SHARE), (signal.SIGKILL, 1.0)):
            for child in list(self._children):
                self._out(f"[{child.label}] still running, {signum.name}")
                child.signal(signum)
            self._wait(lambda: not self._children, begin + share * STOP_BUDGET)
        self._out("stopped")

    def _wait(self, done: Callable[[], bool], deadline: float) -> None:
        while not done() and (left := deadline - time.monotonic()) > 0:
            self._turn(left)

    def _kill_rest(self) -> None:
        for child in list(self._children):
            child.signal(signal.SIGKILL)
            child.finish()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn SIGINT, SIGTERM and SIGHUP into something the loop can wait for."""
        inbox, outbox = socket.socketpair()
        inbox.settimeout(0)
        outbox.settimeout(0)
        self._inbox = inbox
        self._selector.register(inbox, selectors.EVENT_READ, None)
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [(number, signal.signal(number, lambda *_: None)) for number in signals]
        wakeup = signal.set_wakeup_fd(outbox.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before:
                signal.signal(number, handler)
            inbox.close()
            outbox.close()

    def _signalled(self) -> None:
        again = self._stopping
        self._inbox.recv(64)
        self._stopping = True
        if again:  # asked twice: no more patience
            for child in self._children:
                child.signal(signal.SIGKILL)


def _has_ended(child: Child) -> bool:
    return not child.running


def _reason(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    return f"killed by {signal.Signals(-status).name}"
