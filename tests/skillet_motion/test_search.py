from __future__ import annotations

import itertools

import numpy as np
import pytest

from skillet_motion.search import CHECK_STEP, find_path, segment_is_free

LOWER, UPPER = np.full(3, -2.0), np.full(3, 2.0)
START, GOAL = np.array([-1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])


def beside_the_wall(positions):
    x, y, _ = positions
    return abs(x) > 0.2 or y > 1.0


def nowhere(positions):
    return abs(positions[0]) > 0.2


def search(is_free=beside_the_wall, seed=0, goals=(GOAL,), iterations=2000):
    return find_path(START, goals, is_free, lower=LOWER, upper=UPPER, seed=seed, iterations=iterations)


@pytest.mark.parametrize("seed", range(5))
def test_a_path_leads_around_a_wall_without_touching_it(seed):
    waypoints = search(seed=seed).waypoints
    np.testing.assert_array_equal(waypoints[[0, -1]], [START, GOAL])
    assert len(waypoints) > 2
    for start, end in itertools.pairwise(waypoints):
        assert segment_is_free(start, end, beside_the_wall)


def test_the_same_seed_gives_the_same_path_whatever_was_searched_before():
    first = search(seed=7)
    search(seed=8)
    second = search(seed=7)
    np.testing.assert_array_equal(first.waypoints, second.waypoints)
    assert first.iterations == second.iterations


def test_another_seed_gives_another_path():
    first, second = search(seed=1).waypoints, search(seed=2).waypoints
    assert first.shape != second.shape or not np.array_equal(first, second)


def test_a_search_without_a_way_ends_after_its_iterations():
    result = search(nowhere, iterations=150)
    assert result.waypoints is None
    assert result.iterations >= 150


def test_any_of_several_goals_will_do():
    enclosed = np.array([0.0, 0.0, 0.0])
    near = np.array([-1.0, 1.5, 0.0])
    assert beside_the_wall(near)
    waypoints = search(goals=(near, GOAL)).waypoints
    assert any(np.array_equal(waypoints[-1], goal) for goal in (near, GOAL))
    assert not np.array_equal(waypoints[-1], enclosed)


def test_every_state_of_a_segment_is_checked_once_at_the_step_asked_for():
    seen = []
    assert segment_is_free(START, GOAL, lambda q: seen.append(float(q[0])) is None)
    assert len(set(seen)) == len(seen)
    np.testing.assert_allclose(np.diff(sorted([-1.0, *seen])), CHECK_STEP)
    assert seen[:2] == [1.0, pytest.approx(0.024)]  # the end first, then as far apart as can be


def test_a_thin_obstacle_on_a_segment_is_found():
    assert not segment_is_free(START, GOAL, lambda q: abs(q[0] - 0.5) > 0.0045)
