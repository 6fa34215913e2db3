"""Which arm positions collide, and with what: MuJoCo's own collision detection on a physics copy.

The copy's collision masks are rewritten for planning, so that MuJoCo looks only at pairs that matter
(the arm with itself and the scene, the gripper and what it carries with the scene) and never at objects
among themselves. One check is a forward kinematics and a collision pass: about 10 microseconds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import mujoco
import numpy as np

from skillet_core.errors import PlanningError, UnknownNameError
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array, Pose
from skillet_core.robot import RobotDescription
from skillet_core.scene import SceneState
from skillet_core.trajectory import RobotState

PADDING = 0.003
"""Least gap kept between the robot and everything else [m]."""
RESTING_DEPTH = 0.004
"""Overlap of a carried object with what it stands on that is contact, not collision [m]."""
START_DEPTH = 0.01
"""Overlap at the start that a motion may keep but not deepen [m]: a robot must be able to leave."""
_START_SLACK = 0.0005
_ARM, _GRIPPER, _SCENE, _HELD, _TOUCHED = 1, 2, 4, 8, 16
_UNSEEN = 0
_FREE = int(mujoco.mjtJoint.mjJNT_FREE)


@dataclass(frozen=True)
class Overlap:
    """Two bodies that are too close: negative distance is penetration [m]."""

    first: str
    second: str
    distance: float

    def __str__(self) -> str:
        """Print as ``robot/forearm_link against left_bin``."""
        return f"{self.first} against {self.second}"


class CollisionWorld:
    """The robot in the scene as it is now, asked about arm positions as they might be.

    Not thread-safe: it computes on a physics copy of its own.
    """

    def __init__(self, model: mujoco.MjModel, robot: RobotDescription) -> None:
        """Copy a task's model and sort its bodies into arm, gripper and scene.

        Args:
            model: of the robot (bodies and joints prefixed ``robot/``) in a task's scene.
            robot: the robot's description.

        Raises:
            UnknownNameError: the model lacks a joint or the grasp frame of the robot.
        """
        self._model = copy.copy(model)
        self._data = mujoco.MjData(self._model)
        self._robot = robot
        self._arm = np.array([self._joint_address(name) for name in robot.joint_names])
        self._grasp = self._body(ROBOT_PREFIX + robot.gripper.grasp_frame)
        gripper_links = {ROBOT_PREFIX + link for link in robot.gripper.links}
        names = [self._model.body(index).name for index in range(self._model.nbody)]
        self._is_robot = np.array([name.startswith(ROBOT_PREFIX) for name in names])
        self._is_gripper = np.array([name in gripper_links for name in names])
        self._names = names
        self._ignored = {frozenset(ROBOT_PREFIX + link for link in pair) for pair in robot.ignored_collisions}
        self._collides = (model.geom_contype | model.geom_conaffinity) != 0
        self._model.geom_margin[self._is_robot[self._model.geom_bodyid]] = PADDING
        self._carried: int | None = None
        self._grasp_from_carried = Pose.identity()
        self._offset_quaternion = np.array([1.0, 0.0, 0.0, 0.0])
        self._carried_address = -1
        self._tolerated: dict[frozenset[str], float] = {}

    def update(
        self,
        state: RobotState,
        scene: SceneState,
        *,
        attached: str | None = None,
        touching: Iterable[str] = (),
    ) -> None:
        """Take over where the fingers, the objects and the scene's joints are.

        Args:
            state: for the opening, and for where the arm is when ``attached`` is carried.
            scene: where the objects are.
            attached: object that from now on follows the grasp frame as it does now.
            touching: objects that the gripper may touch.

        Raises:
            UnknownNameError: an object or a joint of the scene is not in the model.
            PlanningError: the attached object cannot move freely, so nothing can carry it.
        """
        gripper = self._robot.gripper
        driven = gripper.joint_position(state.opening)
        self._data.qpos[self._joint_address(gripper.joint)] = driven
        for joint, factor in gripper.mimic.items():
            self._data.qpos[self._joint_address(joint)] = factor * driven
        for name, entry in scene.objects.items():
            self._place(name, entry.pose)
        for name, position in scene.articulation.items():
            self._data.qpos[self._address(name)] = position
        self._attach(attached, state, scene)
        self._mask(attached, touching)
        self._tolerated = {}

    def tolerate_start(self, positions: Array) -> None:
        """Let the contacts at the start of a motion last, as deep as they are but no deeper.

        Args:
            positions: of the arm, shape (n,) [rad].

        Raises:
            PlanningError: the robot overlaps with something by more than `START_DEPTH`, names both.
        """
        self._tolerated = {}
        overlaps = self.overlaps(positions)
        deep = [overlap for overlap in overlaps if overlap.distance < -START_DEPTH]
        if deep:
            listed = ", ".join(f"{overlap} ({-1e3 * overlap.distance:.1f} mm)" for overlap in deep[:3])
            raise PlanningError(f"start in collision: {listed}. Move the robot or the object apart first.")
        for overlap in overlaps:
            pair = frozenset((overlap.first, overlap.second))
            depth = min(overlap.distance, self._tolerated.get(pair, 0.0)) - _START_SLACK
            self._tolerated[pair] = depth

    def is_free(self, positions: Array) -> bool:
        """Whether nothing collides at arm positions, shape (n,) [rad]."""
        self._compute(positions)
        return self._data.ncon == 0 or self._first_overlap() is None

    def overlaps(self, positions: Array) -> list[Overlap]:
        """Return every pair that collides at arm positions, shape (n,) [rad], deepest first."""
        self._compute(positions)
        found = [overlap for index in range(self._data.ncon) if (overlap := self._overlap(index)) is not None]
        return sorted(found, key=lambda overlap: overlap.distance)

    def grasp_pose(self, positions: Array) -> Pose:
        """Return the grasp frame's pose in the world frame at arm positions, shape (n,) [rad]."""
        self._data.qpos[self._arm] = positions
        mujoco.mj_kinematics(self._model, self._data)
        return self._body_pose(self._grasp)

    def _compute(self, positions: Array) -> None:
        self._data.qpos[self._arm] = positions
        mujoco.mj_kinematics(self._model, self._data)
        if self._carried is not None:
            self._carry()
            mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_collision(self._model, self._data)

    def _carry(self) -> None:
        """Put the carried object where the grasp frame takes it."""
        address, offset = self._carried_address, self._grasp_from_carried
        xpos, xquat = self._data.xpos[self._grasp], self._data.xquat[self._grasp]
        target = self._data.qpos[address : address + 7]
        mujoco.mju_mulPose(target[:3], target[3:], xpos, xquat, offset.position, self._offset_quaternion)

    def _first_overlap(self) -> Overlap | None:
        for index in range(self._data.ncon):
            overlap = self._overlap(index)
            if overlap is not None:
                return overlap
        return None

    def _overlap(self, index: int) -> Overlap | None:
        """Return what contact number ``index`` means, or None where it is allowed."""
        contact = self._data.contact[index]
        bodies = self._model.geom_bodyid[contact.geom]
        first, second = self._names[bodies[0]], self._names[bodies[1]]
        pair = frozenset((first, second))
        if pair in self._ignored:
            return None
        allowed = PADDING if self._is_robot[bodies].any() else 0.0
        if self._carried is not None and self._carried in bodies:
            allowed = -RESTING_DEPTH
        if contact.dist >= min(allowed, self._tolerated.get(pair, np.inf)):
            return None
        return Overlap(first, second, float(contact.dist))

    def _mask(self, attached: str | None, touching: Iterable[str]) -> None:
        """Write who is checked against whom into the copy's contact masks."""
        model = self._model
        kind = np.where(self._is_robot, _ARM, _SCENE)
        kind[self._is_gripper] = _GRIPPER
        for name in touching:
            kind[self._body(name)] = _TOUCHED
        if attached is not None:
            kind[self._body(attached)] = _HELD
        sees = {
            _ARM: _ARM | _GRIPPER | _SCENE | _HELD | _TOUCHED,
            _GRIPPER: _SCENE,
            _HELD: _SCENE | _TOUCHED,
            _SCENE: _UNSEEN,
            _TOUCHED: _UNSEEN,
        }
        for geom, body in enumerate(model.geom_bodyid):
            own = int(kind[body]) if self._collides[geom] else _UNSEEN
            model.geom_contype[geom] = own
            model.geom_conaffinity[geom] = sees[own] if own else _UNSEEN

    def _attach(self, attached: str | None, state: RobotState, scene: SceneState) -> None:
        self._carried = None
        if attached is None:
            return
        body = self._body(attached)
        joint = int(self._model.body_jntadr[body])
        if joint < 0 or int(self._model.jnt_type[joint]) != _FREE:
            raise PlanningError(f"{attached} is fixed to the scene and cannot be carried")
        offset = self.grasp_pose(state.positions).inverse() @ scene.object(attached).pose
        self._carried, self._carried_address = body, int(self._model.jnt_qposadr[joint])
        self._grasp_from_carried = offset
        x, y, z, w = offset.quaternion
        self._offset_quaternion = np.array([w, x, y, z])

    def _place(self, name: str, pose: Pose) -> None:
        """Put an object where the scene has it; one without a joint is moved in the copied model."""
        body = self._body(name)
        joint = int(self._model.body_jntadr[body])
        x, y, z, w = pose.quaternion
        if joint >= 0 and int(self._model.jnt_type[joint]) == _FREE:
            address = int(self._model.jnt_qposadr[joint])
            self._data.qpos[address : address + 7] = *pose.position, w, x, y, z
        else:
            self._model.body_pos[body] = pose.position
            self._model.body_quat[body] = w, x, y, z

    def _body_pose(self, body: int) -> Pose:
        w, x, y, z = self._data.xquat[body]
        return Pose.from_quaternion(self._data.xpos[body], (x, y, z, w))

    def _body(self, name: str) -> int:
        index = int(mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_BODY, name))
        if index < 0:
            valid = (self._model.body(i).name for i in range(self._model.nbody))
            raise UnknownNameError("body", name, valid)
        return index

    def _joint_address(self, name: str) -> int:
        return self._address(ROBOT_PREFIX + name)

    def _address(self, name: str) -> int:
        index = int(mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_JOINT, name))
        if index < 0:
            valid = (self._model.joint(i).name for i in range(self._model.njnt))
            raise UnknownNameError("joint", name, valid)
        return int(self._model.jnt_qposadr[index])
