from __future__ import annotations

import itertools

import numpy as np
import pytest

from skillet_core.errors import UnknownNameError
from skillet_motion.search import CHECK_STEP, find_path, path_length, segment_is_free

LOWER, UPPER = np.full(3, -2.0), np.full(3, 2.0)
START, GOAL = np.array([-1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])


def beside_the_wall(positions):
    x, y, _ = positions
    return abs(x) > 0.2 or y > 1.0


def nowhere(positions):
    return abs(positions[0]) > 0.2


def search(is_free=beside_the_wall, seed=0, goals=(GOAL,), iterations=2000, planner="rrt_connect"):
    return find_path(
        START, goals, is_free, lower=LOWER, upper=UPPER, seed=seed, iterations=iterations, planner=planner
    )


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
    assert result.iterations == 150


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


SHORTENING = pytest.mark.parametrize("planner", ["rrt_star", "bit_star"])


@SHORTENING
def test_a_shortening_planner_never_answers_with_a_longer_path_and_mostly_with_a_shorter(planner):
    shorter = 0
    for seed in range(5):
        waypoints = search(seed=seed, iterations=600, planner=planner).waypoints
        np.testing.assert_array_equal(waypoints[[0, -1]], [START, GOAL])
        assert all(segment_is_free(*ends, beside_the_wall) for ends in itertools.pairwise(waypoints))
        first, second = path_length(search(seed=seed).waypoints), path_length(waypoints)
        assert second <= first
        shorter += second < 0.99 * first
    assert shorter >= 2


@SHORTENING
def test_a_shortening_planner_repeats_itself_and_keeps_to_its_iterations(planner):
    first = search(seed=3, iterations=200, planner=planner)
    search(seed=4, iterations=100, planner=planner)
    second = search(seed=3, iterations=200, planner=planner)
    np.testing.assert_array_equal(first.waypoints, second.waypoints)
    assert first.iterations == second.iterations == 200


@SHORTENING
def test_more_iterations_check_more(planner):
    counts = []
    for iterations in (50, 500):
        seen = []
        search(lambda q: seen.append(0) or beside_the_wall(q), iterations=iterations, planner=planner)  # noqa: B023
        counts.append(len(seen))
    assert counts[1] > 2 * counts[0]


def test_an_unknown_planner_is_an_error_that_names_those_there_are():
    with pytest.raises(UnknownNameError, match=r"unknown planner 'rrt_conect'.*'rrt_connect'.*bit_star"):
        search(planner="rrt_conect")


def test_a_path_is_verified_by_the_segment_check_that_is_given():
    asked = []

    def segment_free(start, end):
        asked.append((start, end))
        return segment_is_free(start, end, beside_the_wall)

    result = find_path(
        START, [GOAL], beside_the_wall, lower=LOWER, upper=UPPER, seed=0, segment_free=segment_free
    )
    for ends in itertools.pairwise(result.waypoints):
        assert any(np.array_equal(ends, pair) for pair in asked)
