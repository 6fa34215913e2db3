"""The URDF is the single source: MuJoCo and Pinocchio read the same robot from it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import mujoco
import numpy as np
import pinocchio
import pytest

from skillet_core.errors import SkilletError, UnknownNameError
from skillet_core.robot import RobotDescription, load_robot
from skillet_sim.robot_model import COLLISION_GROUP, VISUAL_GROUP, compose_urdf, robot_spec

VENDOR_MASSES = {
    "shoulder_link": 3.761,
    "upper_arm_link": 8.058,
    "forearm_link": 2.846,
    "wrist_1_link": 1.37,
    "wrist_2_link": 1.3,
    "wrist_3_link": 0.365,
}
"""UR5e, from the vendor's page on its kinematics and dynamics [kg]."""
VENDOR_DH = (
    # a [m], d [m], alpha [rad]
    (0.0, 0.1625, np.pi / 2),
    (-0.425, 0.0, 0.0),
    (-0.3922, 0.0, 0.0),
    (0.0, 0.1333, np.pi / 2),
    (0.0, 0.0997, -np.pi / 2),
    (0.0, 0.0996, 0.0),
)
"""UR5e, from the same page."""


@pytest.fixture
def model(robot: RobotDescription) -> mujoco.MjModel:
    return robot_spec(robot).compile()


def _random_configurations(robot: RobotDescription, count: int) -> np.ndarray:
    return np.random.default_rng(7).uniform(robot.lower, robot.upper, (count, len(robot.joints)))


def _set(
    model: mujoco.MjModel, data: mujoco.MjData, robot: RobotDescription, joints: np.ndarray, driven: float
) -> None:
    for name, value in zip(robot.joint_names, joints, strict=True):
        data.qpos[model.joint(name).qposadr[0]] = value
    for name, factor in {robot.gripper.joint: 1.0, **robot.gripper.mimic}.items():
        data.qpos[model.joint(name).qposadr[0]] = factor * driven


