from __future__ import annotations

import numpy as np
import pytest

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Pose
from skillet_motion.kinematics import POSITION_TOLERANCE, ROTATION_TOLERANCE, ArmKinematics
from skillet_sim.robot_model import robot_spec


@pytest.fixture(scope="module")
def model(robot):
    return robot_spec(robot).compile()


@pytest.fixture(scope="module")
def kinematics(robot, model):
    return ArmKinematics(
        model,
        robot.joint_names,
        robot.gripper.grasp_frame,
        lower=robot.lower,
        upper=robot.upper,
        rest=robot.home,
    )


def test_solutions_reach_the_target_within_tolerance_and_limits(robot, kinematics):
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(20):
        target = kinematics.forward(rng.uniform(robot.lower, robot.upper))
        for solution in kinematics.solutions(target, robot.home, rng=rng, seeds=8):
            distance, angle = kinematics.forward(solution).distance_to(target)
            assert distance < POSITION_TOLERANCE
            assert angle < ROTATION_TOLERANCE
            assert (solution >= robot.lower).all()
            assert (solution <= robot.upper).all()
            found += 1
    assert found > 30


def test_the_present_positions_are_tried_first(robot, kinematics):
    nearby = robot.home + 0.05
    target = kinematics.forward(nearby)
    [solution] = kinematics.solutions(target, robot.home, rng=np.random.default_rng(0), seeds=1)
    assert np.abs(solution - robot.home).max() < 0.3


def test_solutions_are_distinct_and_ranked_by_weighted_distance(robot, kinematics):
    target = kinematics.forward(robot.home)
    weights = np.linspace(1.0, 0.2, len(robot.joints))
    solutions = kinematics.solutions(
        target, robot.home, rng=np.random.default_rng(1), seeds=24, weights=weights
    )
    assert len(solutions) > 1
    distances = [np.linalg.norm(weights * (solution - robot.home)) for solution in solutions]
    assert distances == sorted(distances)
    gaps = [np.abs(a - b).max() for i, a in enumerate(solutions) for b in solutions[i + 1 :]]
    assert min(gaps) > 1e-3


def test_the_same_seed_gives_the_same_solutions(robot, kinematics):
    target = kinematics.forward(robot.home)
    first, second = (
        kinematics.solutions(target, robot.home, rng=np.random.default_rng(5), seeds=8) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_a_target_out_of_reach_has_no_solution(robot, kinematics):
    target = Pose(np.array([2.0, 0.0, 0.5]))
    assert kinematics.solutions(target, robot.home, rng=np.random.default_rng(0), seeds=6) == []


def test_whole_turns_are_taken_back_only_as_far_as_the_limits_let(model, robot):
    lower, upper = np.full(len(robot.joints), -1.5 * np.pi), np.full(len(robot.joints), 1.5 * np.pi)
    kinematics = ArmKinematics(model, robot.joint_names, robot.gripper.grasp_frame, lower=lower, upper=upper)
    near = np.full(len(robot.joints), 1.0)
    np.testing.assert_allclose(kinematics.unwound(np.full_like(near, -1.4 * np.pi), near), 0.6 * np.pi)
    np.testing.assert_allclose(kinematics.unwound(np.full_like(near, 0.2), near + 5.0), 0.2)


def test_unknown_joints_and_frames_are_named_with_those_there_are(model, robot):
    limits = {"lower": robot.lower, "upper": robot.upper}
    with pytest.raises(UnknownNameError, match=f"unknown joint 'knee'.*{robot.joint_names[0]}"):
        ArmKinematics(model, ("knee", *robot.joint_names[1:]), "grasp_frame", **limits)
    with pytest.raises(UnknownNameError, match=r"unknown frame 'nose'.*grasp_frame"):
        ArmKinematics(model, robot.joint_names, "nose", **limits)
