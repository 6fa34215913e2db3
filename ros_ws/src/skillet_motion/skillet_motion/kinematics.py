"""Where a frame of the robot is, and which joint positions bring it somewhere.

Inverse kinematics is Levenberg-Marquardt with the error-proportional damping of Sugihara
("Solvability-unconcerned inverse kinematics by the Levenberg-Marquardt method", 2011). It starts from
the solutions in closed form where the arm has one, otherwise from many seeds: the given positions first,
then random ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import mujoco
import numpy as np
from scipy.linalg.lapack import dposv

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Array, Pose
from skillet_core.robot import ClosedForm
from skillet_motion.ur_kinematics import UrKinematics

POSITION_TOLERANCE, ROTATION_TOLERANCE = 1e-4, 1e-3
"""Largest distance [m] and angle [rad] between a solution's frame and the target."""
# A tenth of the tolerance: close to the end a step squares the error, and continuation profits.
_POSITION_GOAL, _ROTATION_GOAL = POSITION_TOLERANCE / 10, ROTATION_TOLERANCE / 10
_STEPS = 30
_DAMPING = 0.05
_SPATIAL = 6
# Drifting ends after a few steps so that it cannot keep the descent from its end.
_DRIFT_STEPS, _DRIFT_GAIN, _LARGEST_DRIFT = 2, 0.1, 0.04
_MIN_DAMPING = 1e-6
_LARGEST_STEP = 0.6
# A descent that stays above a share of its error over a number of steps has found a local minimum.
_STALL_FROM, _STALL_EVERY, _STALL_SHARE = 6, 4, 0.9
_SAME_SOLUTION = 1e-2
# An arc cosine near 1 loses half of the digits; what lies that little beyond a limit is at the limit.
_LIMIT_NOISE = 1e-7
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
        closed_form: ClosedForm | None = None,
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
            closed_form: type of the arm, if `solutions` may take them from a closed form. Its constants
                come from the model.

        Raises:
            UnknownNameError: the model has no such joint or frame.
            InvalidFileError: the arm is not of the type that ``closed_form`` says.
        """
        self._lower, self._upper = np.array(lower), np.array(upper)
        self._rest = None if rest is None or len(joints) <= _SPATIAL else np.array(rest)
        ids = [_named(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in joints]
        self._model = _arm_alone(model, ids, frame)
        self._data = mujoco.MjData(self._model)
        self._tip = self._model.nbody - 1
        self._position, self._quaternion = self._data.xpos[self._tip], self._data.xquat[self._tip]
        self._matrix = self._data.xmat[self._tip].reshape(3, 3)
        self._jacobian = np.zeros((_SPATIAL, len(joints)))
        self._target, self._error = np.zeros(4), np.zeros(_SPATIAL)
        self._closed_form = None
        if closed_form is not None:
            tip = self.forward(np.zeros(len(joints)))
            self._closed_form = UrKinematics(self._data.xaxis.copy(), self._data.xanchor.copy(), tip)

    def forward(self, positions: Array) -> Pose:
        """Return the frame's pose in the world frame at arm positions, shape (n,) [rad]."""
        self._place(positions)
        w, x, y, z = self._quaternion
        return Pose.from_quaternion(self._position, (x, y, z, w))

    def deviation(self, positions: Array, target: Pose | Array) -> tuple[float, float]:
        """Return how far [m, rad] the frame is from a target at arm positions, shape (n,) [rad].

        Args:
            positions: shape (n,) [rad].
            target: as in `solve`.
        """
        return _lengths(self._measure(positions, self._aim(target)))

    def solve(self, target: Pose | Array, seed: Array, *, drift: float = _LARGEST_DRIFT) -> Array | None:
        """Descend from one seed to positions that bring the frame to a target.

        Args:
            target: in the world frame; where there are many, as position and quaternion x, y, z, w in
                one array, shape (7,), which is faster.
            seed: positions to start from, shape (n,) [rad].
            drift: how far each joint may drift towards its rest [rad], in each of the first two steps.

        Returns:
            Positions within the limits, shape (n,), accurate to `POSITION_TOLERANCE` and
            `ROTATION_TOLERANCE`; or None: the descent from this seed did not end at the target.
        """
        goal = self._aim(target)
        positions = self._limited(np.array(seed, dtype=np.float64))
        before = math.inf
        for step in range(_STEPS):
            error = self._measure(positions, goal)
            distance, angle = _lengths(error)
            if distance < _POSITION_GOAL and angle < _ROTATION_GOAL:
                return positions
            if step >= _STALL_FROM and (step - _STALL_FROM) % _STALL_EVERY == 0:
                if distance + angle > _STALL_SHARE * before:
                    return None
                before = distance + angle
            wish = self._drift(positions, drift) if step < _DRIFT_STEPS else None
            positions = self._limited(positions + self._descent(positions, error, wish))
        return None

    def _drift(self, positions: Array, most: float) -> Array | None:
        """Return a change towards the rest position, where there is one."""
        if self._rest is None or not most:
            return None
        wish = _DRIFT_GAIN * (self._rest - positions)
        wish[[0, -1]] = 0.0
        wish *= most / max(float(np.abs(wish).max()), most)
        return np.asarray(wish)

    def _descent(self, positions: Array, error: Array, wish: Array | None) -> Array:
        """Return the damped least-squares change of the joints for an error, `_measure` comes first.

        Of the changes that serve the error alike, the one closest to the wish.
        """
        jacobian = self._jacobian
        damping = _DAMPING * (error @ error) + _MIN_DAMPING
        if wish is not None:
            error = error - jacobian @ wish
        force = error @ jacobian
        at_limit = (positions >= self._upper) | (positions <= self._lower)
        if at_limit.any():
            # Joints that a limit stops would only lead the others astray.
            stopped = at_limit & ((force > 0.0) == (positions >= self._upper))
            jacobian = np.where(stopped, 0.0, jacobian)
            force[stopped] = 0.0
        normal = jacobian.T @ jacobian
        normal.flat[:: len(force) + 1] += damping
        # LAPACK's Cholesky solver itself: at this size, NumPy's wrapper would cost more than the solving.
        _, change, _ = dposv(normal, force)
        if wish is not None:
            change += wish
        largest = max(change.max(), -change.min())
        if largest > _LARGEST_STEP:
            change *= _LARGEST_STEP / largest
        return np.asarray(change)

    def _limited(self, positions: Array) -> Array:
        np.minimum(positions, self._upper, out=positions)
        return np.maximum(positions, self._lower, out=positions)

    def solutions(
        self,
        target: Pose,
        near: Array,
        *,
        rng: np.random.Generator,
        seeds: int,
        weights: Array | None = None,
        is_free: Callable[[Array], bool] | None = None,
    ) -> list[Array]:
        """Collect distinct solutions: all that there are in closed form, else those found from many seeds.

        Args:
            target: in the world frame.
            near: positions to rank by, and to start from first, shape (n,) [rad].
            rng: draws the other seeds, uniform within the limits.
            seeds: how many seeds to try in all, >= 1. A closed form needs neither.
            weights: cost of moving each joint by a radian, shape (n,); None: all one.
            is_free: whether nothing collides at positions, shape (n,); None: collisions do not matter.

        Returns:
            Each accurate as `solve` is, and turned by whole turns to its nearest equivalent to ``near``
            within the limits; by weighted distance to ``near``. Empty: the target is out of reach (for
            certain with a closed form, else probably), or every solution collides.
        """
        if self._closed_form is None:
            starts: Iterable[Array] = self._seeds(near, rng, seeds)
        else:
            starts = self._within_limits(self.unwound(self._closed_form.solutions(target, near), near))
        found = [solution for start in starts if (solution := self.solve(target, start)) is not None]
        if not found:
            return []
        turned = self.unwound(np.array(found), near)
        cost = 1.0 if weights is None else weights
        ranked = turned[np.argsort(np.linalg.norm(cost * (turned - near), axis=1), kind="stable")]
        gaps = np.abs(ranked[:, np.newaxis] - ranked).max(axis=2)
        distinct = [row for index, row in enumerate(ranked) if (gaps[index, :index] > _SAME_SOLUTION).all()]
        return distinct if is_free is None else [row for row in distinct if is_free(row)]

    def unwound(self, positions: Array, near: Array) -> Array:
        """Turn each joint by whole turns towards ``near`` as far as the limits let it.

        Args:
            positions: shape (n,) or (k, n) [rad]. One that no whole turns bring within the limits stays
                beyond them.
            near: shape (n,) [rad].
        """
        turn = 2 * np.pi
        most = np.floor((self._upper + _LIMIT_NOISE - positions) / turn)
        least = np.ceil((self._lower - _LIMIT_NOISE - positions) / turn)
        turned = positions + turn * np.clip(np.round((near - positions) / turn), least, most)
        limited = self._limited(turned.copy())
        return np.where(np.abs(turned - limited) <= _LIMIT_NOISE, limited, turned)

    def _seeds(self, near: Array, rng: np.random.Generator, count: int) -> Iterator[Array]:
        yield near
        for _ in range(count - 1):
            yield rng.uniform(self._lower, self._upper)

    def _within_limits(self, positions: Array) -> Array:
        """Return those rows that keep the limits."""
        return np.asarray(positions[((positions >= self._lower) & (positions <= self._upper)).all(axis=1)])

    def _place(self, positions: Array) -> None:
        self._data.qpos[:] = positions
        mujoco.mj_kinematics(self._model, self._data)

    def _aim(self, target: Pose | Array) -> Array:
        """Take over a target's orientation; return its position."""
        if isinstance(target, Pose):
            position, (x, y, z, w) = target.position, target.quaternion
        else:
            position, (x, y, z, w) = target[:3], target[3:]
        self._target[:] = w, x, y, z
        return position

    def _measure(self, positions: Array, target: Array) -> Array:
        """Update the Jacobian and return the error: position [m], then rotation vector [rad], world."""
        self._place(positions)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_jacBody(self._model, self._data, self._jacobian[:3], self._jacobian[3:], self._tip)
        np.subtract(target, self._position, out=self._error[:3])
        mujoco.mju_subQuat(self._error[3:], self._target, self._quaternion)
        # mju_subQuat answers in the frame's own axes; the Jacobian speaks in the world's.
        self._error[3:] = self._matrix @ self._error[3:]
        return self._error


