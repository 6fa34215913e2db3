"""Which of many grasps is the best: qualities from 0 to 1, and what each is worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skillet_core.geometry import Array
from skillet_motion.grasping.antipodal import Candidates
from skillet_motion.grasping.hand import SEEN_CLEARANCE

WEIGHTS = {
    "antipodality": 0.30,
    "balance": 0.25,
    "approach": 0.20,
    "depth": 0.10,
    "clearance": 0.10,
    "reach": 0.05,
}
"""What each quality is worth; they sum to one."""
_FULL_LEVER = 0.08
_FULL_DEPTH = 0.03
_COMFORTABLE = 0.5
_FAR = 6.0


def surface_qualities(
    candidates: Candidates, toward: Array, down: Array, center_of_mass: Array
) -> dict[str, Array]:
    """Rate what can be told from the object alone.

    Args:
        candidates: k of them, in the object's frame.
        toward: preferred approach direction in that frame, unit, shape (3,).
        down: where gravity pulls in that frame, unit, shape (3,).
        center_of_mass: in that frame, shape (3,) [m].

    Returns:
        ``antipodality``: how squarely the pads touch; ``balance``: how little the object's weight turns
        it between the pads; ``approach``: how near to the preferred direction; ``depth``: how far in
        between the fingers it is. Shape (k,) each.
    """
    closing, approach = candidates.axes[:, :, 1], candidates.axes[:, :, 2]
    # Gravity turns the object about the closing axis by its lever across both.
    arm = center_of_mass - candidates.positions
    lever = np.abs(np.einsum("ki,ki->k", arm, np.cross(closing, down)))
    # Below 60 degrees off the pad, the surface slides along it.
    square = np.clip((candidates.antipodality - 0.5) / 0.5, 0.0, 1.0)
    return {
        "antipodality": square,
        "balance": np.clip(1.0 - lever / _FULL_LEVER, 0.0, 1.0),
        "approach": (1.0 + approach @ toward) / 2,
        "depth": np.clip(candidates.depths / _FULL_DEPTH, 0.0, 1.0),
    }


def clearance_quality(gap: float) -> float:
    """Rate the least gap between the closed hand and everything but the object [m]."""
    return float(np.clip(gap / SEEN_CLEARANCE, 0.0, 1.0))


def reach_quality(positions: Array, near: Array, lower: Array, upper: Array) -> float:
    """Rate arm positions: half for the distance to the nearest limit, half for the way there.

    Args:
        positions: shape (n,) [rad].
        near: where the arm is, shape (n,) [rad].
        lower: limits, shape (n,) [rad].
        upper: limits, shape (n,) [rad].
    """
    margin = float(np.minimum(positions - lower, upper - positions).min())
    way = float(np.linalg.norm(positions - near))
    return 0.5 * float(np.clip(margin / _COMFORTABLE, 0.0, 1.0)) + 0.5 * max(0.0, 1.0 - way / _FAR)


def score(qualities: Mapping[str, Array | float]) -> Array | float:
    """Return the weighted mean of the qualities that are known so far, 0 to 1."""
    total = sum(WEIGHTS[name] for name in qualities)
    return sum(WEIGHTS[name] * value for name, value in qualities.items()) / total
