from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from skillet_data.errors import ConversionError
from skillet_data.observations import by_name, color_image, depth_image, joint_positions


def image(pixels: np.ndarray, encoding: str, *, padding: int = 0, big: bool = False) -> SimpleNamespace:
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    return SimpleNamespace(
        height=height,
        width=width,
        encoding=encoding,
        step=padded.shape[1],
        is_bigendian=int(big),
        data=padded.tobytes(),
    )


PIXELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_rows_with_padding_are_read_without_it():
    np.testing.assert_array_equal(color_image(image(PIXELS, "rgb8", padding=5), None), PIXELS)


def test_bgr_becomes_rgb():
    np.testing.assert_array_equal(color_image(image(PIXELS, "bgr8"), None), PIXELS[:, :, ::-1])


def test_a_smaller_picture_is_the_rounded_mean_of_blocks():
    small = color_image(image(PIXELS, "rgb8"), (3, 2))
    expected = PIXELS.reshape(2, 2, 3, 2, 3).mean(axis=(1, 3))
    np.testing.assert_array_equal(small, np.floor(expected + 0.5))


def test_a_white_picture_stays_white():
    white = np.full((4, 6, 3), 255, np.uint8)
    assert (color_image(image(white, "rgb8"), (3, 2)) == 255).all()


@pytest.mark.parametrize("big", [False, True])
def test_depth_is_read_in_either_byte_order(big):
    depth = np.array([[1, 300], [65535, 0]], np.uint16)
    raw = depth.astype(">u2" if big else "<u2")
    result = depth_image(image(raw, "16UC1", big=big), None)
    np.testing.assert_array_equal(result, depth)
    assert result.dtype == np.uint16


def test_smaller_depth_never_mixes_near_and_far():
    depth = np.array([[0, 9000] * 3, [1000, 500] * 3], np.uint16)
    assert set(depth_image(image(depth, "16UC1"), (3, 1)).ravel()) <= set(depth.ravel())


@pytest.mark.parametrize("encoding", ["mono8", "16UC1", "rgba8"])
def test_another_encoding_is_refused_by_name(encoding):
    with pytest.raises(ConversionError, match=encoding):
        color_image(image(PIXELS, encoding), None)


def test_an_image_with_too_few_bytes_is_refused():
    short = image(PIXELS, "rgb8")
    short.data = short.data[:-1]
    with pytest.raises(ConversionError, match="71 bytes"):
        color_image(short, None)


def test_joints_go_by_name_whatever_the_order(robot):
    names = [*reversed(robot.joint_names), "finger_joint"]
    message = SimpleNamespace(name=names, position=[*range(len(names))])
    count = len(robot.joint_names)
    assert joint_positions(message, robot).tolist() == list(reversed(range(count)))


def test_a_missing_joint_is_named():
    with pytest.raises(ConversionError, match=r"joint_states.position lacks wrist; it has base, elbow"):
        by_name(["base", "elbow"], [0.0, 1.0], ["base", "wrist"], "joint_states.position")


def test_a_joint_that_is_not_a_number_is_named():
    with pytest.raises(ConversionError, match="of elbow is not finite"):
        by_name(["base", "elbow"], [0.0, float("nan")], ["base", "elbow"], "joint_states.position")
