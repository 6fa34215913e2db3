import numpy as np
import pytest

pytest.importorskip("skillet_interfaces")

from geometry_msgs.msg import PoseStamped
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import JointState
from shape_msgs.msg import SolidPrimitive

from skillet_core.collision_objects import BoxShape, CylinderShape, SphereShape
from skillet_core.errors import SkilletError, TrajectoryError
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
    with pytest.raises(convert.InvalidMessageError, match="unit length"):
        convert.pose_from_msg(msg)


def test_a_stamped_pose_is_brought_from_its_frame_to_the_world():
    block = Pose.from_xyz_rpy((0.5, 0.1, 0.02), (0.0, 0.0, np.pi / 2))
    msg = PoseStamped(pose=convert.pose_to_msg(Pose.from_xyz_rpy((0.1, 0.0, 0.0))))
    msg.header.frame_id = "block"
    pose = convert.stamped_pose_from_msg(msg, {"block": block}.__getitem__)
    np.testing.assert_allclose(pose.position, (0.5, 0.2, 0.02), atol=1e-12)


def test_joint_positions_are_matched_by_name_without_the_grippers():
    msg = JointState(name=["b", "finger", "a"], position=[2.0, 9.0, 1.0])
    assert convert.joint_positions_from_msg(msg, ("a", "b"), ("finger",)).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("names", "positions", "said"),
    [
        (["a"], [1.0], "missing joint: b"),
        (["a", "b", "c"], [1.0, 2.0, 3.0], "unknown joint: c"),
        (["a", "b", "b"], [1.0, 2.0, 3.0], "joint named twice: b"),
        (["a", "b"], [1.0], "2 joint names came with 1 positions"),
        (["a", "b"], [1.0, np.inf], "positions of b at point 0 is inf"),
        ([], [], "missing joint: a, b"),
    ],
)
def test_joint_positions_that_do_not_fit_the_arm_are_refused_by_name(names, positions, said):
    with pytest.raises(SkilletError, match=said):
        convert.joint_positions_from_msg(JointState(name=names, position=positions), ("a", "b"), ())


@pytest.mark.parametrize(
    ("kind", "dimensions", "shape"),
    [
        (SolidPrimitive.BOX, [0.1, 0.2, 0.3], BoxShape(size=(0.1, 0.2, 0.3), xyz=(0, 0, 1))),
        (SolidPrimitive.SPHERE, [0.1], SphereShape(radius=0.1, xyz=(0, 0, 1))),
        (SolidPrimitive.CYLINDER, [0.3, 0.1], CylinderShape(length=0.3, radius=0.1, xyz=(0, 0, 1))),
    ],
)
def test_a_primitive_becomes_a_shape(kind, dimensions, shape):
    msg = SolidPrimitive(type=kind, dimensions=dimensions)
    assert convert.shape_from_msg(msg, Pose.from_xyz_rpy((0, 0, 1))) == shape


def test_a_pose_survives_its_way_to_xyz_and_rpy_and_back():
    pose = Pose.from_xyz_rpy((1.0, 2.0, 3.0), (0.5, -0.4, 2.0))
    assert Pose.from_xyz_rpy(*convert.xyz_rpy(pose)).distance_to(pose) == pytest.approx((0.0, 0.0), abs=1e-9)


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
