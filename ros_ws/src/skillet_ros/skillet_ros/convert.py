"""Messages to Skillet's types and back. The only place that knows both."""

from __future__ import annotations

import array
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Duration as DurationMsg
from builtin_interfaces.msg import Time as TimeMsg
from geometry_msgs.msg import Point, PoseStamped, Quaternion, Vector3
from geometry_msgs.msg import Pose as PoseMsg
from sensor_msgs.msg import CameraInfo, Image, JointState
from shape_msgs.msg import SolidPrimitive
from skillet_interfaces.msg import Contact
from skillet_interfaces.msg import ObjectState as ObjectStateMsg
from skillet_interfaces.msg import SceneState as SceneStateMsg
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg
from trajectory_msgs.msg import JointTrajectoryPoint

from skillet_core.collision_objects import BoxShape, CylinderShape, Shape, SphereShape
from skillet_core.errors import SkilletError, TrajectoryError
from skillet_core.geometry import Array, Pose
from skillet_core.scene import ContactPair, ObjectState, SceneState, Vector
from skillet_core.trajectory import JointTrajectory

NANOSECONDS = 1_000_000_000
_SIZES = {SolidPrimitive.BOX: 3, SolidPrimitive.CYLINDER: 2, SolidPrimitive.SPHERE: 1}
"""Numbers that describe a primitive, by its type."""


class InvalidMessageError(SkilletError, ValueError):
    """A message with a value that means nothing: says which and what would be valid."""


def time_to_msg(seconds: float) -> TimeMsg:
    """Seconds since the clock's origin to a time stamp, rounded to the nanosecond."""
    whole, nanoseconds = divmod(round(seconds * NANOSECONDS), NANOSECONDS)
    return TimeMsg(sec=whole, nanosec=nanoseconds)


def time_from_msg(stamp: TimeMsg) -> float:
    """Time stamp to seconds."""
    return float(stamp.sec) + stamp.nanosec / NANOSECONDS


def duration_to_msg(seconds: float) -> DurationMsg:
    """Seconds to a duration, rounded to the nanosecond."""
    whole, nanoseconds = divmod(round(seconds * NANOSECONDS), NANOSECONDS)
    return DurationMsg(sec=whole, nanosec=nanoseconds)


def duration_from_msg(duration: DurationMsg) -> float:
    """Duration to seconds."""
    return float(duration.sec) + duration.nanosec / NANOSECONDS


def pose_to_msg(pose: Pose) -> PoseMsg:
    """Pose to message."""
    x, y, z = map(float, pose.position)
    qx, qy, qz, qw = map(float, pose.quaternion)
    return PoseMsg(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def pose_from_msg(msg: PoseMsg) -> Pose:
    """Message to pose.

    Raises:
        InvalidMessageError: the quaternion is not of unit length, or a number is not finite.
    """
    p, q = msg.position, msg.orientation
    try:
        return Pose.from_quaternion((p.x, p.y, p.z), (q.x, q.y, q.z, q.w))
    except ValueError as error:
        raise InvalidMessageError(str(error)) from error


def stamped_pose_from_msg(msg: PoseStamped, frame: Callable[[str], Pose]) -> Pose:
    """Message to pose in the world frame.

    Args:
        msg: a pose in the frame that its header names; its stamp is not looked at.
        frame: returns where a frame is in the world frame.

    Raises:
        InvalidMessageError: as `pose_from_msg`.
        UnknownNameError: from ``frame``.
    """
    return frame(msg.header.frame_id) @ pose_from_msg(msg.pose)


def joint_positions_from_msg(msg: JointState, arm: Sequence[str], others: Sequence[str]) -> Array:
    """Joint positions in the arm's order, shape (n,) [rad], matched by name.

    Args:
        msg: names and positions.
        arm: every one of these is needed.
        others: these may stand there too, the gripper's say, and are not looked at.

    Raises:
        InvalidMessageError: names and positions differ in number.
        TrajectoryError: a joint is missing, unknown or named twice, or its position is not finite.
    """
    if len(msg.name) != len(msg.position):
        text = f"{len(msg.name)} joint names came with {len(msg.position)} positions"
        raise InvalidMessageError(text)
    kept = [k for k, name in enumerate(msg.name) if name not in others]
    positions = np.array([[msg.position[k] for k in kept]], dtype=np.float64)
    named = JointTrajectory(tuple(msg.name[k] for k in kept), np.zeros(1), positions)
    ordered = named.reordered(tuple(arm))
    named.check()
    return ordered.positions[0]


def shape_from_msg(msg: SolidPrimitive, pose: Pose) -> Shape:
    """Primitive to shape, ``pose`` in its object's frame.

    Raises:
        InvalidMessageError: it is no box, cylinder or sphere, or its size is not of positive numbers.
    """
    count = _SIZES.get(msg.type)
    if count is None:
        text = f"a primitive is a box (1), a sphere (2) or a cylinder (3), got type {msg.type}"
        raise InvalidMessageError(text)
    size = [float(value) for value in msg.dimensions]
    if len(size) != count or not all(0 < value < np.inf for value in size):
        text = f"a primitive of type {msg.type} has {count} positive dimensions [m], got {size}"
        raise InvalidMessageError(text)
    xyz, rpy = xyz_rpy(pose)
    if msg.type == SolidPrimitive.BOX:
        return BoxShape(xyz=xyz, rpy=rpy, size=(size[0], size[1], size[2]))
    if msg.type == SolidPrimitive.SPHERE:
        return SphereShape(xyz=xyz, rpy=rpy, radius=size[0])
    length, radius = size[SolidPrimitive.CYLINDER_HEIGHT], size[SolidPrimitive.CYLINDER_RADIUS]
    return CylinderShape(xyz=xyz, rpy=rpy, length=length, radius=radius)


def xyz_rpy(pose: Pose) -> tuple[Vector, Vector]:
    """Position [m] and fixed-axis roll, pitch, yaw [rad], as `Pose.from_xyz_rpy` takes them."""
    x, y, z = map(float, pose.position)
    roll, pitch, yaw = map(float, pose.rotation.as_euler("xyz"))
    return (x, y, z), (roll, pitch, yaw)


def trajectory_to_msg(trajectory: JointTrajectory) -> JointTrajectoryMsg:
    """Trajectory to message; the header's stamp stays zero, which means: start now."""
    msg = JointTrajectoryMsg(joint_names=list(trajectory.joint_names))
    for k, time in enumerate(trajectory.times):
        point = JointTrajectoryPoint(time_from_start=duration_to_msg(float(time)))
        point.positions = trajectory.positions[k].tolist()
        if trajectory.velocities is not None:
            point.velocities = trajectory.velocities[k].tolist()
        if trajectory.accelerations is not None:
            point.accelerations = trajectory.accelerations[k].tolist()
        msg.points.append(point)
    return msg


def _table(msg: JointTrajectoryMsg, quantity: str, *, required: bool) -> Array | None:
    rows = [getattr(point, quantity) for point in msg.points]
    if not required and not any(len(row) for row in rows):
        return None
    for k, row in enumerate(rows):
        if len(row) != len(msg.joint_names):
            text = f"point {k} has {len(row)} {quantity} for {len(msg.joint_names)} joints"
            raise TrajectoryError(text)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(msg.joint_names))


