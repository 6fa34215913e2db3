"""Every joint position of a UR-type arm that brings its tip somewhere, in closed form.

The steps are those of Hawkins ("Analytic inverse kinematics for the Universal Robots UR-5/UR-10 arms",
2013): pan, wrist 2, wrist 3, then the planar arm of the three parallel joints. They are derived here from
the axes of the arm at joint positions zero instead of Denavit-Hartenberg constants, so that base, tip and
signs may be as the model has them.
"""

from __future__ import annotations

import itertools
from math import acos, asin, atan2, copysign, cos, hypot, inf, pi, sin

import numpy as np

from skillet_core.errors import InvalidFileError
from skillet_core.geometry import Array, Pose

_LARGEST_MISFIT = 5e-3
"""How far [m, rad] axes may be from a UR's pattern: a calibrated arm is a UR still, roughly."""
_ALIGNED = 1e-5
"""Below this angle [rad] between joints 4 and 6 only their sum matters; it is a tenth of what may stay."""
_SLACK = 1e-4
"""How far beyond 1 the cosine of a stretched arm is taken for 1, for targets at the edge of the reach."""


class UrKinematics:
    """The closed form of one arm: six hinges, 2 to 4 parallel, each other one perpendicular to the next.

    Exact for an arm whose axes fit exactly; what it returns for one that fits roughly is a start for a
    numeric method.

    Below, a *plane angle* of a vector is measured about the axis of joint 2 in the plane across it.
    """

    def __init__(self, axes: Array, anchors: Array, tip: Pose) -> None:
        """Take the arm's constants from where its parts are at joint positions zero.

        Args:
            axes: directions of the joints, shape (6, 3), world frame.
            anchors: a point on the axis of each joint, shape (6, 3) [m], world frame.
            tip: the frame that solutions are asked for, carried by joint 6, in the world frame.

        Raises:
            InvalidFileError: the axes are not those of a UR-type arm; says which.
        """
        if axes.shape != (6, 3):
            raise InvalidFileError(f"a closed form 'ur' needs six joints, this arm has {len(axes)}")
        _check_fit(axes, anchors)
        up, across, fifth, sixth = axes[0], axes[1], axes[4], axes[5]
        # where axes 1 and 2 meet, and where 5 and 6 do
        self._origin = anchors[1] + (anchors[0] - anchors[1]) @ across * across
        wrist = anchors[5] + (anchors[4] - anchors[5]) @ sixth * sixth
        self._axes = np.array([np.cross(across, up), across, up])
        tip_rotation = tip.rotation.as_matrix()
        columns = np.array([wrist - tip.position, sixth, fifth, np.cross(sixth, fifth)]).T
        self._in_tip = tip_rotation.T @ columns
        elbow, wrist_1, center = (self._axes @ (p - self._origin) for p in (anchors[2], anchors[3], wrist))
        self._offset = float(center[1])
        self._upper, self._upper_angle = _polar(elbow)
        self._fore, fore_angle = _polar(wrist_1 - elbow)
        self._hand, self._hand_angle = _polar(center - wrist_1)
        self._elbow_zero = fore_angle - self._upper_angle
        self._fifth_angle = _polar(self._axes @ fifth)[1]
        self._sixth_zero = atan2(sixth @ np.cross(fifth, across), sixth @ across)

    def solutions(self, target: Pose, near: Array) -> Array:
        """Return all solutions, whatever the limits.

        Args:
            target: of the tip in the world frame.
            near: shape (6,) [rad]; gives joint 6 where it is aligned with joint 4 and thus free.

        Returns:
            Shape (k, 6) [rad], each joint up to whole turns; k up to 8, or 0: out of reach.
        """
        vectors = self._axes @ target.rotation.as_matrix() @ self._in_tip
        center = (self._axes @ (target.position - self._origin) + vectors[:, 0]).tolist()
        radius = hypot(center[0], center[1])
        ratio = self._offset / radius if radius else inf
        if abs(ratio) > 1 + _SLACK:
            return np.empty((0, 6))
        bearing, side = atan2(center[1], center[0]), asin(_clipped(ratio))
        found: list[tuple[float, ...]] = []
        for first in (bearing - side, bearing - pi + side):
            turned = _turned_back(first, np.column_stack([center, vectors[:, 1:]]))
            for wrist in self._wrist(turned, float(near[5])):
                found += [(first, *rest) for rest in self._planar(turned[0], *wrist)]
        return np.array(found).reshape(-1, 6)

    def _wrist(self, turned: list[list[float]], near: float) -> list[tuple[float, float, float]]:
        """Return (q2 + q3 + q4, q5, q6) for the tip's vectors with the pan taken back."""
        _, (x, y, z), fifth, other = turned
        tilt = atan2(hypot(x, z), y)
        found = []
        for angle in (tilt, -tilt):
            if sin(tilt) < _ALIGNED:
                sixth = near
                v = [cos(near) * a - sin(near) * b for a, b in zip(fifth, other, strict=True)]
                fifth_angle = atan2(v[0], v[2])
            else:
                sign = copysign(1.0, angle)
                fifth_angle = atan2(sign * x, sign * z) + pi / 2
                s, c = sin(fifth_angle), cos(fifth_angle)
                along = s * fifth[0] + c * fifth[2]
                beside = sin(angle) * fifth[1] - cos(angle) * (s * fifth[2] - c * fifth[0])
                sixth = atan2(beside, along)
            found.append((fifth_angle - self._fifth_angle, angle - self._sixth_zero, sixth))
        return found

    def _planar(
        self, center: list[float], total: float, fifth: float, sixth: float
    ) -> list[tuple[float, ...]]:
        """Return (q2, …, q6) that bring the wrist's centre there with the hand turned by ``total``."""
        x = center[0] - self._hand * sin(self._hand_angle + total)
        z = center[2] - self._hand * cos(self._hand_angle + total)
        square = x * x + z * z - self._upper**2 - self._fore**2
        cosine = square / (2 * self._upper * self._fore)
        if abs(cosine) > 1 + _SLACK:
            return []
        bend = acos(_clipped(cosine))
        found: list[tuple[float, ...]] = []
        for angle in (bend, -bend):
            lift = atan2(x, z) - self._upper_angle
            lift -= atan2(self._fore * sin(angle), self._upper + self._fore * cos(angle))
            elbow = angle - self._elbow_zero
            found.append((lift, elbow, total - lift - elbow, fifth, sixth))
        return found


