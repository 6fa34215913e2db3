from __future__ import annotations

import numpy as np
import pinocchio
import pytest

from skillet_core.errors import UnknownNameError
from skillet_core.geometry import Pose
from skillet_motion.kinematics import POSITION_TOLERANCE, ROTATION_TOLERANCE, ArmKinematics
from skillet_sim.robot_model import compose_urdf, robot_spec


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
        closed_form=robot.closed_form,
    )


@pytest.fixture(scope="module")
def witness(robot):
    """Return where Pinocchio sees the grasp frame."""
    model = pinocchio.buildModelFromXML(compose_urdf(robot))
    data, frame = model.createData(), model.getFrameId(robot.gripper.grasp_frame)
    indices = [model.joints[model.getJointId(name)].idx_q for name in robot.joint_names]

    def forward(positions):
        configuration = pinocchio.neutral(model)
        configuration[indices] = positions
        pinocchio.framesForwardKinematics(model, data, configuration)
        return Pose.from_matrix(data.oMf[frame].homogeneous)

    return forward


def test_solutions_reach_reachable_targets_within_tolerance_and_limits(robot, kinematics, witness):
    rng = np.random.default_rng(3)
    reached = 0
    for _ in range(200):
        target = witness(rng.uniform(robot.lower, robot.upper))
        solutions = kinematics.solutions(target, robot.home, rng=rng, seeds=8)
        reached += bool(solutions)
        for solution in solutions:
            for forward in (kinematics.forward, witness):
                distance, angle = forward(solution).distance_to(target)
                assert distance < POSITION_TOLERANCE
                assert angle < ROTATION_TOLERANCE
            assert (solution >= robot.lower).all()
            assert (solution <= robot.upper).all()
    assert reached == 200 if robot.closed_form else reached >= 194


def test_a_deviation_is_the_distance_of_the_frame_from_the_target(robot, kinematics):
    target = kinematics.forward(robot.home)
    moved = robot.home + 0.1
    expected = kinematics.forward(moved).distance_to(target)
    np.testing.assert_allclose(kinematics.deviation(moved, target), expected, atol=1e-9)


def test_the_present_positions_are_tried_first(robot, kinematics):
    nearby = robot.home + 0.05
    target = kinematics.forward(nearby)
    [solution, *_] = kinematics.solutions(target, robot.home, rng=np.random.default_rng(0), seeds=1)
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


def test_solutions_that_collide_are_left_out(robot, kinematics):
    target = kinematics.forward(robot.home)
    search = {"seeds": 24}
    every = kinematics.solutions(target, robot.home, rng=np.random.default_rng(1), **search)
    wall = np.median([solution[1] for solution in every])
    free = kinematics.solutions(
        target, robot.home, rng=np.random.default_rng(1), is_free=lambda q: q[1] < wall, **search
    )
    expected = [solution for solution in every if solution[1] < wall]
    assert 0 < len(free) < len(every)
    np.testing.assert_array_equal(free, expected)
    blocked = kinematics.solutions(
        target, robot.home, rng=np.random.default_rng(1), is_free=lambda _: False, **search
    )
    assert blocked == []


def test_two_of_five_descents_from_anywhere_end_at_the_target_though_limits_are_in_the_way(robot, kinematics):
    rng = np.random.default_rng(4)
    reached = 0
    for _ in range(100):
        low, high = np.maximum(robot.lower, -np.pi), np.minimum(robot.upper, np.pi)
        seed, made_from = rng.uniform(low, high, (2, len(robot.joints)))
        reached += kinematics.solve(kinematics.forward(made_from), seed) is not None
    assert reached >= 40  # a third where joints push on against their limits


def test_a_pose_with_an_aligned_wrist_is_solved_from_nearby(robot, kinematics):
    aligned = robot.home.copy()
    aligned[-2] = 0.0
    target = kinematics.forward(aligned)
    rng = np.random.default_rng(6)
    for _ in range(20):
        near = np.clip(aligned + rng.uniform(-0.1, 0.1, len(aligned)), robot.lower, robot.upper)
        nearest = kinematics.solutions(target, near, rng=rng, seeds=1)[0]
        distance, angle = kinematics.deviation(nearest, target)
        assert distance < POSITION_TOLERANCE
        assert angle < ROTATION_TOLERANCE
        assert np.abs(nearest - near).max() < 0.5


def test_what_else_is_in_the_model_changes_nothing(robot, kinematics):
    spec = robot_spec(robot)
    for number in range(20):
        body = spec.worldbody.add_body(name=f"clutter_{number}", pos=(0.1 * number, 1.0, 0.0))
        body.add_freejoint()
        body.add_geom(size=(0.02, 0.02, 0.02))
    limits = {"lower": robot.lower, "upper": robot.upper, "rest": robot.home}
    crowded = ArmKinematics(
        spec.compile(),
        robot.joint_names,
        robot.gripper.grasp_frame,
        closed_form=robot.closed_form,
        **limits,
    )
    target = kinematics.forward(robot.home)
    first, second = (
        each.solutions(target, robot.home, rng=np.random.default_rng(5), seeds=8)
        for each in (kinematics, crowded)
    )
    np.testing.assert_allclose(first, second, atol=1e-9)


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
