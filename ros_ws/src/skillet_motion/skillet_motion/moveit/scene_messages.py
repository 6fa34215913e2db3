"""Skillet's scene as MoveIt's: what is where, what the gripper carries, and who may touch whom.

Every time MoveIt's scene is emptied and filled again, so that it is as Skillet's whatever either was
before. What others put into MoveIt's planning scene is gone then; objects of a user come in through
Skillet's contract (``scene/apply``). It takes two messages, both changes: a whole scene would reach the
scene that MoveIt plans in one message late, and removed objects would take their new allowed contacts along.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from skillet_core.geometry import Array, Pose
from skillet_core.robot import RobotDescription
from skillet_motion.collision import PADDING, RESTING_DEPTH
from skillet_motion.moveit import messages as make
from skillet_motion.moveit.config import WORLD, Pair, pair
from skillet_motion.moveit.messages import Messages
from skillet_motion.moveit.solids import Solid

_BOX, _SPHERE, _CYLINDER = 1, 2, 3
"""Constants of ``shape_msgs/SolidPrimitive``."""
_REMOVE = b"\x01"
"""Constant of ``moveit_msgs/CollisionObject``; without a name it removes everything."""
_KINDS = {"box": _BOX, "sphere": _SPHERE, "cylinder": _CYLINDER}


@dataclass(frozen=True, eq=False)
class SceneContent:
    """What MoveIt is told of a scene.

    Attributes:
        solids: what each object is made of, in its frame.
        poses: of the objects in the world frame.
        attached: pose of each carried object in the grasp frame.
        arm: positions of the arm, shape (n,) [rad].
        opening: of the gripper [m].
        allowed: pairs of links and objects that may touch, besides those of the SRDF.
    """

    solids: Mapping[str, tuple[Solid, ...]]
    poses: Mapping[str, Pose]
    attached: Mapping[str, Pose]
    arm: Array
    opening: float
    allowed: frozenset[Pair]


def cleared_scene(messages: Messages) -> Any:
    """Return the ``moveit_msgs/PlanningScene`` that empties the world and the gripper."""
    everything = messages("CollisionObject", operation=_REMOVE)
    attached = messages("AttachedCollisionObject", object=everything)
    return messages(
        "PlanningScene",
        robot_state=messages("RobotState", attached_collision_objects=[attached], is_diff=True),
        world=messages("PlanningSceneWorld", collision_objects=[everything]),
        is_diff=True,
    )


def planning_scene(
    messages: Messages,
    robot: RobotDescription,
    content: SceneContent,
    *,
    links: Collection[str],
    unchecked: Iterable[Pair],
) -> Any:
    """Return the ``moveit_msgs/PlanningScene`` that fills a cleared one.

    Carried objects are a little smaller than they are (`RESTING_DEPTH`): what rests on a table touches
    it, and MoveIt knows no depth of contact that is still allowed. The robot's links are padded
    (`PADDING`), as in Skillet's own checks.

    Args:
        messages: makes the messages.
        robot: the robot's description.
        content: what to say.
        links: of the robot that have collision shapes.
        unchecked: pairs of links that the SRDF excludes.
    """
    world = [
        _collision_object(messages, name, WORLD, content.poses.get(name, Pose.identity()), solids)
        for name, solids in content.solids.items()
        if name not in content.attached
    ]
    return messages(
        "PlanningScene",
        robot_model_name=robot.name,
        robot_state=robot_state(messages, robot, content, is_diff=True),
        allowed_collision_matrix=_matrix(messages, {*unchecked, *content.allowed}),
        link_padding=[messages("LinkPadding", link_name=link, padding=PADDING) for link in sorted(links)],
        world=messages("PlanningSceneWorld", collision_objects=world),
        is_diff=True,
    )


def robot_state(
    messages: Messages, robot: RobotDescription, content: SceneContent, *, is_diff: bool = False
) -> Any:
    """Return where the robot is and what it carries, as a ``moveit_msgs/RobotState``."""
    gripper = robot.gripper
    driven = gripper.joint_position(content.opening)
    fingers = {gripper.joint: driven} | {name: factor * driven for name, factor in gripper.mimic.items()}
    carried = [
        messages(
            "AttachedCollisionObject",
            link_name=gripper.grasp_frame,
            object=_collision_object(
                messages,
                name,
                gripper.grasp_frame,
                place,
                [solid.shrunk(RESTING_DEPTH) for solid in content.solids.get(name, ())],
            ),
            touch_links=list(gripper.links),
        )
        for name, place in content.attached.items()
    ]
    return messages(
        "RobotState",
        joint_state=make.joint_state(
            messages, (*robot.joint_names, *fingers), (*content.arm, *fingers.values())
        ),
        attached_collision_objects=carried,
        is_diff=is_diff,
    )


def _collision_object(messages: Messages, name: str, frame: str, place: Pose, solids: Iterable[Solid]) -> Any:
    item = messages(
        "CollisionObject", id=name, header=make.header(messages, frame), pose=make.pose(messages, place)
    )
    for solid in solids:
        if solid.vertices is None or solid.triangles is None:
            shape = messages(
                "SolidPrimitive", type=_KINDS[solid.kind], dimensions=list(map(float, solid.size))
            )
            item.primitives.append(shape)
            item.primitive_poses.append(make.pose(messages, solid.pose))
        else:
            triangles = [
                messages("MeshTriangle", vertex_indices=triangle.astype("uint32"))
                for triangle in solid.triangles
            ]
            item.meshes.append(
                messages("Mesh", triangles=triangles, vertices=make.points(messages, solid.vertices))
            )
            item.mesh_poses.append(make.pose(messages, solid.pose))
    return item


def _matrix(messages: Messages, pairs: Iterable[Pair]) -> Any:
    """Return a symmetric ``moveit_msgs/AllowedCollisionMatrix`` in which these pairs may touch."""
    allowed = {entry for entry in pairs if len(entry) > 1}
    names = sorted({name for entry in allowed for name in entry})
    rows = [
        messages("AllowedCollisionEntry", enabled=[pair(row, column) in allowed for column in names])
        for row in names
    ]
    return messages("AllowedCollisionMatrix", entry_names=names, entry_values=rows)
