"""The fingers closed on an object in thought: do both pads get hold of it, and what else do they meet?"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from skillet_core.geometry import Array
from skillet_motion.collision import PADDING
from skillet_motion.grasping.hand import SEEN_CLEARANCE, Hand, Touch

CLOSED_GAP = 0.001
"""Least gap between the closed hand and everything but the object [m]; `PADDING` counts before."""
PENETRATION = 0.002
"""Overlap with the object of what is not a finger pad that makes a grasp useless [m]."""
UNEVEN = 0.012
"""Difference between the openings at which one pad and then the other touch, at most [m]."""
SLIVER = 0.003
"""A grasp must still hold when it is shifted by this along the approach [m]."""
_STEP = 0.001
_EARLY, _LATE = 0.008, 0.012
_SQUEEZE = 0.0015
_UNEVENLY = "one finger touches long before the other"


@dataclass(frozen=True)
class Closed:
    """How the fingers would close.

    Attributes:
        opening: at which both pads touch [m].
        gap: least distance from the closed hand to everything but the object, at most
            `SEEN_CLEARANCE` [m].
    """

    opening: float
    gap: float


def obstacle(hand: Hand, name: str, position: Array, quaternion: Array, opening: float) -> str | None:
    """Return what the open hand would hit, or None: the way is free.

    Args:
        hand: up to date with the scene.
        name: the object to grasp, which no part of the open hand may touch either.
        position: of the grasp frame, world frame, shape (3,) [m].
        quaternion: w, x, y, z.
        opening: before closing [m].
    """
    for touch in hand.touches(position, quaternion, opening):
        if touch.distance < (0.0 if touch.other == name else PADDING):
            return touch.other
    return None


def close(
    hand: Hand, name: str, position: Array, quaternion: Array, *, opening: float, expected: float
) -> Closed | str:
    """Close the fingers in small steps until both pads touch the object.

    Args:
        hand: up to date with the scene.
        name: the object.
        position: of the grasp frame, world frame, shape (3,) [m].
        quaternion: w, x, y, z.
        opening: before closing [m].
        expected: width of the object between the pads [m].

    Returns:
        How they close, or why they would not hold it.
    """
    widest, first = min(opening, expected + _EARLY), None
    lowest = max(expected - _LATE, float(hand.pads.openings[0]))
    for current in np.arange(widest, lowest - _STEP, -_STEP):
        touches = hand.touches(position, quaternion, float(current))
        held = _touching(hand, name, touches)
        if held and first is None:
            first = float(opening if current == widest else current)
        reason = _meets(hand, name, touches)
        if len(held) < 2 and first is not None and first - current > UNEVEN:  # noqa: PLR2004 - two fingers
            reason = _UNEVENLY
        if reason is not None:
            return reason
        if len(held) > 1:
            if current == widest < opening:  # wider than expected: look from the start
                return close(hand, name, position, quaternion, opening=opening, expected=opening)
            break
    else:
        return "the fingers close on nothing"
    width = float(current)
    if not _holds_when_shifted(hand, name, position, quaternion, width):
        return "the pads touch only its edge"
    gaps = [touch.distance for touch in touches if touch.other != name]
    return Closed(width, min(gaps, default=SEEN_CLEARANCE))


def _meets(hand: Hand, name: str, touches: list[Touch]) -> str | None:
    """Return what a closing finger meets that it should not."""
    for touch in touches:
        if touch.other != name:
            if touch.distance < CLOSED_GAP:
                return f"closing fingers meet {touch.other}"
        elif touch.link not in hand.fingers and touch.distance < -PENETRATION:
            return "the palm is in the way"
    return None


def _touching(hand: Hand, name: str, touches: list[Touch]) -> set[str]:
    return {
        touch.link
        for touch in touches
        if touch.other == name and touch.distance <= 0.0 and touch.link in hand.fingers
    }


def _holds_when_shifted(hand: Hand, name: str, position: Array, quaternion: Array, width: float) -> bool:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, quaternion)
    approach = matrix.reshape(3, 3)[:, 2]
    squeezed = max(width - _SQUEEZE, float(hand.pads.openings[0]))
    return all(
        len(_touching(hand, name, hand.touches(position + shift * approach, quaternion, squeezed))) > 1
        for shift in (-SLIVER, SLIVER)
    )