def trajectory_from_msg(msg: JointTrajectoryMsg) -> JointTrajectory:
    """Message to trajectory, checked.

    Raises:
        TrajectoryError: as `JointTrajectory.check`, or points of unequal size.
    """
    positions = _table(msg, "positions", required=True)
    assert positions is not None  # noqa: S101  (narrows the type: required rows are never None)
    trajectory = JointTrajectory(
        tuple(msg.joint_names),
        np.array([duration_from_msg(point.time_from_start) for point in msg.points]),
        positions,
        _table(msg, "velocities", required=False),
        _table(msg, "accelerations", required=False),
    )
    trajectory.check()
    return trajectory


def scene_to_msg(scene: SceneState, frame: str) -> SceneStateMsg:
    """Scene to message, in ``frame`` (the world)."""
    msg = SceneStateMsg(task=scene.task, seed=scene.seed, episode=scene.episode, success=scene.success)
    msg.header.stamp = time_to_msg(scene.stamp)
    msg.header.frame_id = frame
    for name, state in scene.objects.items():
        item = ObjectStateMsg(name=name, pose=pose_to_msg(state.pose))
        item.twist.linear = Vector3(**dict(zip("xyz", map(float, state.linear), strict=True)))
        item.twist.angular = Vector3(**dict(zip("xyz", map(float, state.angular), strict=True)))
        msg.objects.append(item)
    msg.articulation.name = list(scene.articulation)
    msg.articulation.position = list(scene.articulation.values())
    for contact in scene.contacts:
        normal = Vector3(**dict(zip("xyz", contact.normal, strict=True)))
        msg.contacts.append(Contact(body_a=contact.body_a, body_b=contact.body_b, normal=normal))
    return msg


def _vector(msg: Vector3) -> Array:
    return np.array([msg.x, msg.y, msg.z])


def scene_from_msg(msg: SceneStateMsg) -> SceneState:
    """Message to scene.

    Raises:
        InvalidMessageError: a pose is not valid.
    """
    return SceneState(
        stamp=time_from_msg(msg.header.stamp),
        task=msg.task,
        seed=msg.seed,
        episode=msg.episode,
        success=msg.success,
        objects={
            item.name: ObjectState(
                pose_from_msg(item.pose), _vector(item.twist.linear), _vector(item.twist.angular)
            )
            for item in msg.objects
        },
        articulation=dict(zip(msg.articulation.name, msg.articulation.position, strict=True)),
        contacts=tuple(
            ContactPair(c.body_a, c.body_b, (c.normal.x, c.normal.y, c.normal.z)) for c in msg.contacts
        ),
    )


def image_to_msg(image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], stamp: TimeMsg, frame: str) -> Image:
    """Image to message: uint8 (h, w, 3) becomes rgb8, uint16 (h, w) becomes 16UC1.

    Raises:
        ValueError: another shape or type.
    """
    if image.dtype == np.uint8 and image.ndim == 3:  # noqa: PLR2004
        encoding = "rgb8"
    elif image.dtype == np.uint16 and image.ndim == 2:  # noqa: PLR2004
        encoding = "16UC1"
    else:
        msg = f"an image is uint8 (h, w, 3) or uint16 (h, w), got {image.dtype} {image.shape}"
        raise ValueError(msg)
    height, width = image.shape[:2]
    out = Image(height=height, width=width, encoding=encoding, is_bigendian=0, step=image.strides[0])
    out.header.stamp = stamp
    out.header.frame_id = frame
    # an array.array is assigned without rclpy's check of every element
    out.data = array.array("B", image.tobytes())
    return out


def camera_info(intrinsics: Array, width: int, height: int, stamp: TimeMsg, frame: str) -> CameraInfo:
    """Pinhole camera without distortion; ``intrinsics`` is K, shape (3, 3) [pixels]."""
    info = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5)
    info.header.stamp = stamp
    info.header.frame_id = frame
    info.k = intrinsics.flatten()
    info.r = np.eye(3).flatten()
    info.p = np.hstack([intrinsics, np.zeros((3, 1))]).flatten()
    return info
