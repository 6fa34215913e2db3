import numpy as np
import pytest

pytest.importorskip("skillet_interfaces")

from hypothesis import given
from hypothesis import strategies as st

from skillet_core.errors import TrajectoryError
from skillet_core.geometry import Pose
from skillet_core.scene import ContactPair, ObjectState, SceneState
from skillet_core.trajectory import JointTrajectory
from skillet_ros import convert


@given(st.integers(0, 2**31 - 1), st.integers(0, 999_999_999))
def test_a_stamp_survives_its_way_to_a_message_and_back(sec, nanosec):
    stamp = convert.time_to_msg(sec + nanosec / 1e9)
    assert convert.time_from_msg(stamp) == pytest.approx(sec + nanosec / 1e9, abs=1e-6)
    assert 0 <= stamp.nanosec < 1_000_000_000


def test_a_stamp_just_below_a_second_rounds_into_the_next():
    assert convert.time_to_msg(1.9999999999).sec == 2


def test_a_pose_survives_its_way_to_a_message_and_back():
    pose = Pose.from_xyz_rpy((1.0, -2.0, 3.0), (0.1, 0.2, 0.3))
    distance, angle = convert.pose_from_msg(convert.pose_to_msg(pose)).distance_to(pose)
    assert distance == 0.0
    assert angle < 1e-12


def test_a_pose_message_with_a_quaternion_not_of_unit_length_is_refused():
    msg = convert.pose_to_msg(Pose.identity())
    msg.orientation.w = 2.0
    with pytest.raises(ValueError, match="unit length"):
        convert.pose_from_msg(msg)


def test_a_trajectory_survives_its_way_to_a_message_and_back():
    rng = np.random.default_rng(0)
    table = [rng.normal(size=(3, 2)) for _ in range(3)]
    trajectory = JointTrajectory(("a", "b"), np.array([0.0, 0.5, 1.25]), *table)
    back = convert.trajectory_from_msg(convert.trajectory_to_msg(trajectory))
    assert back.joint_names == ("a", "b")
    np.testing.assert_allclose(back.times, trajectory.times, atol=1e-9)
    for quantity in ("positions", "velocities", "accelerations"):
        np.testing.assert_array_equal(getattr(back, quantity), getattr(trajectory, quantity))


def test_a_point_with_too_few_positions_is_refused_and_named():
    msg = convert.trajectory_to_msg(JointTrajectory(("a", "b"), np.array([0.0, 1.0]), np.zeros((2, 2))))
    msg.points[1].positions = [0.0]
    with pytest.raises(TrajectoryError, match="point 1 has 1 positions for 2 joints"):
        convert.trajectory_from_msg(msg)


def test_a_scene_survives_its_way_to_a_message_and_back():
    scene = SceneState(
        stamp=1.5,
        task="blocks",
        seed=7,
        episode=2,
        success=True,
        objects={"red_block": ObjectState(Pose.from_xyz_rpy((0.1, 0.2, 0.3)), np.ones(3), np.arange(3.0))},
        articulation={"drawer": 0.2},
        contacts=(ContactPair("red_block", "robot/finger", (0.0, 0.0, 1.0)),),
    )
    back = convert.scene_from_msg(convert.scene_to_msg(scene, "base_link"))
    assert (back.stamp, back.task, back.seed, back.episode, back.success) == (1.5, "blocks", 7, 2, True)
    assert back.articulation == scene.articulation
    assert back.contacts == scene.contacts
    block = back.object("red_block")
    np.testing.assert_array_equal(block.pose.position, [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(block.angular, [0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("dtype", "shape", "encoding"),
    [(np.uint8, (4, 6, 3), "rgb8"), (np.uint16, (4, 6), "16UC1")],
)
def test_an_image_keeps_its_pixels_and_says_its_encoding(dtype, shape, encoding):
    image = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    msg = convert.image_to_msg(image, convert.time_to_msg(1.0), "front_color_optical_frame")
    assert (msg.encoding, msg.height, msg.width) == (encoding, 4, 6)
    assert msg.step == image.strides[0]
    np.testing.assert_array_equal(np.frombuffer(msg.data, dtype).reshape(shape), image)


def test_an_image_of_another_type_is_refused():
    with pytest.raises(ValueError, match="float64"):
        convert.image_to_msg(np.zeros((4, 6)), convert.time_to_msg(1.0), "f")
