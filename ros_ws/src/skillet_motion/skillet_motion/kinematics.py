"""Where a frame of the robot is, and which joint positions bring it somewhere.

Inverse kinematics is Levenberg-Marquardt with the error-proportional damping of Sugihara
("Solvability-unconcerned inverse kinematics by the Levenberg-Marquardt method", 2011), started from
many seeds: the given positions first, then random ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import mujoco
import numpy as np
from scipy.linalg.lapack import dposv

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Array, Pose

POSITION_TOLERANCE, ROTATION_TOLERANCE = 1e-4, 1e-3
"""Largest distance [m] and angle [rad] between a solution's frame and the target."""
# A tenth of the tolerance: close to the end a step squares the error, and continuation profits.
_POSITION_GOAL, _ROTATION_GOAL = POSITION_TOLERANCE / 10, ROTATION_TOLERANCE / 10
_STEPS = 30
_DAMPING = 0.05
_SPATIAL = 6
# Drifting ends after a few steps so that it cannot keep the descent from its end.
_DRIFT_STEPS, _DRIFT_GAIN, _LARGEST_DRIFT = 4, 0.1, 0.04
_MIN_DAMPING = 1e-6
_LARGEST_STEP = 0.6
_HOPELESS_STEPS, _HOPELESS_ERROR = 12, 0.5
_SAME_SOLUTION = 1e-2
_FRAME_TYPES = (mujoco.mjtObj.mjOBJ_SITE, mujoco.mjtObj.mjOBJ_BODY)