def _lengths(error: Array) -> tuple[float, float]:
    return math.sqrt(error[:3] @ error[:3]), math.sqrt(error[3:] @ error[3:])


def _arm_alone(model: mujoco.MjModel, joints: Sequence[int], frame: str) -> mujoco.MjModel:
    """Return a model of the joints and the frame alone, so that what else there is costs no time.

    Each joint has a body at its anchor, with the world's axes at joint positions zero; the last body is
    the frame. Whatever else moves in the model stays at its reference position.
    """
    data = mujoco.MjData(model)
    data.qpos[model.jnt_qposadr[joints]] = 0.0
    mujoco.mj_kinematics(model, data)
    position, quaternion = _frame_pose(model, data, frame)
    spec = mujoco.MjSpec()
    inertia = {"mass": 1.0, "inertia": (1.0, 1.0, 1.0), "explicitinertial": True}
    body, origin = spec.worldbody, np.zeros(3)
    for joint in joints:
        body, origin = body.add_body(pos=data.xanchor[joint] - origin, **inertia), data.xanchor[joint]
        body.add_joint(type=mujoco.mjtJoint.mjJNT_HINGE, axis=data.xaxis[joint])
    body.add_body(pos=position - origin, quat=quaternion, **inertia)
    return spec.compile()


def _frame_pose(model: mujoco.MjModel, data: mujoco.MjData, frame: str) -> tuple[Array, Array]:
    """Return position and quaternion w, x, y, z of a site or body in the world frame."""
    for kind, positions, matrices in (
        (mujoco.mjtObj.mjOBJ_SITE, data.site_xpos, data.site_xmat),
        (mujoco.mjtObj.mjOBJ_BODY, data.xpos, data.xmat),
    ):
        index = int(mujoco.mj_name2id(model, kind, frame))
        if index >= 0:
            quaternion = np.zeros(4)
            mujoco.mju_mat2Quat(quaternion, matrices[index])
            return positions[index], quaternion
    raise UnknownNameError("frame", frame, [name for kind in _FRAME_TYPES for name in _names(model, kind)])


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
