"""How sure a success rate is."""

from __future__ import annotations

import math

NORMAL_95 = 1.959964
"""The normal distribution's quantile for a two-sided confidence of 95 %."""


def wilson_interval(successes: int, trials: int, quantile: float = NORMAL_95) -> tuple[float, float]:
    """Return bounds of a probability of success from counted trials.

    After Wilson, "Probable inference, the law of succession, and statistical inference" (1927): unlike
    the textbook interval it is honest for few trials and for rates near 0 and 1.

    Args:
        successes: how many trials succeeded.
        trials: how many there were.
        quantile: of the normal distribution, for the confidence.

    Returns:
        Lower and upper bound, 0 to 1.

    Raises:
        ValueError: there were no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"0 <= successes <= trials and trials > 0, got {successes} of {trials}")
    rate, z2 = successes / trials, quantile**2 / trials
    middle = (rate + z2 / 2) / (1 + z2)
    half = math.sqrt(z2 * (rate * (1 - rate) + z2 / 4)) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)
