"""Frames from a URDF agree with Pinocchio's, mimicking joints included."""

from __future__ import annotations

import numpy as np
import pinocchio
import pytest
from scipy.spatial.transform import Rotation

from skillet_control.urdf_tree import UrdfTree, multiply_quaternions
from skillet_core.errors import InvalidFileError, UnknownNameError

URDF = """
<robot name="test">
  <link name="base"/><link name="a"/><link name="b"/><link name="c"/><link name="d"/><link name="tip"/>
  <joint name="turn" type="revolute">
    <parent link="base"/><child link="a"/><origin xyz="0.1 0.2 0.3" rpy="0.4 -0.5 0.6"/>
    <axis xyz="0 2 1"/><limit lower="-3" upper="3" effort="1" velocity="1"/>
  </joint>
  <joint name="slide" type="prismatic">
    <parent link="a"/><child link="b"/><origin xyz="0 0.1 0" rpy="0.3 0.2 0.1"/>
    <axis xyz="1 1 0"/><limit lower="-1" upper="1" effort="1" velocity="1"/>
  </joint>
  <joint name="spin" type="continuous"><parent link="b"/><child link="c"/><axis xyz="0 0 1"/></joint>
  <joint name="follow" type="revolute">
    <parent link="c"/><child link="d"/><origin xyz="0 0 0.1"/><axis xyz="0 1 0"/>
    <limit lower="-3" upper="3" effort="1" velocity="1"/><mimic joint="turn" multiplier="-2" offset="0.25"/>
  </joint>
  <joint name="weld" type="fixed">
    <parent link="d"/><child link="tip"/><origin xyz="0 0 0.2" rpy="0 1 0"/>
  </joint>
</robot>
"""


def compose(tree: UrdfTree, positions: dict[str, float]) -> dict[str, np.ndarray]:
    """Place every frame in the root by multiplying the published transforms."""
    local = {}
    frames = tree.moving_for(positions)
    sets = (tree.fixed.at(np.zeros(0)), frames.at(np.array([positions[name] for name in frames.sources])))
    for transforms in sets:
        for k, child in enumerate(transforms.children):
            matrix = np.eye(4)
            matrix[:3, :3] = Rotation.from_quat(transforms.quaternions[k]).as_matrix()
            matrix[:3, 3] = transforms.translations[k]
            local[child] = (transforms.parents[k], matrix)
    placed = {}
    for frame in local:
        matrix, parent = np.eye(4), frame
        while parent in local:
            parent, step = local[parent][0], local[parent][1]
            matrix = step @ matrix
        placed[frame] = matrix
    return placed


def test_every_frame_is_where_pinocchio_puts_it():
    tree, generator = UrdfTree(URDF), np.random.default_rng(5)
    plain = URDF.replace('<mimic joint="turn" multiplier="-2" offset="0.25"/>', "")
    model = pinocchio.buildModelFromXML(plain)
    data = model.createData()
    for _ in range(50):
        turn, slide, spin = generator.uniform(-1, 1, 3)
        placed = compose(tree, {"turn": turn, "slide": slide, "spin": spin})
        by_joint = {
            "turn": [turn],
            "slide": [slide],
            "spin": [np.cos(spin), np.sin(spin)],
            "follow": [-2 * turn + 0.25],
        }
        q = np.concatenate([by_joint[name] for name in model.names[1:]])
        pinocchio.framesForwardKinematics(model, data, q)
        for frame, matrix in placed.items():
            expected = data.oMf[model.getFrameId(frame)].homogeneous
            np.testing.assert_allclose(matrix, expected, atol=1e-12)
        position = tree.position_of("tip", "base", ("slide", "turn", "spin"))
        np.testing.assert_allclose(position(np.array([slide, turn, spin])), placed["tip"][:3, 3], atol=1e-12)


def test_moving_joints_name_what_moves_them():
    tree = UrdfTree(URDF)
    assert tree.moving.sources == ("turn", "slide", "spin")
    assert tree.fixed.children == ("tip",)
    assert tree.moving_for({"turn": 0.0}).children == ("a", "d")
    assert [link.joint for link in tree.chain("a", "tip")] == ["slide", "spin", "follow", "weld"]


def test_an_unknown_frame_is_an_error_that_lists_the_others():
    with pytest.raises(UnknownNameError, match=r"unknown frame 'tipp'\. Did you mean 'tip'"):
        UrdfTree(URDF).chain("base", "tipp")
    with pytest.raises(UnknownNameError, match="frame below 'tip'"):
        UrdfTree(URDF).chain("tip", "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<robot", "is not XML"),
        ("<sdf/>", "is a <sdf>"),
        (URDF.replace("continuous", "planar"), "joint 'spin' of the URDF is of type 'planar'"),
        (URDF.replace('<mimic joint="turn"', '<mimic joint="twirl"'), "mimics 'twirl', which the URDF lacks"),
        (URDF.replace('<child link="c"/>', ""), "joint 'spin' of the URDF lacks its parent or child"),
        (URDF.replace("0.1 0.2 0.3", "0.1 zero 0.3"), "unreadable numbers"),
    ],
)
def test_a_bad_description_is_refused(text, message):
    with pytest.raises(InvalidFileError, match=message):
        UrdfTree(text)


def test_quaternion_products_are_those_of_rotations():
    generator = np.random.default_rng(1)
    a, b = (Rotation.random(20, random_state=generator) for _ in range(2))
    product = multiply_quaternions(a.as_quat(), b.as_quat())
    np.testing.assert_allclose((Rotation.from_quat(product).inv() * a * b).magnitude(), 0.0, atol=1e-7)
