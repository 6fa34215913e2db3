from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skillet_motion.placing.rests import stable_rests

CORNERS = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))


def test_a_box_rests_on_six_sides_and_the_largest_is_the_safest():
    rests = stable_rests(CORNERS * [0.01, 0.03, 0.05], np.zeros(3))
    assert len(rests) == 6
    assert [round(rest.margin, 6) for rest in rests] == [0.03, 0.03, 0.01, 0.01, 0.01, 0.01]
    np.testing.assert_allclose(np.abs(rests[0].down), [1.0, 0.0, 0.0], atol=1e-9)


def test_a_side_that_the_centre_of_mass_is_not_over_is_no_rest():
    rests = stable_rests(CORNERS * [0.01, 0.03, 0.05], np.array([0.02, 0.0, 0.0]))
    assert len(rests) == 2
    assert all(abs(rest.down[0]) > 0.99 for rest in rests)


@pytest.mark.parametrize("tilt", [0.0, 0.4, -1.0])
def test_the_nearest_orientation_brings_the_side_down_and_turns_no_more_than_needed(tilt):
    held = Rotation.from_euler("zyx", [0.7, 0.0, tilt])
    floor = next(rest for rest in stable_rests(CORNERS * 0.02, np.zeros(3)) if rest.down[2] < -0.9)
    rotation, angle = floor.rotation(held)
    np.testing.assert_allclose(rotation.apply(floor.down), [0.0, 0.0, -1.0], atol=1e-9)
    assert angle == pytest.approx(abs(tilt))
    assert (rotation * held.inv()).magnitude() == pytest.approx(abs(tilt), abs=1e-9)


def test_something_upside_down_is_turned_over():
    floor = next(rest for rest in stable_rests(CORNERS * 0.02, np.zeros(3)) if rest.down[2] > 0.9)
    rotation, angle = floor.rotation(Rotation.identity())
    np.testing.assert_allclose(rotation.apply(floor.down), [0.0, 0.0, -1.0], atol=1e-9)
    assert angle == pytest.approx(np.pi)
