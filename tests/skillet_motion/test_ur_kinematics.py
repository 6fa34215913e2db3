from __future__ import annotations

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillet_core.errors import InvalidFileError
from skillet_core.geometry import Pose
from skillet_core.robot import load_robot
from skillet_motion.kinematics import POSITION_TOLERANCE, ROTATION_TOLERANCE, ArmKinematics
from skillet_motion.ur_kinematics import UrKinematics
from skillet_sim.robot_model import robot_spec

ROBOT = load_robot("ur5e")
GENERIC = np.array([0.4, -1.2, 1.5, -1.1, -1.3, 0.6])
angles = st.lists(st.floats(-np.pi, np.pi), min_size=6, max_size=6).map(np.array)


def arm_kinematics(model, **options):
    limits = {"lower": ROBOT.lower, "upper": ROBOT.upper, **options}
    return ArmKinematics(model, ROBOT.joint_names, ROBOT.gripper.grasp_frame, **limits)


@pytest.fixture(scope="module")
def model():
    return robot_spec(ROBOT).compile()


@pytest.fixture(scope="module")
def kinematics(model):
    return arm_kinematics(model, closed_form=ROBOT.closed_form)


def solve_all(kinematics, target, near, **options):
    return kinematics.solutions(target, near, rng=np.random.default_rng(0), seeds=1, **options)


def whole_turns_apart(first, second):
    return np.abs(np.remainder(first - second + np.pi, 2 * np.pi) - np.pi).max()


def test_a_generic_pose_has_eight_solutions_exact_before_any_polishing(kinematics):
    target = kinematics.forward(GENERIC)
    found = kinematics._closed_form.solutions(target, GENERIC)
    assert len(found) == 8
    for solution in found:
        distance, angle = kinematics.deviation(solution, target)
        assert distance < 1e-9  # the model's right angles are that exact
        assert angle < 1e-9
    assert len(solve_all(kinematics, target, GENERIC)) == 8


def test_every_numeric_solution_is_one_of_the_closed_form(model, kinematics):
    rng = np.random.default_rng(2)
    numeric = arm_kinematics(model)
    matched = 0
    for _ in range(10):
        target = kinematics.forward(rng.uniform(-np.pi, np.pi, 6))
        closed = solve_all(kinematics, target, GENERIC)
        for solution in numeric.solutions(target, GENERIC, rng=rng, seeds=16):
            assert min(whole_turns_apart(solution, other) for other in closed) < 1e-3
            matched += 1
    assert matched > 40


@given(positions=angles)
def test_the_positions_that_made_a_target_are_always_found(kinematics, positions):
    target = kinematics.forward(positions)
    found = solve_all(kinematics, target, positions)
    assert found
    for solution in found:
        distance, angle = kinematics.forward(solution).distance_to(target)
        assert distance < POSITION_TOLERANCE
        assert angle < ROTATION_TOLERANCE
    np.testing.assert_allclose(found[0], positions, atol=0.02)


@pytest.mark.parametrize("wrist", [0.0, np.pi, 1e-7, -2e-6, 1e-4])
@pytest.mark.parametrize("elbow", [1.5, 1e-6, 0.0])
def test_aligned_wrists_and_stretched_arms_are_solved_near_the_present_positions(kinematics, wrist, elbow):
    positions = np.array([0.4, -1.2, elbow, -1.1, wrist, 0.6])
    [nearest, *_] = solve_all(kinematics, kinematics.forward(positions), positions)
    assert np.abs(nearest - positions).max() < 0.02


def test_solutions_keep_narrow_limits(model):
    lower, upper = ROBOT.home - 1.0, ROBOT.home + 1.0
    kinematics = arm_kinematics(model, lower=lower, upper=upper, closed_form="ur")
    wide = arm_kinematics(model, closed_form="ur")
    target = kinematics.forward(ROBOT.home)
    narrow = solve_all(kinematics, target, ROBOT.home)
    assert 1 <= len(narrow) < len(solve_all(wide, target, ROBOT.home))
    assert all(((q >= lower) & (q <= upper)).all() for q in narrow)


def test_joints_turn_to_the_equivalent_nearest_to_the_present_positions(kinematics):
    turned = ROBOT.home + 2 * np.pi * np.array([1, 0, 0, 1, 0, 0])
    [nearest, *_] = solve_all(kinematics, kinematics.forward(ROBOT.home), turned)
    np.testing.assert_allclose(nearest, turned, atol=1e-6)


@pytest.mark.parametrize("position", [(2.0, 0.0, 0.5), (0.02, 0.05, 0.5), (0.0, 0.0, 0.9)])
def test_out_of_reach_is_certain(kinematics, position):
    # too far; too close to the first axis, which the wrist cannot cross
    down = Pose.from_xyz_rpy(position, (np.pi, 0.0, 0.0))
    assert solve_all(kinematics, down, ROBOT.home) == []


def test_a_calibrated_arm_is_solved_by_polishing(model):
    calibrated = robot_spec(ROBOT).compile()
    for name, shift in (("forearm_link", 1e-3), ("wrist_2_link", -5e-4)):
        calibrated.body(name).pos += shift
        tilt = np.zeros(4)
        mujoco.mju_axisAngle2Quat(tilt, np.array([0.6, 0.8, 0.0]), 2e-3)
        mujoco.mju_mulQuat(calibrated.body(name).quat, calibrated.body(name).quat.copy(), tilt)
    kinematics = arm_kinematics(calibrated, closed_form="ur")
    target = kinematics.forward(GENERIC)
    rough = kinematics._closed_form.solutions(target, GENERIC)
    assert max(kinematics.deviation(solution, target)[0] for solution in rough) > 1e-3
    found = solve_all(kinematics, target, GENERIC)
    assert len(found) == 8
    for solution in found:
        distance, angle = kinematics.forward(solution).distance_to(target)
        assert distance < POSITION_TOLERANCE
        assert angle < ROTATION_TOLERANCE
    np.testing.assert_allclose(found[0], GENERIC, atol=1e-3)


def test_an_arm_of_another_type_is_refused_with_the_reason():
    panda = load_robot("panda")
    with pytest.raises(InvalidFileError, match="needs six joints, this arm has 7"):
        ArmKinematics(
            robot_spec(panda).compile(),
            panda.joint_names,
            panda.gripper.grasp_frame,
            lower=panda.lower,
            upper=panda.upper,
            closed_form="ur",
        )


@pytest.mark.parametrize(
    ("axis", "change", "reason"),
    [
        (2, [0.0, 0.0, 1.0], "axes 2 and 3 do not point the same way"),
        (4, [0.0, 0.6, 0.8], "axes 4 and 5 are not perpendicular"),
    ],
)
def test_axes_that_do_not_fit_are_named(kinematics, axis, change, reason):
    kinematics.forward(np.zeros(6))
    axes, anchors = kinematics._data.xaxis.copy(), kinematics._data.xanchor.copy()
    axes[axis] = change
    with pytest.raises(InvalidFileError, match=f"{reason}.*solved numerically"):
        UrKinematics(axes, anchors, Pose.identity())
