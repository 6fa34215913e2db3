"""A robot in a task's scene, simulated: reset, step, look at the privileged state."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import mujoco
import numpy as np

from skillet_core.errors import InvalidFileError, UnknownNameError
from skillet_core.evaluation import ROBOT_PREFIX, holds
from skillet_core.geometry import Array, Pose
from skillet_core.robot import RobotDescription
from skillet_core.scene import ContactPair, ObjectState, SceneState, TaskDescription
from skillet_sim.robot_model import GRIPPER_ACTUATOR
from skillet_sim.scene_model import TIMESTEP, build_model
from skillet_sim.spawning import sample_poses

SETTLE_TIME = 0.2
"""How long a reset lets objects come to rest [s]."""
_FREE = int(mujoco.mjtJoint.mjJNT_FREE)
_mj_step = mujoco.mj_step
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION


def _contiguous(indices: list[int], what: str) -> slice:
    """Return the slice that the indices are; as an index it gives a view, which is fast."""
    first = indices[0]
    if indices != list(range(first, first + len(indices))):
        msg = f"the arm's {what} must follow each other in MuJoCo's arrays, got {indices}; is it a chain?"
        raise InvalidFileError(msg)
    return slice(first, first + len(indices))


class World:
    """One simulated scene.

    Not thread-safe: other threads work on a copy of the state, see `copy_state_into`.

    Attributes:
        robot: which robot.
        task: which scene.
        model: MuJoCo's model; names of the robot's parts carry the prefix ``robot/``.
        data: MuJoCo's state.
        seed: of the last reset.
        episode: how many resets there were.
        joint_qpos: where the arm's n joints are in ``data.qpos``, in the description's order.
        joint_dofs: where they are in ``data.qvel`` and ``data.qfrc_actuator``.
        joint_actuators: where their drives are in ``data.ctrl``.
        gripper_actuator: where the gripper's drive is there.
    """

    def __init__(
        self,
        robot: RobotDescription,
        task: TaskDescription,
        *,
        timestep: float = TIMESTEP,
        seed: int = 0,
        shadows: bool = False,
        multisampling: int = 0,
    ) -> None:
        """Build the model and reset it.

        Args:
            robot: which robot.
            task: which scene.
            timestep: physics step [s].
            seed: of the first reset.
            shadows: see `build_model`.
            multisampling: see `build_model`.

        Raises:
            SkilletError: see `build_model` and `reset`.
        """
        self.robot, self.task = robot, task
        self.model = build_model(robot, task, timestep=timestep, shadows=shadows, multisampling=multisampling)
        self.data = mujoco.MjData(self.model)
        self.seed, self.episode = seed, 0
        self._geom_bodies = [self.model.body(body).name for body in self.model.geom_bodyid]
        self._fixed_poses = self.model.body_pos.copy(), self.model.body_quat.copy()
        joints = [self._joint(name) for name in robot.joint_names]
        self.joint_qpos = _contiguous([int(joint.qposadr[0]) for joint in joints], "joints")
        self.joint_dofs = _contiguous([int(joint.dofadr[0]) for joint in joints], "joints")
        drives = [self.model.actuator(ROBOT_PREFIX + name).id for name in robot.joint_names]
        self.joint_actuators = _contiguous(drives, "drives")
        self.gripper_actuator = int(self.model.actuator(ROBOT_PREFIX + GRIPPER_ACTUATOR).id)
        self._gripper_range = self.model.actuator_forcerange[self.gripper_actuator].copy()
        self.reset(seed)

    @property
    def time(self) -> float:
        """Seconds since the last reset."""
        return float(self.data.time)

    def reset(self, seed: int) -> None:
        """Put the robot at home with an open gripper, and the objects where the seed says.

        The same seed gives the same state, to the bit.

        Args:
            seed: >= 0.

        Raises:
            SpawnError: the task leaves no room for its objects.
        """
        mujoco.mj_resetData(self.model, self.data)
        self.model.actuator_forcerange[self.gripper_actuator] = self._gripper_range
        self.model.body_pos[:], self.model.body_quat[:] = self._fixed_poses
        self.set_joints(self.robot.home, self.robot.gripper.max_opening)
        mujoco.mj_kinematics(self.model, self.data)
        fixed = {name: self._body_pose(name) for name, o in self.task.objects.items() if o.spawn is None}
        poses = sample_poses(self.task, fixed, np.random.default_rng(seed))
        for name, pose in poses.items():
            self._place(name, ObjectState(pose))
        mujoco.mj_step(self.model, self.data, round(SETTLE_TIME / self.model.opt.timestep))
        self.data.time = 0.0
        self.seed, self.episode = seed, self.episode + 1

    def step(self, count: int = 1) -> None:
        """Advance by ``count`` physics steps; Python's other threads run meanwhile."""
        _mj_step(self.model, self.data, count)

    def copy_state_into(self, other: mujoco.MjData) -> None:
        """Copy the state into other data of the same model, for another thread to work on.

        Call it from the thread that steps. Only the state is copied (some microseconds): positions of
        bodies are for the other thread to compute.
        """
        mujoco.mj_copyState(self.model, self.data, other, _STATE)

    def grasp_pose(self) -> Pose:
        """Return the grasp frame's pose in the world frame."""
        mujoco.mj_kinematics(self.model, self.data)
        site = self.data.site(ROBOT_PREFIX + self.robot.gripper.grasp_frame)
        matrix = np.eye(4)
        matrix[:3, 3], matrix[:3, :3] = site.xpos, site.xmat.reshape(3, 3)
        return Pose.from_matrix(matrix)

    def opening(self) -> float:
        """Return the gap between the finger pads [m]."""
        gripper = self.robot.gripper
        return gripper.opening(float(self.data.qpos[self._joint(gripper.joint).qposadr[0]]))

    def scene_state(self) -> SceneState:
        """Return where everything is, from the simulator's own knowledge."""
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_comVel(self.model, self.data)
        state = SceneState(
            stamp=self.time,
            task=self.task.name,
            seed=self.seed,
            episode=self.episode,
            success=False,
            objects={name: self._object_state(name) for name in self.task.objects},
            articulation={name: float(self.data.qpos[a]) for name, a in self._scene_joints()},
            contacts=self.contacts(),
        )
        success = holds(self.task.success, state, self.task, self.robot.gripper)
        return dataclasses.replace(state, success=success)

    def success(self) -> bool:
        """Whether the task's success condition holds now."""
        return self.scene_state().success

    def contacts(self) -> tuple[ContactPair, ...]:
        """Return each pair of bodies that touched in the last step once, in a stable order."""
        pairs: dict[tuple[str, str], ContactPair] = {}
        contact, names = self.data.contact, self._geom_bodies
        for geoms, frame, row in zip(
            contact.geom.tolist(), contact.frame.tolist(), contact.efc_address, strict=True
        ):
            first, second = names[geoms[0]], names[geoms[1]]
            if row >= 0 and (second, first) not in pairs:
                pairs.setdefault((first, second), ContactPair(first, second, (frame[0], frame[1], frame[2])))
        return tuple(pairs[key] for key in sorted(pairs))

    def set_joints(self, positions: Array, opening: float) -> None:
        """Put the robot somewhere at once, at rest, its drives holding it there.

        Args:
            positions: of the arm, shape (n,) [rad].
            opening: gap between the finger pads [m].
        """
        self.data.qpos[self.joint_qpos] = positions
        self.data.qvel[self.joint_dofs] = 0.0
        self.data.ctrl[self.joint_actuators] = positions
        gripper = self.robot.gripper
        driven = gripper.joint_position(opening)
        for name, factor in {gripper.joint: 1.0, **gripper.mimic}.items():
            joint = self._joint(name)
            self.data.qpos[joint.qposadr[0]] = factor * driven
            self.data.qvel[joint.dofadr[0]] = 0.0
        self.data.ctrl[self.gripper_actuator] = driven

    def set_scene(self, scene: SceneState) -> None:
        """Put the objects where a scene has them, with the velocities that they have there.

        Raises:
            UnknownNameError: the scene names an object or a joint that this world does not have.
        """
        for name, state in scene.objects.items():
            self._place(name, state)
        joints = dict(self._scene_joints())
        for name, position in scene.articulation.items():
            if name not in joints:
                raise UnknownNameError("scene joint", name, joints)
            self.data.qpos[joints[name]] = position
            self.data.qvel[self.model.joint(name).dofadr[0]] = 0.0
        mujoco.mj_forward(self.model, self.data)

    def _joint(self, name: str) -> mujoco.MjModel:
        return self.model.joint(ROBOT_PREFIX + name)

    def _scene_joints(self) -> Iterator[tuple[str, int]]:
        """Yield names and qpos addresses of the scene's own hinges and slides, e.g. of drawers."""
        for index in range(self.model.njnt):
            joint = self.model.joint(index)
            if int(joint.type[0]) != _FREE and not joint.name.startswith(ROBOT_PREFIX):
                yield joint.name, int(joint.qposadr[0])

    def _body(self, name: str) -> int:
        index = int(mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, name))
        if index < 0:
            raise UnknownNameError("object", name, self.task.objects)
        return index

    def _body_pose(self, name: str) -> Pose:
        w, x, y, z = self.data.xquat[self._body(name)]
        return Pose.from_quaternion(self.data.xpos[self._body(name)], (x, y, z, w))

    def _object_state(self, name: str) -> ObjectState:
        velocity = np.zeros(6)
        body = mujoco.mjtObj.mjOBJ_XBODY
        mujoco.mj_objectVelocity(self.model, self.data, body, self._body(name), velocity, 0)
        return ObjectState(self._body_pose(name), linear=velocity[3:], angular=velocity[:3])

    def _place(self, name: str, state: ObjectState) -> None:
        """Move a free body; one that is fixed to the world is moved in the model.

        What moves on a joint, or is part of something else, follows `SceneState.articulation` instead.
        """
        body = self._body(name)
        x, y, z, w = state.pose.quaternion
        joint = int(self.model.body_jntadr[body])
        if joint >= 0 and int(self.model.jnt_type[joint]) == _FREE:
            q, v = int(self.model.jnt_qposadr[joint]), int(self.model.jnt_dofadr[joint])
            self.data.qpos[q : q + 7] = *state.pose.position, w, x, y, z
            self.data.qvel[v : v + 3] = state.linear
            self.data.qvel[v + 3 : v + 6] = state.pose.rotation.inv().apply(state.angular)
        elif joint < 0 and int(self.model.body_parentid[body]) == 0:
            self.model.body_pos[body] = state.pose.position
            self.model.body_quat[body] = w, x, y, z
