"""Rigid transforms: `Pose` is a frame's position and orientation expressed in another frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pose:
    """A rigid transform, composed with ``@``: ``world_from_hand @ hand_from_tip``.

    Attributes:
        position: shape (3,) [m].
        rotation: orientation of the child frame's axes in the parent frame.
    """

    position: Array
    rotation: Rotation = field(default_factory=Rotation.identity)

    def __post_init__(self) -> None:
        """Copy the position so that a caller's array cannot change it later.

        Raises:
            ValueError: the position is not three finite numbers.
        """
        position = np.array(self.position, dtype=np.float64)
        if position.shape != (3,) or not np.isfinite(position).all():
            msg = f"a position is three finite numbers [m], got {self.position!r}"
            raise ValueError(msg)
        object.__setattr__(self, "position", position)

    @classmethod
    def identity(cls) -> Pose:
        """Return the transform that changes nothing."""
        return cls(np.zeros(3))

    @classmethod
    def from_quaternion(cls, position: Sequence[float] | Array, xyzw: Sequence[float] | Array) -> Pose:
        """Build from a position [m] and a quaternion ordered x, y, z, w.

        Raises:
            ValueError: the quaternion's length differs from one by more than 1e-3.
        """
        quaternion = np.asarray(xyzw, dtype=np.float64)
        norm = float(np.linalg.norm(quaternion))
        if quaternion.shape != (4,) or not abs(norm - 1.0) <= 1e-3:  # noqa: PLR2004
            msg = f"a quaternion x, y, z, w has unit length; {xyzw!r} has length {norm:.4g}"
            raise ValueError(msg)
        return cls(np.asarray(position, dtype=np.float64), Rotation.from_quat(quaternion))

    @classmethod
    def from_xyz_rpy(cls, xyz: Sequence[float], rpy: Sequence[float] = (0.0, 0.0, 0.0)) -> Pose:
        """Build from a position [m] and fixed-axis roll, pitch, yaw [rad] as URDF has them."""
        return cls(np.asarray(xyz, dtype=np.float64), Rotation.from_euler("xyz", np.asarray(rpy)))

    @classmethod
    def from_matrix(cls, matrix: Array) -> Pose:
        """Build from a homogeneous matrix, shape (4, 4)."""
        return cls(matrix[:3, 3], Rotation.from_matrix(matrix[:3, :3]))

    @property
    def quaternion(self) -> Array:
        """Orientation as x, y, z, w, shape (4,)."""
        return np.asarray(self.rotation.as_quat(), dtype=np.float64)

    @property
    def matrix(self) -> Array:
        """Homogeneous matrix, shape (4, 4)."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation.as_matrix()
        matrix[:3, 3] = self.position
        return matrix

    def __matmul__(self, other: Pose) -> Pose:
        """Compose: the result maps other's child frame to this pose's parent frame."""
        return Pose(self.position + self.rotation.apply(other.position), self.rotation * other.rotation)

    def inverse(self) -> Pose:
        """Return the transform in the other direction."""
        back = self.rotation.inv()
        return Pose(-back.apply(self.position), back)

    def apply(self, points: Array) -> Array:
        """Map points, shape (n, 3) or (3,) [m], from the child frame to the parent frame."""
        return np.asarray(self.rotation.apply(points) + self.position, dtype=np.float64)

    def distance_to(self, other: Pose) -> tuple[float, float]:
        """Return the distance [m] and the angle [rad] to another pose in the same frame."""
        angle = float((self.rotation.inv() * other.rotation).magnitude())
        return float(np.linalg.norm(self.position - other.position)), angle
