from __future__ import annotations

import mujoco
import numpy as np
import pytest

from skillet_motion.grasping.antipodal import FRICTION, sample
from skillet_motion.grasping.hand import PadTable
from skillet_motion.grasping.ranking import (
    WEIGHTS,
    clearance_quality,
    reach_quality,
    score,
    surface_qualities,
)
from skillet_motion.grasping.surface import surface_of

DOWN = np.array([0.0, 0.0, -1.0])
OPENINGS = np.array([0.0, 0.08])
PADS = PadTable(OPENINGS, np.full(2, -0.01), np.full(2, 0.01), np.full(2, -0.04), 0.01)
SHAPES = """
<mujoco><worldbody>
  <body name="box"><geom type="box" size=".02 .05 .03"/></body>
  <body name="crate"><geom type="box" size=".05 .06 .07"/></body>
  <body name="ball"><geom type="sphere" size=".03"/></body>
  <body name="can"><geom type="cylinder" size=".03 .05"/></body>
</worldbody></mujoco>
"""


@pytest.fixture(scope="module")
def model():
    return mujoco.MjModel.from_xml_string(SHAPES)


def candidates(model, body, mode="6dof", seed=0, count=300):
    rng = np.random.default_rng(seed)
    return sample(surface_of(model, body, 300, rng), DOWN, PADS, count, rng, mode=mode)


@pytest.mark.parametrize("body", ["box", "ball", "can"])
def test_frames_are_right_handed_and_fingers_close_across_the_approach(model, body):
    found = candidates(model, body)
    assert len(found) > 200
    np.testing.assert_allclose(np.linalg.det(found.axes), 1.0)
    np.testing.assert_allclose(
        np.einsum("kij,kil->kjl", found.axes, found.axes), [np.eye(3)] * len(found), atol=1e-9
    )


def test_a_box_is_closed_on_across_the_sides_that_fit(model):
    found = candidates(model, "box")
    sides = np.abs(found.axes[:, :, 1])
    # 40 and 60 mm fit between fingers that open 80 mm, 100 mm does not
    assert sides[:, 1].max() < 1e-6
    assert (sides.max(axis=1) > 1 - 1e-6).all()
    across = sides[:, 0] > 0.5
    np.testing.assert_allclose(found.widths[across], 0.04, atol=1e-9)
    np.testing.assert_allclose(found.widths[~across], 0.06, atol=1e-9)
    assert found.too_wide > 0


def test_what_is_too_wide_gives_nothing_and_says_so(model):
    found = candidates(model, "crate")
    assert len(found) == 0
    assert found.too_wide > 1000


@pytest.mark.parametrize("body", ["ball", "can"])
def test_round_things_are_grasped_through_their_middle(model, body):
    found = candidates(model, body)
    flat = np.abs(found.axes[:, 2, 1]) < 0.5
    off = np.einsum("ki,ki->k", found.positions[flat], found.axes[flat][:, :, 1])
    assert np.percentile(np.abs(off), 90) < 0.004
    assert (found.antipodality > np.cos(2 * np.arctan(FRICTION))).mean() > 0.95
    assert found.widths.max() < 0.0605


@pytest.mark.parametrize("body", ["box", "ball", "can"])
def test_planar_grasps_come_straight_from_above_and_close_level(model, body):
    found = candidates(model, body, mode="planar")
    assert len(found) > 200
    np.testing.assert_allclose(found.axes[:, :, 2], [DOWN] * len(found), atol=1e-12)
    np.testing.assert_allclose(found.axes[:, 2, 1], 0.0, atol=1e-12)


def test_pads_reach_over_the_side_but_the_palm_stays_clear(model):
    found = candidates(model, "box", mode="planar")
    top, palm = 0.03, found.positions[:, 2] + 0.04
    assert (palm >= top + 0.004 - 1e-3).all()
    assert (found.depths >= 0.015).all()
    np.testing.assert_allclose(found.depths, top - (found.positions[:, 2] - 0.01), atol=0.003)


def test_approaches_prefer_down_and_come_from_the_side_at_most(model):
    approach = candidates(model, "ball").axes[:, :, 2]
    # a closing direction within 20 degrees of the vertical has no side that is further up
    assert (approach @ DOWN > -np.sin(np.deg2rad(20.0))).all()
    assert (approach @ DOWN).mean() > 0.45


def test_a_seed_gives_the_same_candidates_and_another_one_others(model):
    first, again, other = (candidates(model, "can", seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.positions, again.positions)
    assert first.positions.shape != other.positions.shape or not np.allclose(first.positions, other.positions)


def test_a_grasp_under_the_centre_of_mass_line_is_balanced_and_one_beside_it_is_not(model):
    found = candidates(model, "box", mode="planar")
    rated = surface_qualities(found, DOWN, DOWN, np.zeros(3))
    across = np.abs(found.axes[:, 0, 1]) > 0.5
    lever = np.abs(found.positions[across][:, 1])
    np.testing.assert_allclose(rated["balance"][across], 1 - lever / 0.08, atol=1e-9)
    np.testing.assert_allclose(rated["approach"], 1.0)
    assert all(((values >= 0) & (values <= 1)).all() for values in rated.values())


def test_scores_are_weighted_means_of_what_is_known():
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)
    assert score(dict.fromkeys(WEIGHTS, 0.25)) == pytest.approx(0.25)
    assert score({"antipodality": 1.0, "balance": 0.0}) == pytest.approx(0.30 / 0.55)
    assert [clearance_quality(gap) for gap in (-0.01, 0.005, 0.1)] == pytest.approx([0.0, 0.5, 1.0])


def test_a_posture_at_a_limit_and_far_away_is_worth_less():
    low, high, here = -np.ones(2), np.ones(2), np.zeros(2)
    best = reach_quality(here, here, low, high)
    assert best == pytest.approx(1.0)
    assert reach_quality(np.array([0.0, 1.0]), here, low, high) < 0.5
