"""From messages to the arrays of a `PolicySpec`: the same code for recorded and for live messages.

Functions take anything with the fields of the ROS message, whether `rosbags` or `rclpy` made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skillet_core.robot import RobotDescription
from skillet_data.errors import ConversionError

Image = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Row = npt.NDArray[np.float32]


def by_name(names: Sequence[str], values: Sequence[float], wanted: Sequence[str], what: str) -> Row:
    """Pick values by joint name.

    Args:
        names: as in the message.
        values: beside them.
        wanted: the names to return, in this order.
        what: for the error, e.g. ``"joint_states.position"``.

    Raises:
        ConversionError: a joint is missing, or the message has fewer values than names.
    """
    if len(values) != len(names):
        raise ConversionError(f"{what} has {len(values)} values for {len(names)} joints")
    table = dict(zip(names, values, strict=True))
    missing = [name for name in wanted if name not in table]
    if missing:
        raise ConversionError(f"{what} lacks {', '.join(missing)}; it has {', '.join(names)}")
    row = np.array([table[name] for name in wanted], dtype=np.float32)
    if not np.isfinite(row).all():
        raise ConversionError(f"{what} of {wanted[int(np.flatnonzero(~np.isfinite(row))[0])]} is not finite")
    return row


def joint_positions(message: Any, robot: RobotDescription) -> Row:
    """Arm positions of a ``JointState``, shape (n,) [rad]."""
    return by_name(message.name, message.position, robot.joint_names, "joint_states.position")


def joint_velocities(message: Any, robot: RobotDescription) -> Row:
    """Arm velocities of a ``JointState``, shape (n,) [rad/s]."""
    return by_name(message.name, message.velocity, robot.joint_names, "joint_states.velocity")


def gripper_opening(message: Any, robot: RobotDescription) -> Row:
    """Gap between the pads from a ``JointState``, shape (1,) [m]."""
    joint = by_name(message.name, message.position, (robot.gripper.joint,), "joint_states.position")
    return np.array([robot.gripper.opening(float(joint[0]))], dtype=np.float32)


def joint_reference(message: Any, robot: RobotDescription) -> Row:
    """Where the controller wants the arm, from a ``JointTrajectoryControllerState``, shape (n,) [rad]."""
    return by_name(
        message.joint_names, message.reference.positions, robot.joint_names, "controller_state.reference"
    )


def _pixels(message: Any, encoding: str, item: int) -> npt.NDArray[np.uint8]:
    height, width, step = message.height, message.width, message.step
    data = np.frombuffer(message.data, dtype=np.uint8)
    if step < width * item or data.size < height * step:
        raise ConversionError(
            f"an image of {width}x{height} in {encoding} needs rows of {width * item} bytes, "
            f"but it has {data.size} bytes with a step of {step}"
        )
    rows: npt.NDArray[np.uint8] = data[: height * step].reshape(height, step)
    return rows[:, : width * item]


def color_image(message: Any, size: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
    """Colour of an ``Image`` in rgb8 or bgr8, shape (h, w, 3).

    Args:
        message: the image.
        size: width and height of the result [pixels], averaged over equal blocks; None: unchanged.

    Raises:
        ConversionError: another encoding, or a size that is not a whole fraction.
    """
    if message.encoding not in {"rgb8", "bgr8"}:
        raise ConversionError(f"colour images are rgb8 or bgr8, not {message.encoding!r}")
    image = _pixels(message, message.encoding, 3).reshape(message.height, message.width, 3)
    if message.encoding == "bgr8":
        image = image[:, :, ::-1]
    rows, columns = _factors(message, size)
    if rows == columns == 1:
        return np.ascontiguousarray(image)
    height, width = message.height // rows, message.width // columns
    sums = image.reshape(height, rows, width, columns, 3).sum(axis=(1, 3), dtype=np.uint32)
    # rounded to nearest in integers: the same on every machine
    small: npt.NDArray[np.uint8] = ((sums + rows * columns // 2) // (rows * columns)).astype(np.uint8)
    return small


def depth_image(message: Any, size: tuple[int, int] | None) -> npt.NDArray[np.uint16]:
    """Depth of an ``Image`` in 16UC1 [mm], shape (h, w); one pixel of each block, never a mixture.

    Raises:
        ConversionError: as `color_image`.
    """
    if message.encoding != "16UC1":
        raise ConversionError(f"depth images are 16UC1, not {message.encoding!r}")
    order = ">u2" if message.is_bigendian else "<u2"
    pixels = np.ascontiguousarray(_pixels(message, "16UC1", 2)).view(order)
    rows, columns = _factors(message, size)
    return np.ascontiguousarray(pixels[rows // 2 :: rows, columns // 2 :: columns].astype(np.uint16))


def _factors(message: Any, size: tuple[int, int] | None) -> tuple[int, int]:
    if size is None:
        return 1, 1
    width, height = size
    if message.width % width or message.height % height:
        raise ConversionError(
            f"{message.width}x{message.height} images cannot become {width}x{height}: "
            "width and height must divide the camera's"
        )
    return message.height // height, message.width // width
