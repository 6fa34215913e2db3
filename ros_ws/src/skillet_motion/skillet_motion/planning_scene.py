"""`PlanningScene`: what to plan among, and what has been added, moved and attached meanwhile.

A robot in its task's scene as a MuJoCo model without what is only looked at, the arm's kinematics and
the collision checks on it. Where things are comes with every question as a `SceneState`; the planning
scene knows what no simulator reports: what a YAML file declares, and what `apply` was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import mujoco

from skillet_core.collision_objects import (
    AddObject,
    AttachObject,
    CollisionObject,
    DetachObject,
    MoveObject,
    RemoveObject,
    SceneChange,
)
from skillet_core.errors import SceneChangeError, UnknownNameError
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Pose
from skillet_core.robot import RobotDescription
from skillet_core.scene import ObjectState, SceneState, TaskDescription
from skillet_core.trajectory import RobotState
from skillet_motion.collision import CollisionWorld
from skillet_motion.kinematics import ArmKinematics
from skillet_sim.scene_model import build_spec, is_shape_scene, scene_path
from skillet_sim.shape_scene import add_body, load_collision_scene

LIMIT_MARGIN = 5e-3
"""Inverse kinematics keeps this far from the position limits [rad]: a curve may swing beyond its points."""


class PlanningScene:
    """One robot in one task's scene. Not thread-safe.

    A change may replace `model`, `kinematics` and `collisions`: always reach them through the scene.

    Attributes:
        robot: the robot's description.
        task: the scene's description.
        model: collision geometry alone; the robot's names are prefixed ``robot/``.
        kinematics: of the grasp frame.
        collisions: the checks, as the last `update` left them.
    """

    def __init__(self, robot: RobotDescription, task: TaskDescription) -> None:
        """Build the model.

        Raises:
            SkilletError: see `skillet_sim.scene_model.build_spec`.
        """
        self.robot, self.task = robot, task
        self._spec = build_spec(robot, task)
        # What is only looked at would have to be moved along in every check.
        for geom in [geom for geom in self._spec.geoms if not geom.contype and not geom.conaffinity]:
            self._spec.delete(geom)
        declared = load_collision_scene(scene_path(task)).objects if is_shape_scene(task) else {}
        self._declared = {name: item.pose for name, item in declared.items()}
        self._added: dict[str, CollisionObject] = {}
        self._poses: dict[str, Pose] = {}
        self._offsets: dict[str, Pose] = {}
        self._use(self._spec.compile())

    @property
    def attached(self) -> frozenset[str]:
        """Objects that were attached and move with the gripper."""
        return frozenset(self._offsets)

    @property
    def added(self) -> Mapping[str, CollisionObject]:
        """Objects that were added, as they were described."""
        return self._added

    def update(
        self,
        state: RobotState,
        scene: SceneState,
        *,
        attached: Iterable[str] = (),
        touching: Iterable[str] = (),
        allowed_contacts: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Put everything into the collision checks: see `CollisionWorld.update`.

        Args:
            state: of the robot.
            scene: as reported.
            attached: objects that the gripper carries besides those that were attached by `apply`.
            touching: objects that the gripper may touch.
            allowed_contacts: pairs of bodies that may touch besides.

        Raises:
            UnknownNameError, PlanningError: see `CollisionWorld.update`.
        """
        self.collisions.update(
            state,
            self.merged(scene, state),
            attached={*attached, *self._offsets},
            touching=touching,
            allowed_contacts=allowed_contacts,
        )

    def merged(self, scene: SceneState, state: RobotState) -> SceneState:
        """Return a reported scene with everything in it that was declared, added or attached.

        Args:
            scene: as reported; where it reports a declared object, that counts.
            state: of the robot: attached objects are where its gripper has them.
        """
        if not (self._declared or self._added or self._offsets):
            return scene
        objects = {name: ObjectState(pose) for name, pose in self._declared.items()}
        objects |= scene.objects
        objects |= {name: ObjectState(self._poses[name]) for name in self._added}
        if self._offsets:
            hand = self.kinematics.forward(state.positions)
            objects |= {name: ObjectState(hand @ offset) for name, offset in self._offsets.items()}
        return replace(scene, objects=objects)

    def apply(self, change: SceneChange, state: RobotState, scene: SceneState) -> None:
        """Change the scene, or raise and leave it as it was.

        Args:
            change: what has happened.
            state: of the robot, now.
            scene: as reported, now.

        Raises:
            UnknownNameError: there is no such object; names those there are.
            SceneChangeError: the change cannot be made, and why.
            InvalidFileError: a mesh cannot be used.
        """
        match change:
            case AddObject(name=name, object=item):
                self._add(name, item)
            case MoveObject(name=name, pose=pose):
                self._move(name, pose, scene)
            case AttachObject(name=name):
                self._attach(name, state, scene)
            case DetachObject(name=name):
                self._detach(name, state)
            case RemoveObject(name=name):
                self._remove(name)

    def _add(self, name: str, item: CollisionObject) -> None:
        taken = {body.name for body in self._spec.bodies} | set(self._added)
        if not name or name.startswith(ROBOT_PREFIX):
            raise SceneChangeError(
                f"an added object needs a name that does not begin with {ROBOT_PREFIX!r}, got {name!r}"
            )
        if name in taken:
            raise SceneChangeError(f"there is a {name!r} already; remove it first, or choose another name")
        self._rebuild({**self._added, name: item})
        self._poses[name] = item.pose

    def _move(self, name: str, pose: Pose, scene: SceneState) -> None:
        if name in self._offsets:
            raise SceneChangeError(f"{name!r} is attached to the gripper; detach it before it is moved")
        if name in self._added:
            self._poses[name] = pose
            return
        movable = {*self._added, *(other for other in self._declared if not self._reported(other, scene))}
        if self._reported(name, scene):
            raise SceneChangeError(
                f"{name!r} is where the scene's reporter sees it, and cannot be moved by a request. "
                f"Objects that can: {', '.join(sorted(movable)) or '(none)'}"
            )
        if name not in movable:
            raise UnknownNameError("object to move", name, movable)
        self._declared[name] = pose

    def _reported(self, name: str, scene: SceneState) -> bool:
        """Whether somebody else says where an object is; what `merged` put into the scene does not count."""
        entry = scene.objects.get(name)
        return entry is not None and entry.pose is not self._declared.get(name)

    def _attach(self, name: str, state: RobotState, scene: SceneState) -> None:
        if name in self._offsets:
            raise SceneChangeError(f"{name!r} is attached already")
        pose = self.merged(scene, state).object(name).pose
        if not self.collisions.can_carry(name):
            raise SceneChangeError(
                f"{name!r} is fixed to the scene or moves on a joint of it, and cannot be carried"
            )
        self._offsets[name] = self.kinematics.forward(state.positions).inverse() @ pose

    def _detach(self, name: str, state: RobotState) -> None:
        if name not in self._offsets:
            raise UnknownNameError("attached object", name, self._offsets)
        pose = self.kinematics.forward(state.positions) @ self._offsets.pop(name)
        if name in self._added:
            self._poses[name] = pose
        elif name in self._declared:
            self._declared[name] = pose

    def _remove(self, name: str) -> None:
        if name not in self._added:
            if name in (body.name for body in self._spec.bodies):
                raise SceneChangeError(
                    f"{name!r} belongs to the scene; only what was added can be removed: "
                    f"{', '.join(sorted(self._added)) or '(none)'}"
                )
            raise UnknownNameError("added object", name, self._added)
        self._rebuild({other: item for other, item in self._added.items() if other != name})
        del self._poses[name]
        self._offsets.pop(name, None)

    def _rebuild(self, added: dict[str, CollisionObject]) -> None:
        """Compile the model anew, with these objects added to the task's; changes nothing if it fails."""
        spec = self._spec.copy()
        for name, item in added.items():
            add_body(spec, name, item, scene_path(self.task).parent, free=True)
        try:
            model = spec.compile()
        except ValueError as error:
            raise SceneChangeError(f"MuJoCo cannot build {', '.join(added)}: {error}") from error
        self._use(model)
        self._added = added

    def _use(self, model: mujoco.MjModel) -> None:
        robot = self.robot
        kinematics = ArmKinematics(
            model,
            [ROBOT_PREFIX + name for name in robot.joint_names],
            ROBOT_PREFIX + robot.gripper.grasp_frame,
            lower=robot.lower + LIMIT_MARGIN,
            upper=robot.upper - LIMIT_MARGIN,
            rest=robot.home,
            closed_form=robot.closed_form,
        )
        self.collisions = CollisionWorld(model, robot)
        self.model, self.kinematics = model, kinematics
