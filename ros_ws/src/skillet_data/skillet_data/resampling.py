"""From messages at any time to rows at a fixed rate: the newest message measured at or before each row.

A message's time is its header's stamp, when it was measured; when the recorder got round to receiving it
would put the recorder's own hesitation into the data. All times are integers [ns] of the recording's
clock, so that a result does not depend on rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skillet_data.errors import ConversionError

Times = npt.NDArray[np.int64]
SECOND = 1_000_000_000


@dataclass(frozen=True, eq=False)
class Timeline:
    """When a topic's messages were measured.

    Attributes:
        topic: for errors.
        times: ascending, shape (m,) [ns].
        order: which recorded message each time belongs to, counted as they were received, shape (m,).
    """

    topic: str
    times: Times
    order: npt.NDArray[np.intp]

    @classmethod
    def of(cls, topic: str, measured: Sequence[int]) -> Timeline:
        """Sort times, given in the order of receipt; equal ones keep it."""
        times = np.array(measured, dtype=np.int64)
        order = np.argsort(times, kind="stable")
        return cls(topic, times[order], order)


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
        if not len(line.times):
            raise ConversionError(f"{line.topic}: no message was recorded")
    first = min(int(line.times[0]) for line in timelines)
    latest = max(timelines, key=lambda line: int(line.times[0]))
    start = int(latest.times[0])
    if start - first > startup * SECOND:
        raise ConversionError(
            f"{latest.topic}: its first message was measured {(start - first) / SECOND:.3f} s after the "
            f"first of all (at most {startup:.3f} s)"
        )
    end = max(int(line.times[-1]) for line in timelines) - offset
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
        Recorded messages, counted as received, shape (n,), and their ages, shape (n,) [s].

    Raises:
        ConversionError: a message is older than allowed; names the topic, the time and the age.
    """
    index = np.searchsorted(timeline.times, at, side="right") - 1
    if index[0] < 0:
        raise ConversionError(f"{timeline.topic}: no message before the first row")
    ages = at - timeline.times[index]
    stale = np.flatnonzero(ages > max_age * SECOND)
    if len(stale):
        row = int(stale[0])
        raise ConversionError(
            f"{timeline.topic}: {(at[row] - at[0]) / SECOND:.3f} s into the episode the newest message is "
            f"{ages[row] / SECOND:.3f} s old (at most {max_age:.3f} s); "
            f"{len(stale)} of {len(at)} rows are affected"
        )
    return timeline.order[index], (ages / SECOND).astype(np.float32)