def _turned_back(angle: float, vectors: Array) -> list[list[float]]:
    """Turn columns about z by minus the angle; as plain numbers, which are fastest one by one."""
    c, s = cos(angle), sin(angle)
    return [[c * x + s * y, c * y - s * x, z] for x, y, z in vectors.T.tolist()]


def _polar(vector: Array) -> tuple[float, float]:
    """Return length and plane angle of a vector's part in the plane across axis 2."""
    return hypot(vector[0], vector[2]), atan2(vector[0], vector[2])


def _clipped(value: float) -> float:
    return min(1.0, max(-1.0, value))


def _check_fit(axes: Array, anchors: Array) -> None:
    across = axes[1]
    misfits = {
        f"axes {a + 1} and {b + 1} are not perpendicular": abs(axes[a] @ axes[b])
        for a, b in ((0, 1), (3, 4), (4, 5))
    }
    for a, b in itertools.pairwise((1, 2, 3)):
        misfits[f"axes {a + 1} and {b + 1} do not point the same way"] = np.linalg.norm(axes[a] - axes[b])
        reach = np.linalg.norm(np.cross(across, anchors[b] - anchors[a]))
        misfits[f"axes {a + 1} and {b + 1} coincide"] = 0.0 if reach > _LARGEST_MISFIT else 1.0
    for a, b in ((0, 1), (4, 5)):
        gap = abs(np.cross(axes[a], axes[b]) @ (anchors[b] - anchors[a]))
        misfits[f"axes {a + 1} and {b + 1} do not meet"] = gap
    worst = max(misfits, key=lambda name: float(misfits[name]))
    if misfits[worst] > _LARGEST_MISFIT:
        raise InvalidFileError(
            f"closed form 'ur' does not fit the arm: {worst}. "
            "Remove closed_form from the robot's file; its kinematics are then solved numerically."
        )
