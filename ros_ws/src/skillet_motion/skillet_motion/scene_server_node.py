"""The service ``scene/apply``: objects that come, move, go, or hang on the gripper, at run time."""

from __future__ import annotations

from pathlib import Path

from geometry_msgs.msg import Pose as PoseMsg
from rclpy.node import Node
from skillet_interfaces.srv import SceneApply

from skillet_core import contract
from skillet_core.collision_objects import (
    AddObject,
    AttachObject,
    CollisionObject,
    DetachObject,
    MeshShape,
    MoveObject,
    RemoveObject,
    SceneChange,
    Shape,
)
from skillet_core.errors import SkilletError
from skillet_core.geometry import Pose
from skillet_motion.frames import frame_pose
from skillet_motion.planning_scene import PlanningScene
from skillet_ros.convert import (
    InvalidMessageError,
    pose_from_msg,
    shape_from_msg,
    stamped_pose_from_msg,
    xyz_rpy,
)
from skillet_ros.robot_client import RosRobot
from skillet_ros.worker import service_in_thread


class SceneServer:
    """Tells the planning scene what nobody else reports."""

    def __init__(self, node: Node, robot: RosRobot, known: PlanningScene) -> None:
        """Serve it.

        Args:
            node: that hosts it.
            robot: whose gripper objects are attached to.
            known: the scene to change.
        """
        self._node, self._robot, self._known = node, robot, known
        self._service = service_in_thread(node, SceneApply, contract.SCENE_APPLY, self._answer)

    def _answer(self, request: SceneApply.Request, response: SceneApply.Response) -> SceneApply.Response:
        """Change the scene, or say why not and leave it as it was."""
        try:
            change = self._change(request)
            state, scene = self._robot.state(), self._robot.reported_scene()
            with self._robot.planning:
                self._known.apply(change, state, scene)
            response.objects = sorted(self._robot.scene().objects)
        except SkilletError as error:
            response.message = str(error)
            self._node.get_logger().warning(f"{contract.SCENE_APPLY}: {error}")
        else:
            response.success = True
            response.message = f"{type(change).__name__}: {request.name}"
        return response

    def _change(self, msg: SceneApply.Request) -> SceneChange:
        """Turn a message into a change.

        Raises:
            SkilletError: it means nothing here; says what and why.
        """
        match msg.operation:
            case SceneApply.Request.ADD:
                xyz, rpy = xyz_rpy(self._pose(msg))
                item = CollisionObject(shapes=_shapes(msg), xyz=xyz, rpy=rpy, movable=msg.movable)
                return AddObject(msg.name, item)
            case SceneApply.Request.MOVE:
                return MoveObject(msg.name, self._pose(msg))
            case SceneApply.Request.ATTACH:
                return AttachObject(msg.name)
            case SceneApply.Request.DETACH:
                return DetachObject(msg.name)
            case SceneApply.Request.REMOVE:
                return RemoveObject(msg.name)
        raise InvalidMessageError(
            f"an operation is ADD (0), MOVE (1), ATTACH (2), DETACH (3) or REMOVE (4), got {msg.operation}"
        )

    def _pose(self, msg: SceneApply.Request) -> Pose:
        state, scene = self._robot.state(), self._robot.scene()
        return stamped_pose_from_msg(msg.pose, lambda name: frame_pose(name, self._known, state, scene))


def _shapes(msg: SceneApply.Request) -> tuple[Shape, ...]:
    """Return an added object's shapes.

    Raises:
        InvalidMessageError: there are none, poses are missing, a primitive or the mesh cannot be used.
    """
    poses = list(msg.primitive_poses) or [PoseMsg()] * len(msg.primitives)
    if len(poses) != len(msg.primitives):
        raise InvalidMessageError(f"{len(msg.primitives)} primitives came with {len(poses)} primitive_poses")
    shapes = [
        shape_from_msg(shape, pose_from_msg(pose)) for shape, pose in zip(msg.primitives, poses, strict=True)
    ]
    if msg.mesh and not Path(msg.mesh).is_absolute():
        raise InvalidMessageError(f"a mesh is named by its absolute path, got {msg.mesh!r}")
    meshes = [MeshShape(file=msg.mesh)] if msg.mesh else []
    if not (shapes or meshes):
        raise InvalidMessageError("an object to add needs primitives or a mesh")
    return (*shapes, *meshes)