class ArmKinematics:
    """Forward and inverse kinematics of one frame on the arm of a MuJoCo model.

    Not thread-safe: it computes on a physics copy of its own.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        joints: Sequence[str],
        frame: str,
        *,
        lower: Array,
        upper: Array,
        rest: Array | None = None,
    ) -> None:
        """Find the arm in a model.

        Args:
            model: any model that contains the arm.
            joints: names in the model of the arm's n hinges, from the base outwards.
            frame: name of a site or body that the arm carries.
            lower: position limits, shape (n,) [rad].
            upper: position limits, shape (n,) [rad].
            rest: comfortable positions, shape (n,) [rad]. An arm with more than six joints drifts
                towards them as far as the frame does not notice, away from singular postures; its
                first and last joint follow the target's direction and are left alone. None: no drift.

        Raises:
            UnknownNameError: the model has no such joint or frame.
        """
        self._model, self._data = model, mujoco.MjData(model)
        self._lower, self._upper = np.array(lower), np.array(upper)
        self._rest = None if rest is None or len(joints) <= _SPATIAL else np.array(rest)
        ids = [_named(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in joints]
        self._qpos = np.array([model.jnt_qposadr[index] for index in ids])
        self._dofs = np.array([model.jnt_dofadr[index] for index in ids])
        self._is_site, self._frame = _find_frame(model, frame)
        self._jacobian = np.zeros((6, model.nv))
        self._diagonal = np.diag_indices(len(joints))
        self._spatial_diagonal = np.diag_indices(_SPATIAL)
        self._spatial = (
            (self._data.site_xpos, self._data.site_xmat)
            if self._is_site
            else (self._data.xpos, self._data.xmat)
        )
        self._quaternion, self._target = np.zeros(4), np.zeros(4)
        self._error = np.zeros(6)

    def forward(self, positions: Array) -> Pose:
        """Return the frame's pose in the world frame at arm positions, shape (n,) [rad]."""
        self._place(positions)
        matrix = np.eye(4)
        matrix[:3, 3] = self._position()
        matrix[:3, :3] = self._matrix().reshape(3, 3)
        return Pose.from_matrix(matrix)

    def solve(self, target: Pose, seed: Array) -> Array | None:
        """Descend from one seed to positions that bring the frame to a target.

        Args:
            target: in the world frame.
            seed: positions to start from, shape (n,) [rad].

        Returns:
            Positions within the limits, shape (n,), accurate to `POSITION_TOLERANCE` and
            `ROTATION_TOLERANCE`; or None: the descent from this seed did not end at the target.
        """
        x, y, z, w = target.quaternion
        self._target[:] = w, x, y, z
        goal = target.position
        positions = self._limited(np.array(seed, dtype=np.float64))
        for step in range(_STEPS):
            error = self._measure(positions, goal)
            distance = math.sqrt(error[:3] @ error[:3])
            angle = math.sqrt(error[3:] @ error[3:])
            if distance < _POSITION_GOAL and angle < _ROTATION_GOAL:
                return positions
            if step == _HOPELESS_STEPS and distance + angle > _HOPELESS_ERROR:
                return None
            change = self._descent(error)
            if self._rest is not None and step < _DRIFT_STEPS:
                change += self._drift(positions, self._rest)
            positions = self._limited(positions + change)
        return None

    def _drift(self, positions: Array, rest: Array) -> Array:
        """Return a change towards the rest position that leaves the frame where it is, to first order."""
        jacobian = self._jacobian[:, self._dofs]
        wish = _DRIFT_GAIN * (rest - positions)
        wish[[0, -1]] = 0.0
        wish *= min(1.0, _LARGEST_DRIFT / max(float(np.abs(wish).max()), _LARGEST_DRIFT))
        normal = jacobian @ jacobian.T
        normal[self._spatial_diagonal] += _MIN_DAMPING
        _, force, _ = dposv(normal, jacobian @ wish)
        return np.asarray(wish - jacobian.T @ force)

    def _descent(self, error: Array) -> Array:
        """Return the damped least-squares change of the joints for an error, `_measure` comes first."""
        jacobian = self._jacobian[:, self._dofs]
        normal = jacobian.T @ jacobian
        normal[self._diagonal] += _DAMPING * (error @ error) + _MIN_DAMPING
        # LAPACK's Cholesky solver itself: at this size, NumPy's wrapper would cost more than the solving.
        _, change, _ = dposv(normal, jacobian.T @ error)
        largest = max(change.max(), -change.min())
        if largest > _LARGEST_STEP:
            change *= _LARGEST_STEP / largest
        return np.asarray(change)

    def _limited(self, positions: Array) -> Array:
        np.minimum(positions, self._upper, out=positions)
        return np.maximum(positions, self._lower, out=positions)

    def solutions(
        self, target: Pose, near: Array, *, rng: np.random.Generator, seeds: int, weights: Array | None = None
    ) -> list[Array]:
        """Collect the distinct solutions found from many seeds.

        Args:
            target: in the world frame.
            near: positions to start from first, and to rank by, shape (n,) [rad].
            rng: draws the other seeds, uniform within the limits.
            seeds: how many seeds to try in all, >= 1.
            weights: cost of moving each joint by a radian, shape (n,); None: all one.

        Returns:
            Each turned by whole turns to its nearest equivalent to ``near`` within the limits; by
            weighted distance to ``near``. Empty: the target is probably out of reach.
        """
        found: list[Array] = []
        for seed in self._seeds(near, rng, seeds):
            solution = self.solve(target, seed)
            if solution is None:
                continue
            solution = self.unwound(solution, near)
            if all(np.abs(solution - other).max() > _SAME_SOLUTION for other in found):
                found.append(solution)
        cost = np.ones_like(near) if weights is None else weights
        return sorted(found, key=lambda solution: float(np.linalg.norm(cost * (solution - near))))

    def unwound(self, positions: Array, near: Array) -> Array:
        """Turn each joint by whole turns towards ``near`` as far as the limits let it.

        Args:
            positions: within the limits, shape (n,) [rad].
            near: shape (n,) [rad].
        """
        turn = 2 * np.pi
        most = np.floor((self._upper - positions) / turn)
        least = np.ceil((self._lower - positions) / turn)
        return np.asarray(positions + turn * np.clip(np.round((near - positions) / turn), least, most))

    def _seeds(self, near: Array, rng: np.random.Generator, count: int) -> Iterator[Array]:
        yield near
        for _ in range(count - 1):
            yield rng.uniform(self._lower, self._upper)

    def _place(self, positions: Array) -> None:
        self._data.qpos[self._qpos] = positions
        mujoco.mj_kinematics(self._model, self._data)

    def _position(self) -> Array:
        return np.asarray(self._spatial[0][self._frame])

    def _matrix(self) -> Array:
        return np.asarray(self._spatial[1][self._frame])

    def _measure(self, positions: Array, target: Array) -> Array:
        """Update the Jacobian and return the error: position [m], then rotation vector [rad], world."""
        self._place(positions)
        mujoco.mj_comPos(self._model, self._data)
        jacobian = mujoco.mj_jacSite if self._is_site else mujoco.mj_jacBody
        jacobian(self._model, self._data, self._jacobian[:3], self._jacobian[3:], self._frame)
        mujoco.mju_mat2Quat(self._quaternion, self._matrix())
        np.subtract(target, self._position(), out=self._error[:3])
        mujoco.mju_subQuat(self._error[3:], self._target, self._quaternion)
        # mju_subQuat answers in the frame's own axes; the Jacobian speaks in the world's.
        self._error[3:] = self._matrix().reshape(3, 3) @ self._error[3:]
        return self._error


def _named(model: mujoco.MjModel, kind: mujoco.mjtObj, name: str) -> int:
    index = int(mujoco.mj_name2id(model, kind, name))
    if index < 0:
        label = {mujoco.mjtObj.mjOBJ_JOINT: "joint", mujoco.mjtObj.mjOBJ_BODY: "body"}.get(kind, "frame")
        raise UnknownNameError(label, name, _names(model, kind))
    return index


def _names(model: mujoco.MjModel, kind: mujoco.mjtObj) -> list[str]:
    counts = {
        mujoco.mjtObj.mjOBJ_JOINT: model.njnt,
        mujoco.mjtObj.mjOBJ_BODY: model.nbody,
        mujoco.mjtObj.mjOBJ_SITE: model.nsite,
    }
    return [mujoco.mj_id2name(model, kind, index) or "" for index in range(counts[kind])]


def _find_frame(model: mujoco.MjModel, frame: str) -> tuple[bool, int]:
    """Return whether the frame is a site, and its index."""
    for kind in _FRAME_TYPES:
        index = int(mujoco.mj_name2id(model, kind, frame))
        if index >= 0:
            return kind == mujoco.mjtObj.mjOBJ_SITE, index
    raise UnknownNameError("frame", frame, [name for kind in _FRAME_TYPES for name in _names(model, kind)])
