"""From messages at any time to rows at a fixed rate: the newest message at or before each row.

All times are integers [ns] of the recording's clock, so that a result does not depend on rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skillet_data.errors import ConversionError

Times = npt.NDArray[np.int64]
SECOND = 1_000_000_000


@dataclass(frozen=True, eq=False)
class Timeline:
    """When a topic's messages were received and measured.

    Attributes:
        topic: for errors.
        received: log times, ascending, shape (m,) [ns]. They decide what a live policy would have had.
        measured: header stamps in the same order, shape (m,) [ns]. They decide how old it was.
    """

    topic: str
    received: Times
    measured: Times


def grid(timelines: list[Timeline], rate: float, offset: int, startup: float) -> Times:
    """Return the times of an episode's rows, shape (n,) [ns].

    The first is when every topic has spoken, the last leaves room for the offset of the actions.

    Args:
        timelines: of every topic that the spec reads.
        rate: rows per second [Hz].
        offset: how far ahead of a row the actions are taken [ns].
        startup: longest wait for the last topic's first message [s].

    Raises:
        ConversionError: a topic has no message or began too late; the episode is too short.
    """
    for line in timelines:
        if not len(line.received):
            raise ConversionError(f"{line.topic}: no message was recorded")
    first = min(int(line.received[0]) for line in timelines)
    latest = max(timelines, key=lambda line: int(line.received[0]))
    start = int(latest.received[0])
    if start - first > startup * SECOND:
        raise ConversionError(
            f"{latest.topic}: its first message came {(start - first) / SECOND:.3f} s after the first of all "
            f"(at most {startup:.3f} s)"
        )
    end = max(int(line.received[-1]) for line in timelines) - offset
    if end < start:
        raise ConversionError(f"the episode is too short: {(end - start + offset) / SECOND:.3f} s")
    count = int((end - start) * rate // SECOND) + 1
    return start + np.round(np.arange(count) * (SECOND / rate)).astype(np.int64)


def latest(
    timeline: Timeline, at: Times, max_age: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Find the newest message at or before each time.

    Args:
        timeline: the topic.
        at: times, shape (n,) [ns].
        max_age: of a message [s].

    Returns:
        Indices into the timeline, shape (n,), and ages, shape (n,) [s].

    Raises:
        ConversionError: a message is older than allowed; names the topic, the time and the age.
    """
    index = np.searchsorted(timeline.received, at, side="right") - 1
    if index[0] < 0:
        raise ConversionError(f"{timeline.topic}: no message before the first row")
    ages = at - timeline.measured[index]
    stale = np.flatnonzero(ages > max_age * SECOND)
    if len(stale):
        row = int(stale[0])
        raise ConversionError(
            f"{timeline.topic}: {(at[row] - at[0]) / SECOND:.3f} s into the episode the newest message is "
            f"{ages[row] / SECOND:.3f} s old (at most {max_age:.3f} s); "
            f"{len(stale)} of {len(at)} rows are affected"
        )
    return index, (ages / SECOND).astype(np.float32)
