"""The hand without its arm, put anywhere in the scene: what it touches there, at any opening.

Cheaper than inverse kinematics and independent of it, so that every candidate can be looked at.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import NamedTuple

import mujoco
import numpy as np

from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array, Pose
from skillet_core.robot import RobotDescription
from skillet_core.scene import SceneState
from skillet_motion.grasping.surface import shape_vertices

SEEN_CLEARANCE = 0.01
"""Gaps up to this are measured [m]; all above count the same."""
_OPENINGS = 12
_CENTRAL = 1e-3
_FREE = int(mujoco.mjtJoint.mjJNT_FREE)
_HAND, _OTHER = 1, 2


@dataclass(frozen=True, eq=False)
class PadTable:
    """Where the finger pads are in the grasp frame, by opening.

    Attributes:
        openings: gap between the pads, rising, shape (k,) [m].
        lower: of the pads along the grasp frame's z, shape (k,) [m].
        upper: their tips, shape (k,) [m].
        palm: what comes nearest between the fingers, along z, shape (k,) [m].
        half_width: of the pads along x [m].
    """

    openings: Array
    lower: Array
    upper: Array
    palm: Array
    half_width: float


class Touch(NamedTuple):
    """A part of the hand near something: negative distance is penetration [m]."""

    link: str
    other: str
    distance: float


class Hand:
    """What moves with the arm's last joint, as a body of its own. Not thread-safe."""

    def __init__(self, model: mujoco.MjModel, robot: RobotDescription) -> None:
        """Copy the model and take the hand off the arm.

        Args:
            model: the robot (bodies and joints prefixed ``robot/``) in a scene.
            robot: its description.
        """
        self._model = copy.copy(model)
        self._data = mujoco.MjData(self._model)
        openings, driven = np.array(robot.gripper.opening_to_joint).T
        self._table = openings, driven
        self._names = [model.body(index).name for index in range(model.nbody)]
        self.fingers = tuple(ROBOT_PREFIX + link for link in robot.gripper.finger_links)
        joint = model.joint(ROBOT_PREFIX + robot.joint_names[-1])
        self._root = int(model.jnt_bodyid[joint.id])
        self._grasp = int(model.body(ROBOT_PREFIX + robot.gripper.grasp_frame).id)
        factors = {robot.gripper.joint: 1.0, **robot.gripper.mimic}
        self._joints = np.array([model.joint(ROBOT_PREFIX + name).qposadr[0] for name in factors])
        self._factors = np.array(list(factors.values()))
        self._isolate()
        mujoco.mj_kinematics(self._model, self._data)
        parent, root, grasp = (
            self._pose(b) for b in (model.body_parentid[self._root], self._root, self._grasp)
        )
        self._parent_inverse = _split(parent.inverse())
        self._grasp_to_root = _split(grasp.inverse() @ root)
        self._buffer = np.zeros(3), np.zeros(4)
        self.pads = self._measure_pads()

    def update(self, scene: SceneState) -> None:
        """Put the objects and the scene's joints where a scene has them; names unknown here are skipped."""
        model, data = self._model, self._data
        for name, entry in scene.objects.items():
            body = int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, name))
            if body < 0:
                continue
            position, quaternion = _split(entry.pose)
            joint = int(model.body_jntadr[body])
            if joint >= 0 and int(model.jnt_type[joint]) == _FREE:
                address = int(model.jnt_qposadr[joint])
                data.qpos[address : address + 3] = position
                data.qpos[address + 3 : address + 7] = quaternion
            elif joint < 0 and int(model.body_parentid[body]) == 0:
                model.body_pos[body], model.body_quat[body] = position, quaternion
        for name, value in scene.articulation.items():
            joint = int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name))
            if joint >= 0:
                data.qpos[int(model.jnt_qposadr[joint])] = value

    def touches(self, position: Array, quaternion: Array, opening: float) -> list[Touch]:
        """Return each two bodies that touch or are nearer than `SEEN_CLEARANCE`, once.

        Args:
            position: of the grasp frame in the world frame, shape (3,) [m].
            quaternion: its orientation, w, x, y, z.
            opening: of the fingers [m].
        """
        model, data = self._model, self._data
        data.qpos[self._joints] = self._factors * np.interp(opening, *self._table)
        rest, turn = self._buffer
        mujoco.mju_mulPose(rest, turn, position, quaternion, *self._grasp_to_root)
        mujoco.mju_mulPose(
            model.body_pos[self._root], model.body_quat[self._root], *self._parent_inverse, rest, turn
        )
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        if data.ncon == 0:
            return []
        nearest: dict[tuple[int, int], float] = {}
        pairs, contact = model.geom_bodyid[data.contact.geom].tolist(), data.contact
        for (first, second), distance in zip(pairs, contact.dist.tolist(), strict=True):
            pair = (first, second) if self._in_hand[first] else (second, first)
            nearest[pair] = min(distance, nearest.get(pair, distance))
        names = self._names
        return [Touch(names[hand], names[other], distance) for (hand, other), distance in nearest.items()]

    def _isolate(self) -> None:
        """Let the hand alone collide, and with the scene alone."""
        model = self._model
        in_hand = np.zeros(model.nbody, dtype=bool)
        in_hand[self._root] = True
        for body in range(self._root + 1, model.nbody):
            in_hand[body] = in_hand[model.body_parentid[body]]
        in_robot = np.array([name.startswith(ROBOT_PREFIX) for name in self._names])
        collides = (model.geom_contype | model.geom_conaffinity) != 0
        owner = model.geom_bodyid
        model.geom_contype[:] = np.where(collides & in_hand[owner], _HAND, 0)
        model.geom_conaffinity[:] = np.where(collides & ~in_robot[owner], _HAND, 0)
        # A body's margin is the largest of its shapes', but only the compiler works that out.
        model.geom_margin[in_hand[owner]] = model.body_margin[in_hand] = SEEN_CLEARANCE
        self._in_hand = in_hand.tolist()

    def _measure_pads(self) -> PadTable:
        """Look where pads and palm are, over the gripper's range."""
        openings = np.linspace(self._table[0][0], self._table[0][-1], _OPENINGS)
        rows = [self._pad_row(opening) for opening in openings]
        lower, upper, palm, width = np.array(rows).T
        return PadTable(openings, lower, upper, palm, float(width.min()))

    def _pad_row(self, opening: float) -> tuple[float, float, float, float]:
        """Return the pads' extent along z, the palm's z and the pads' half width, at an opening [m]."""
        self._data.qpos[self._joints] = self._factors * np.interp(opening, *self._table)
        mujoco.mj_kinematics(self._model, self._data)
        into = self._pose(self._grasp).inverse()
        pad, palm = None, -np.inf
        for geom in np.flatnonzero(self._model.geom_contype & _HAND).tolist():
            body = int(self._model.geom_bodyid[geom])
            points = (into @ self._pose(body)).apply(shape_vertices(self._model, geom))
            gap = np.abs(points[:, 1]).min()
            if self._names[body] in self.fingers:
                # The pad is the innermost part of a finger that may have several.
                if pad is None or gap < np.abs(pad[:, 1]).min() - 1e-6:
                    pad = points
                continue
            between = np.abs(points[:, 1]) < opening / 2 - 2e-3
            palm = max(palm, float(points[between | (gap < _CENTRAL), 2].max(initial=-np.inf)))
        if pad is None:
            raise ValueError(f"the links {', '.join(self.fingers)} have no collision shape to grasp with")
        return float(pad[:, 2].min()), float(pad[:, 2].max()), palm, float(np.abs(pad[:, 0]).max())

    def _pose(self, body: int) -> Pose:
        w, x, y, z = self._data.xquat[body]
        return Pose.from_quaternion(self._data.xpos[body], (x, y, z, w))


def _split(pose: Pose) -> tuple[Array, Array]:
    """Return position and quaternion w, x, y, z."""
    return pose.position, np.roll(pose.quaternion, 1)
