import numpy as np
import pytest

from skillet_control.loop_statistics import LoopStatistics


def test_nothing_is_claimed_before_there_is_a_period():
    statistics = LoopStatistics(0.004, window=10)
    statistics.tick(1.0)
    assert statistics.rate == 0.0
    assert statistics.period_error(99) == 0.0


def test_rate_and_error_are_those_of_the_window():
    statistics = LoopStatistics(0.004, window=101)
    now = 0.0
    for _ in range(300):  # early ones, to be forgotten
        statistics.tick(now)
        now += 0.1
    for k in range(101):
        statistics.tick(now)
        now += 0.004 if k != 50 else 0.014
    assert statistics.rate == pytest.approx(100 / (100 * 0.004 + 0.01))
    assert statistics.period_error(50) == pytest.approx(0.0, abs=1e-9)
    assert statistics.period_error(100) == pytest.approx(0.010)
    assert np.isfinite(statistics.period_error(99))
