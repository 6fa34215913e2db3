"""Which arm positions collide, and with what: MuJoCo's own collision detection on a physics copy.

The copy's collision masks are rewritten for planning, so that MuJoCo looks only at pairs that matter
(the arm with itself and the scene, the gripper and what it carries with the scene) and never at objects
among themselves. One check is a forward kinematics and a collision pass: about 10 microseconds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import mujoco
import numpy as np

from skillet_core.errors import PlanningError, PlanningFailure, UnknownNameError
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array, Pose
from skillet_core.motion import ANY_LINK
from skillet_core.robot import RobotDescription
from skillet_core.scene import SceneState
from skillet_core.trajectory import RobotState
from skillet_motion.clearance import ShapePairs, links_of_bodies, shape_pairs, stays_clear
from skillet_motion.search import CHECK_STEP

PADDING = 0.003
"""Least gap kept between the robot and everything else [m]."""
RESTING_DEPTH = 0.004
"""Overlap of a carried object with what it stands on that is contact, not collision [m]."""
START_DEPTH = 0.01
"""Overlap at the start that a motion may keep but not deepen [m]: a robot must be able to leave."""
_START_SLACK = 0.0005
_ARM, _GRIPPER, _SCENE, _HELD, _TOUCHED = 1, 2, 4, 8, 16
_UNSEEN = 0
_FEW = 24
"""Fewer states than these are checked one by one."""
_FREE = int(mujoco.mjtJoint.mjJNT_FREE)


_SEES = np.zeros(2 * _TOUCHED, dtype=np.int32)
"""By whom a geometry is, against whom it is checked."""
_SEES[_ARM] = _ARM | _GRIPPER | _SCENE | _HELD | _TOUCHED
_SEES[_GRIPPER] = _SCENE
_SEES[_HELD] = _SCENE | _TOUCHED


class _Carried(NamedTuple):
    """An object in the gripper: its part of ``qpos``, and its pose in the grasp frame (w, x, y, z)."""

    qpos: Array
    position: Array
    quaternion: Array


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
        self._fixed_poses = model.body_pos.copy(), model.body_quat.copy()
        self._data = mujoco.MjData(self._model)
        self._robot = robot
        self._arm = np.array([self._joint_address(name) for name in robot.joint_names])
        self._grasp = self._body(ROBOT_PREFIX + robot.gripper.grasp_frame)
        gripper_links = {ROBOT_PREFIX + link for link in robot.gripper.links}
        names = [self._model.body(index).name for index in range(self._model.nbody)]
        self._is_robot = np.array([name.startswith(ROBOT_PREFIX) for name in names])
        self._is_gripper = np.array([name in gripper_links for name in names])
        self._names = names
        self._ignored = [
            (ROBOT_PREFIX + one, ROBOT_PREFIX + other) for one, other in robot.ignored_collisions
        ]
        self._collides = (model.geom_contype | model.geom_conaffinity) != 0
        # A body's margin is the largest of its shapes', but only the compiler works that out.
        self._model.geom_margin[self._is_robot[self._model.geom_bodyid]] = PADDING
        self._model.body_margin[self._is_robot] = PADDING
        self._carried: tuple[_Carried, ...] = ()
        self._is_carried = np.zeros(self._model.nbody, dtype=bool)
        self._required = self._gaps = self._required_gaps(())
        self._tolerated: dict[frozenset[str], float] = {}
        self._pairs: ShapePairs | None = None
        self._joints = np.array([model.joint(ROBOT_PREFIX + name).id for name in robot.joint_names])
        self._links = links_of_bodies(model, self._joints)

    def update(
        self,
        state: RobotState,
        scene: SceneState,
        *,
        attached: Iterable[str] = (),
        touching: Iterable[str] = (),
        allowed_contacts: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Take over where the fingers, the objects and the scene's joints are.

        What the scene does not mention is where the model has it.

        Args:
            state: for the opening, and for where the arm is when something is carried.
            scene: where the objects are.
            attached: objects that from now on follow the grasp frame as they do now. They are checked
                against the arm and the scene, not against each other and the gripper.
            touching: objects that the gripper may touch, with all that is fixed to them.
            allowed_contacts: pairs of bodies that may touch; see `PlanRequest`.

        Raises:
            UnknownNameError: an object, a body or a joint is not in the model.
            PlanningError: an attached object cannot move freely, so nothing can carry it.
        """
        mujoco.mj_resetData(self._model, self._data)
        self._model.body_pos[:], self._model.body_quat[:] = self._fixed_poses
        gripper = self._robot.gripper
        driven = gripper.joint_position(state.opening)
        self._data.qpos[self._joint_address(gripper.joint)] = driven
        for joint, factor in gripper.mimic.items():
            self._data.qpos[self._joint_address(joint)] = factor * driven
        for name, entry in scene.objects.items():
            self._place(name, entry.pose)
        for name, position in scene.articulation.items():
            self._data.qpos[self._address(name)] = position
        attached = sorted(set(attached))
        self._attach(attached, state, scene)
        self._mask(attached, touching)
        self._required = self._required_gaps(self.each_pair(allowed_contacts))
        self._tolerate({})

    def each_pair(self, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return pairs of bodies with `ANY_LINK` written out.

        Raises:
            UnknownNameError: a body is not in the model.
        """
        links = [self._names[body] for body in np.flatnonzero(self._is_robot)]

        def bodies(name: str) -> list[str]:
            return links if name == ANY_LINK else [self._names[self._body(name)]]

        return {(one, other) for first, second in pairs for one in bodies(first) for other in bodies(second)}

    def can_carry(self, name: str) -> bool:
        """Whether an object can be attached: it moves freely.

        Raises:
            UnknownNameError: it is not in the model.
        """
        return self._free_address(self._body(name)) is not None

    def tolerate_start(self, positions: Array) -> None:
        """Let the contacts at the start of a motion last, as deep as they are but no deeper.

        Args:
            positions: of the arm, shape (n,) [rad].

        Raises:
            PlanningError: the robot overlaps with something by more than `START_DEPTH`, names both.
        """
        self._tolerate({})
        overlaps = self.overlaps(positions)
        deep = [overlap for overlap in overlaps if overlap.distance < -START_DEPTH]
        if deep:
            listed = ", ".join(f"{overlap} ({-1e3 * overlap.distance:.1f} mm)" for overlap in deep[:3])
            raise PlanningError(
                f"start in collision: {listed}. Move the robot or the object apart first.",
                PlanningFailure.START_IN_COLLISION,
            )
        tolerated: dict[frozenset[str], float] = {}
        for overlap in overlaps:
            pair = frozenset((overlap.first, overlap.second))
            tolerated[pair] = min(overlap.distance, tolerated.get(pair, 0.0)) - _START_SLACK
        self._tolerate(tolerated)

    @property
    def tolerated(self) -> frozenset[frozenset[str]]:
        """Pairs of bodies whose contact `tolerate_start` lets last."""
        return frozenset(self._tolerated)

    def is_free(self, positions: Array) -> bool:
        """Whether nothing collides at arm positions, shape (n,) [rad]."""
        self._compute(positions)
        data, gaps, bodies = self._data, self._gaps, self._model.geom_bodyid
        for index in range(data.ncon):
            contact = data.contact[index]
            one, other = contact.geom
            if contact.dist < gaps[bodies[one], bodies[other]]:
                return False
        return True

    def segment_is_free(self, start: Array, end: Array) -> bool:
        """Whether the straight segment in joint space is free; its start is taken to be so.

        The answer is that of `skillet_motion.search.segment_is_free`, but most of its states are proven free
        by the distances at others.

        Args:
            start: shape (n,) [rad].
            end: shape (n,) [rad].
        """
        count = max(1, int(np.ceil(float(np.linalg.norm(end - start)) / CHECK_STEP)))
        return self.curve_is_free(start + np.arange(count + 1)[:, None] / count * (end - start))

    def curve_is_free(self, points: Array) -> bool:
        """Whether a curve is free at dense points, shape (k, n) [rad]; the first is taken to be so.

        Looks at the end first, then ever finer: what collides usually does in the middle.
        """
        if len(points) <= _FEW:
            return all(map(self.is_free, points[:0:-1]))
        return stays_clear(points, self._shape_pairs(), self._move, self.is_free)

    def _shape_pairs(self) -> ShapePairs:
        if self._pairs is None:
            self._move(np.array(self._data.qpos[self._arm]))
            links = np.where(self._is_carried, len(self._joints), self._links)
            self._pairs = shape_pairs(self._model, self._data, self._joints, links, self._gaps)
        return self._pairs

    def overlaps(self, positions: Array) -> list[Overlap]:
        """Return every pair that collides at arm positions, shape (n,) [rad], deepest first."""
        self._compute(positions)
        found = []
        for index in range(self._data.ncon):
            contact = self._data.contact[index]
            one, other = self._model.geom_bodyid[contact.geom]
            if contact.dist < self._gaps[one, other]:
                found.append(Overlap(self._names[one], self._names[other], float(contact.dist)))
        return sorted(found, key=lambda overlap: overlap.distance)

    def grasp_pose(self, positions: Array) -> Pose:
        """Return the grasp frame's pose in the world frame at arm positions, shape (n,) [rad]."""
        self._data.qpos[self._arm] = positions
        mujoco.mj_kinematics(self._model, self._data)
        return self._body_pose(self._grasp)

    def _compute(self, positions: Array) -> None:
        self._move(positions)
        mujoco.mj_collision(self._model, self._data)

    def _move(self, positions: Array) -> None:
        self._data.qpos[self._arm] = positions
        mujoco.mj_kinematics(self._model, self._data)
        if self._carried:
            self._carry()
            mujoco.mj_kinematics(self._model, self._data)

    def _carry(self) -> None:
        """Put the carried objects where the grasp frame takes them."""
        xpos, xquat = self._data.xpos[self._grasp], self._data.xquat[self._grasp]
        for carried in self._carried:
            target = carried.qpos
            mujoco.mju_mulPose(target[:3], target[3:], xpos, xquat, carried.position, carried.quaternion)

    def _tolerate(self, depths: dict[frozenset[str], float]) -> None:
        """Let pairs of bodies overlap down to these distances [m]."""
        self._tolerated, self._pairs = depths, None
        self._gaps = self._required.copy()
        for pair, depth in depths.items():
            one, other = map(self._body, pair)
            self._gaps[one, other] = self._gaps[other, one] = min(self._gaps[one, other], depth)

    def _required_gaps(self, allowed: Iterable[tuple[str, str]]) -> Array:
        """Return what has to be left between two bodies [m]; minus infinity: they may touch."""
        gaps = np.where(self._is_robot | self._is_robot[:, None], PADDING, 0.0)
        gaps[self._is_carried] = gaps[:, self._is_carried] = -RESTING_DEPTH
        for pair in (*self._ignored, *allowed):
            one, other = map(self._body, pair)
            gaps[one, other] = gaps[other, one] = -np.inf
        return gaps

    def _mask(self, attached: Iterable[str], touching: Iterable[str]) -> None:
        """Write who is checked against whom into the copy's contact masks."""
        model = self._model
        kind = np.where(self._is_robot, _ARM, _SCENE)
        kind[self._is_gripper] = _GRIPPER
        for name in touching:
            kind[self._rigid_part(self._body(name))] = _TOUCHED
        self._is_carried[:] = False
        for name in attached:
            self._is_carried[self._rigid_part(self._body(name))] = True
        kind[self._is_carried] = _HELD
        own = np.where(self._collides, kind[model.geom_bodyid], _UNSEEN)
        model.geom_contype[:] = own
        model.geom_conaffinity[:] = _SEES[own]

    def _attach(self, attached: Iterable[str], state: RobotState, scene: SceneState) -> None:
        carried = []
        for name in attached:
            address = self._free_address(self._body(name))
            if address is None:
                raise PlanningError(
                    f"{name} is fixed to the scene or moves on a joint of it and cannot be carried; "
                    "an object that is held and moved on its joint is one to touch, not to attach",
                    PlanningFailure.INVALID_REQUEST,
                )
            offset = self.grasp_pose(state.positions).inverse() @ scene.object(name).pose
            qpos = self._data.qpos[address : address + 7]
            carried.append(_Carried(qpos, offset.position, np.roll(offset.quaternion, 1)))
        self._carried = tuple(carried)

    def _rigid_part(self, body: int) -> list[int]:
        """Return a body and all that is fixed to it, such as a drawer's handle."""
        parts = [body]
        for index in range(body + 1, self._model.nbody):
            if self._model.body_parentid[index] in parts and not self._model.body_jntnum[index]:
                parts.append(index)
        return parts

    def _free_address(self, body: int) -> int | None:
        """Return where the free joint of a body is in ``qpos``; None: it has none."""
        joint = int(self._model.body_jntadr[body])
        if joint < 0 or int(self._model.jnt_type[joint]) != _FREE:
            return None
        return int(self._model.jnt_qposadr[joint])

    def _place(self, name: str, pose: Pose) -> None:
        """Put an object where the scene has it; one without a joint is moved in the copied model.

        What moves on a joint, or is part of something else, follows `SceneState.articulation` instead.
        """
        body = self._body(name)
        address = self._free_address(body)
        x, y, z, w = pose.quaternion
        if address is not None:
            self._data.qpos[address : address + 7] = *pose.position, w, x, y, z
        elif self._model.body_jntnum[body] == 0 and self._model.body_parentid[body] == 0:
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


def listed(overlaps: Sequence[Overlap]) -> str:
    """Return the first few pairs for a message."""
    return ", ".join(dict.fromkeys(str(overlap) for overlap in overlaps[:3]))
