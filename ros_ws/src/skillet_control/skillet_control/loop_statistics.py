"""How well a periodic loop keeps its period: what `/diagnostics` and the benchmarks report."""

from __future__ import annotations

from collections import deque

import numpy as np


class LoopStatistics:
    """Start times of a loop's last iterations, on the steady clock."""

    def __init__(self, period: float, window: int) -> None:
        """Watch a loop.

        Args:
            period: wanted time from start to start [s].
            window: iterations to remember.
        """
        self._period = period
        self._starts: deque[float] = deque(maxlen=window)

    def tick(self, now: float) -> None:
        """Note that an iteration starts at ``now``, seconds of a steady clock."""
        self._starts.append(now)

    @property
    def rate(self) -> float:
        """Iterations per second over the window; 0 before the second one."""
        starts = list(self._starts)
        return (len(starts) - 1) / (starts[-1] - starts[0]) if len(starts) > 1 else 0.0

    def period_error(self, percentile: float) -> float:
        """Percentile of the absolute difference between actual and wanted period [s]."""
        periods = np.diff(np.array(self._starts))
        return float(np.percentile(np.abs(periods - self._period), percentile)) if len(periods) else 0.0
