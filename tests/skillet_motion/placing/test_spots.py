from __future__ import annotations

import numpy as np
import pytest

from skillet_core.geometry import Pose
from skillet_core.scene import Box
from skillet_motion.placing.spots import WALL_GAP, Outline, spots

SQUARE = np.array([[-0.02, -0.02], [0.02, -0.02], [0.02, 0.02], [-0.02, 0.02], [0.0, 0.0]])
FLOOR = Box(center=(0.0, 0.0, 0.05), size=(0.2, 0.3, 0.1))


def test_spots_keep_the_outline_on_a_turned_floor_and_come_nearest_first():
    frame = Pose.from_xyz_rpy((0.4, 0.1, 0.3), (0.0, 0.0, 0.6))
    outline, wish = Outline.of(SQUARE), np.array([0.42, 0.12, 0.0])
    found = spots(FLOOR, frame, outline, wish)
    np.testing.assert_allclose(found[:, 2], 0.3)
    np.testing.assert_allclose(found[0, :2], wish[:2], atol=1e-9)
    assert (np.diff(np.linalg.norm(found[:, :2] - wish[:2], axis=1)) >= -1e-12).all()
    for spot in found:
        corners = frame.inverse().apply(np.column_stack([SQUARE + spot[:2], np.full(5, 0.3)]))
        assert (np.abs(corners[:, :2]) <= np.array([0.1, 0.15]) - WALL_GAP + 1e-9).all()


def test_a_wish_beside_the_floor_gives_the_nearest_spot_on_it():
    found = spots(FLOOR, Pose.identity(), Outline.of(SQUARE), np.array([0.5, 0.0, 0.0]))
    np.testing.assert_allclose(found[0], [0.08 - WALL_GAP, 0.0, 0.0], atol=1e-9)


def test_a_floor_that_is_too_narrow_has_its_middle_line():
    found = spots(Box(size=(0.03, 0.3, 0.0)), Pose.identity(), Outline.of(SQUARE), np.zeros(3))
    np.testing.assert_allclose(found[:, 0], 0.0, atol=1e-9)
    assert len(found) > 3


@pytest.mark.parametrize("other", [SQUARE, 3 * SQUARE, 0.2 * SQUARE])
def test_room_is_the_gap_beside_another_outline_and_none_within_it(other):
    outline, half = Outline.of(SQUARE), float(other.max())
    shifts = np.array([[0.0, 0.0], [0.02 + half + 0.03, 0.0], [0.0, -0.02 - half - 0.01]])
    room = outline.room(Outline.of(other), shifts, 0.05)
    assert room[0] <= 0.0
    np.testing.assert_allclose(room[1:], [0.03, 0.01], atol=1e-9)


def test_room_is_never_more_than_the_true_gap():
    outline = Outline.of(SQUARE)
    diagonal = outline.room(Outline.of(SQUARE), np.array([[0.07, 0.07], [0.5, 0.0]]), 0.05)
    assert 0.0 < diagonal[0] <= np.hypot(0.03, 0.03)
    assert diagonal[1] == pytest.approx(0.05)
