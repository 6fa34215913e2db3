"""Wilson's interval, against published values."""

import numpy as np
import pytest

from skillet_core.statistics import wilson_interval


# Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3
@pytest.mark.parametrize(
    ("successes", "trials", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_the_published_one(successes, trials, lower, upper):
    np.testing.assert_allclose(wilson_interval(successes, trials), (lower, upper), atol=5e-5)


def test_a_perfect_record_is_not_certainty():
    lower, upper = wilson_interval(50, 50)
    assert 0.9 < lower < 0.95
    assert upper == pytest.approx(1.0)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 5)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ValueError, match="trials"):
        wilson_interval(successes, trials)