def _pinocchio_state(witness: pinocchio.Model, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    q = pinocchio.neutral(witness)
    for index in range(1, witness.njoints):
        joint = witness.joints[index]
        assert joint.nq == 1
        q[joint.idx_q] = data.qpos[model.joint(witness.names[index]).qposadr[0]]
    return q


def test_mujoco_and_pinocchio_agree_on_every_frame_and_on_gravity(
    robot: RobotDescription, model: mujoco.MjModel
) -> None:
    witness = pinocchio.buildModelFromXML(compose_urdf(robot))
    state, data = witness.createData(), mujoco.MjData(model)
    frames = {f.name: i for i, f in enumerate(witness.frames) if f.type == pinocchio.FrameType.BODY}
    bodies = {model.body(i).name for i in range(1, model.nbody)}
    assert bodies <= set(frames)
    distance, torque = 0.0, 0.0
    for number, joints in enumerate(_random_configurations(robot, 200)):
        _set(model, data, robot, joints, driven=robot.gripper.joint_position(0.0004 * number))
        mujoco.mj_forward(model, data)
        q = _pinocchio_state(witness, model, data)
        pinocchio.framesForwardKinematics(witness, state, q)
        for name in bodies:
            pose = state.oMf[frames[name]]
            distance = max(distance, float(np.abs(data.body(name).xpos - pose.translation).max()))
            turn = data.body(name).xmat.reshape(3, 3) - pose.rotation
            assert np.abs(turn).max() < 1e-9
        gravity = pinocchio.computeGeneralizedGravity(witness, state, q)
        for index in range(1, witness.njoints):
            ours = data.qfrc_bias[model.joint(witness.names[index]).dofadr[0]]
            torque = max(torque, abs(float(ours - gravity[witness.joints[index].idx_v])))
    assert distance < 1e-9
    assert torque < 1e-9


def test_the_descriptions_limits_are_the_urdfs(robot: RobotDescription) -> None:
    tree = ET.fromstring(compose_urdf(robot))  # noqa: S314 - our own text
    for joint in robot.joints:
        limit = tree.find(f"joint[@name='{joint.name}']/limit")
        said = {key: float(limit.get(key)) for key in ("lower", "upper", "velocity", "effort")}
        ours = {
            "lower": joint.limits.lower,
            "upper": joint.limits.upper,
            "velocity": joint.limits.velocity,
            "effort": joint.max_effort,
        }
        assert ours == pytest.approx(said, abs=1e-12), joint.name


def test_mimic_joints_are_the_urdfs(robot: RobotDescription) -> None:
    tree = ET.fromstring(compose_urdf(robot))  # noqa: S314 - our own text
    found = {}
    for joint in tree.iterfind("joint"):
        if (mimic := joint.find("mimic")) is not None:
            assert mimic.get("joint") == robot.gripper.joint
            found[joint.get("name")] = float(mimic.get("multiplier", "1"))
    assert found == robot.gripper.mimic


def test_every_camera_has_its_optical_frame_in_the_urdf(robot: RobotDescription) -> None:
    links = {link.get("name") for link in ET.fromstring(compose_urdf(robot)).iterfind("link")}  # noqa: S314 - our own text
    assert {camera.optical_frame for camera in robot.cameras} == {
        "wrist_color_optical_frame",
        "front_color_optical_frame",
    }
    assert {camera.optical_frame for camera in robot.cameras} <= links


def test_every_mesh_of_the_urdf_is_a_file_that_exists(robot: RobotDescription) -> None:
    files = [mesh.get("filename") for mesh in ET.fromstring(compose_urdf(robot)).iter("mesh")]  # noqa: S314 - our own text
    assert files
    for file in files:
        assert file.startswith("file:///")
        assert Path(file.removeprefix("file://")).is_file()


def test_ur5e_links_have_the_vendors_masses() -> None:
    model = robot_spec(load_robot("ur5e")).compile()
    assert {name: model.body(name).mass[0] for name in VENDOR_MASSES} == pytest.approx(VENDOR_MASSES)


def test_ur5e_inertias_are_scaled_with_the_masses() -> None:
    model = robot_spec(load_robot("ur5e")).compile()
    # the file's values at its own mass of 8.393 kg
    assert sorted(model.body("upper_arm_link").inertia) == pytest.approx(
        [0.0151074 * 8.058 / 8.393, *[0.1338857818623325 * 8.058 / 8.393] * 2]
    )


def test_ur5e_flange_follows_the_vendors_dh_parameters() -> None:
    robot = load_robot("ur5e")
    model = robot_spec(robot).compile()
    data = mujoco.MjData(model)
    for joints in _random_configurations(robot, 20):
        _set(model, data, robot, joints, driven=0.0)
        mujoco.mj_kinematics(model, data)
        expected = np.eye(4)
        for angle, (a, d, alpha) in zip(joints, VENDOR_DH, strict=True):
            c, s, ca, sa = np.cos(angle), np.sin(angle), np.cos(alpha), np.sin(alpha)
            expected = expected @ np.array(
                [[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0, sa, ca, d], [0, 0, 0, 1]]
            )
        base = data.body("base")
        matrix = base.xmat.reshape(3, 3)
        np.testing.assert_allclose(
            matrix.T @ (data.body("tool0").xpos - base.xpos), expected[:3, 3], atol=1e-7
        )
        np.testing.assert_allclose(
            matrix.T @ data.body("tool0").xmat.reshape(3, 3), expected[:3, :3], atol=1e-7
        )


def test_the_opening_table_is_the_gap_between_the_pads(
    robot: RobotDescription, model: mujoco.MjModel
) -> None:
    data, gripper = mujoco.MjData(model), robot.gripper
    _set(model, data, robot, robot.home, driven=gripper.joint_position(gripper.max_opening))
    mujoco.mj_kinematics(model, data)
    sides = _pad_sides(data, robot)
    for opening in np.linspace(gripper.opening_to_joint[0][0], gripper.max_opening, 15):
        _set(model, data, robot, robot.home, driven=gripper.joint_position(opening))
        mujoco.mj_kinematics(model, data)
        assert _pad_gap(model, data, robot, sides) == pytest.approx(opening, abs=1e-4)


def _pad_sides(data: mujoco.MjData, robot: RobotDescription) -> list[float]:
    """On which side of the grasp frame along its y each pad is, told while the gripper is open."""
    frame = data.body(robot.gripper.grasp_frame)
    axis = frame.xmat.reshape(3, 3)[:, 1]
    return [float(np.sign((data.body(link).xpos - frame.xpos) @ axis)) for link in robot.gripper.finger_links]


def _pad_gap(
    model: mujoco.MjModel, data: mujoco.MjData, robot: RobotDescription, sides: list[float]
) -> float:
    """Distance along the grasp frame's y between the inner faces of the boxes that grasp."""
    frame = data.body(robot.gripper.grasp_frame)
    axis = frame.xmat.reshape(3, 3)[:, 1]
    faces = []
    for link, side in zip(robot.gripper.finger_links, sides, strict=True):
        nearest = np.inf
        for geom in range(model.ngeom):
            if model.geom_bodyid[geom] == model.body(link).id and model.geom_group[geom] == COLLISION_GROUP:
                turn, half = data.geom_xmat[geom].reshape(3, 3), model.geom_size[geom]
                middle = side * ((data.geom_xpos[geom] - frame.xpos) @ axis)
                nearest = min(nearest, middle - np.abs(axis @ turn) @ half)
        faces.append(nearest)
    return float(sum(faces))


def test_the_grasp_frame_points_at_the_object_and_lies_between_the_pads(
    robot: RobotDescription, model: mujoco.MjModel
) -> None:
    data = mujoco.MjData(model)
    _set(model, data, robot, robot.home, driven=robot.gripper.joint_position(0.04))
    mujoco.mj_kinematics(model, data)
    frame = data.body(robot.gripper.grasp_frame)
    turn = frame.xmat.reshape(3, 3)
    left, right = (turn.T @ (data.body(link).xpos - frame.xpos) for link in robot.gripper.finger_links)
    np.testing.assert_allclose(left[[0, 2]], right[[0, 2]], atol=1e-6)
    assert left[1] == pytest.approx(-right[1], abs=1e-6)
    away = turn.T @ (frame.xpos - data.body(robot.flange_frame).xpos)
    assert away[2] > 0.1
    np.testing.assert_allclose(away[:2], 0.0, atol=1e-6)
    # at home the gripper looks down on the table
    np.testing.assert_allclose(turn[:, 2], (0, 0, -1), atol=0.02)


def test_visual_geometry_never_collides_and_weighs_nothing(model: mujoco.MjModel) -> None:
    visual = model.geom_group == VISUAL_GROUP
    assert visual.any()
    assert (model.geom_group[~visual] == COLLISION_GROUP).all()
    assert not model.geom_contype[visual].any()
    assert not model.geom_conaffinity[visual].any()
    assert model.geom_contype[~visual].all()


def test_nothing_touches_at_home(robot: RobotDescription, model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    for opening in (0.0, robot.gripper.max_opening):
        _set(model, data, robot, robot.home, driven=robot.gripper.joint_position(opening))
        mujoco.mj_forward(model, data)
        pairs = [[model.body(model.geom_bodyid[g]).name for g in c.geom] for c in data.contact]
        assert pairs == []


def test_the_arm_touches_itself_where_it_is_folded(robot: RobotDescription, model: mujoco.MjModel) -> None:
    folded = {"ur5e": [0, 0, 3.1, 0, 0, 0], "panda": [0, 0, 0, -3.05, 0, -0.01, 0]}[robot.name]
    data = mujoco.MjData(model)
    _set(model, data, robot, np.array(folded, dtype=float), driven=robot.gripper.joint_position(0.0))
    mujoco.mj_forward(model, data)
    assert data.ncon > 0


def test_the_robots_weight_is_compensated(robot: RobotDescription, model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    _set(model, data, robot, robot.home, driven=robot.gripper.joint_position(0.04))
    mujoco.mj_forward(model, data)
    dofs = [model.joint(name).dofadr[0] for name in robot.joint_names]
    np.testing.assert_allclose(data.qfrc_passive[dofs], data.qfrc_bias[dofs], atol=1e-9)
    assert np.abs(data.qfrc_bias[dofs]).max() > 5.0


def test_a_joint_that_the_urdf_lacks_is_named(robot: RobotDescription) -> None:
    wrong = robot.joints[0].model_copy(update={"name": "shoulder_pam_joint"})
    broken = robot.model_copy(update={"joints": (wrong, *robot.joints[1:])})
    with pytest.raises(UnknownNameError, match="shoulder_pam_joint") as caught:
        robot_spec(broken)
    assert robot.joints[0].name in caught.value.valid


def test_a_xacro_file_that_is_missing_is_named(robot: RobotDescription) -> None:
    with pytest.raises(SkilletError, match=r"no_such\.xacro"):
        compose_urdf(robot.model_copy(update={"xacro": "no_such.xacro"}))
