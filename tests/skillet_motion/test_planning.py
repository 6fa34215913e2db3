from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError
from skillet_core.geometry import Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_core.scene import ObjectState
from skillet_motion import path_timing
from skillet_motion.time_parameterization import peak_ratios

DOWN = Rotation.from_matrix(np.diag([1.0, -1.0, -1.0]))


def pose(x, y, z, yaw=0.0):
    return Pose(np.array([x, y, z]), Rotation.from_euler("z", yaw) * DOWN)


def obstructed(scene):
    """The blocks hang in a row, right in the way."""
    blocks = {
        f"{color}_block": ObjectState(Pose(np.array([x, 0.0, 0.2])))
        for color, x in (("red", 0.50), ("green", 0.54), ("blue", 0.58))
    }
    return replace(scene, objects={**scene.objects, **blocks})


@pytest.fixture
def around_blocks(planner, at_home, tidy_scene):
    """Plan from one side of the row to the other."""
    goals = [PoseGoal((pose(0.54, y, 0.2),)) for y in (0.2, -0.2)]
    start = planner.plan(PlanRequest(goals[0]), at_home, tidy_scene).positions[-1]
    end = planner.plan(PlanRequest(goals[1], start=start), at_home, tidy_scene).positions[-1]
    across = PlanRequest(JointGoal(end), start=start)
    return lambda seed=4: planner.plan(replace(across, seed=seed), at_home, obstructed(tidy_scene))


def test_a_pose_goal_ends_at_one_of_its_poses_at_rest(planner, at_home, tidy_scene):
    goal = (pose(0.5, 0.1, 0.25), pose(0.5, 0.1, 0.25, yaw=np.pi))
    trajectory = planner.plan(PlanRequest(PoseGoal(goal)), at_home, tidy_scene)
    reached = planner.grasp_pose(trajectory.positions[-1])
    distances = [reached.distance_to(target) for target in goal]
    assert any(distance < 1e-4 and angle < 1e-3 for distance, angle in distances)
    np.testing.assert_allclose(trajectory.positions[0], at_home.positions, atol=1e-9)
    assert not trajectory.velocities[-1].any()


@pytest.mark.parametrize("speed", [1.0, 0.3])
def test_speed_is_a_share_of_the_limits(planner, robot, at_home, tidy_scene, speed):
    request = PlanRequest(PoseGoal((pose(0.5, -0.2, 0.3),)), velocity_scaling=speed)
    trajectory = planner.plan(request, at_home, tidy_scene)
    worst_velocity, worst_acceleration = peak_ratios(trajectory, robot.max_velocity, robot.max_acceleration)
    assert worst_velocity <= 1.001 * speed
    assert worst_acceleration <= 1.001 * np.sqrt(speed)
    assert max(worst_velocity / speed, worst_acceleration / np.sqrt(speed)) > 0.9


def test_a_path_around_an_obstacle_is_free_everywhere(planner, around_blocks):
    trajectory = around_blocks()
    fine = np.linspace(0, trajectory.duration, 2000)
    positions = np.stack(
        [np.interp(fine, trajectory.times, joint) for joint in trajectory.positions.T], axis=1
    )
    overlaps = [overlap for point in positions for overlap in planner.scene.collisions.overlaps(point)]
    assert all(overlap.distance > 0 for overlap in overlaps)  # nothing but the padding is touched
    straight = np.linspace(trajectory.positions[0], trajectory.positions[-1], 200)
    assert not all(planner.scene.collisions.is_free(point) for point in straight)


def test_the_same_seed_gives_the_same_trajectory_to_the_bit(around_blocks):
    first, _, second = around_blocks(4), around_blocks(5), around_blocks(4)
    np.testing.assert_array_equal(first.positions, second.positions)
    np.testing.assert_array_equal(first.times, second.times)


def test_a_linear_motion_stays_within_a_millimetre_of_its_line(planner, at_home, tidy_scene):
    above, target = pose(0.5, 0.15, 0.3), pose(0.55, 0.1, 0.15, yaw=0.4)
    start = planner.plan(PlanRequest(PoseGoal((above,))), at_home, tidy_scene).positions[-1]
    trajectory = planner.plan(PlanRequest(CartesianGoal((target,)), start=start), at_home, tidy_scene)
    line = target.position - above.position
    length = np.linalg.norm(line)
    for point in trajectory.positions:
        offset = planner.grasp_pose(point).position - above.position
        along = offset @ line / length
        assert -1e-3 <= along <= length + 1e-3
        assert np.linalg.norm(offset - along * line / length) < 1e-3
    distance, angle = planner.grasp_pose(trajectory.positions[-1]).distance_to(target)
    assert distance < 1e-4
    assert angle < 1e-3


def test_a_blocked_line_is_an_error_and_says_where_and_by_what(planner, at_home, tidy_scene):
    above = pose(0.45, 0.0, 0.2)
    start = planner.plan(PlanRequest(PoseGoal((above,))), at_home, tidy_scene).positions[-1]
    into_table = CartesianGoal((pose(0.45, 0.0, -0.02),))
    with pytest.raises(
        PlanningError, match=r"straight line is blocked at \d+ % of the 0.220 m: .*(block|table)"
    ):
        planner.plan(PlanRequest(into_table, start=start), at_home, tidy_scene)


def test_a_line_out_of_reach_is_an_error_and_says_how_far_it_came(planner, at_home, tidy_scene):
    far = CartesianGoal((pose(1.6, 0.0, 0.4),))
    with pytest.raises(
        PlanningError, match=r"straight line (leaves the arm's reach|passes too close).* at \d+ %"
    ):
        planner.plan(PlanRequest(far), at_home, tidy_scene)


def test_a_goal_out_of_reach_is_an_error(planner, at_home, tidy_scene):
    with pytest.raises(PlanningError, match=r"goal unreachable: .*grasp_frame.*\[2.0, 0.0, 0.3\]"):
        planner.plan(PlanRequest(PoseGoal((pose(2.0, 0.0, 0.3),))), at_home, tidy_scene)


def test_a_goal_in_collision_names_what_with(planner, at_home, tidy_scene):
    goal = PoseGoal((pose(0.45, 0.025, 0.02),))
    with pytest.raises(
        PlanningError, match=r"goal unreachable: all .* collide, the nearest with .*green_block"
    ):
        planner.plan(PlanRequest(goal), at_home, tidy_scene)


def test_a_start_in_collision_names_what_with(planner, robot, at_home, tidy_scene):
    inside = planner.grasp_pose(robot.home).position + np.array([0.0, 0.0, 0.05])
    scene = replace(tidy_scene, objects={**tidy_scene.objects, "red_block": ObjectState(Pose(inside))})
    with pytest.raises(PlanningError, match=r"start in collision: .*red_block"):
        planner.plan(PlanRequest(JointGoal(robot.home + 0.1)), at_home, scene)


def test_an_enclosed_goal_ends_after_a_number_of_iterations(planner, at_home, tidy_scene, monkeypatch):
    request = PlanRequest(PoseGoal((pose(0.5, 0.2, 0.2),)))
    query = planner.query(request, planner.begin(request, at_home, tidy_scene))
    start, goal = query.start, query.goals[0]
    near = lambda q, center: np.abs(q - center).max() < 0.05  # noqa: E731
    monkeypatch.setattr(planner.scene.collisions, "is_free", lambda q: near(q, start) or near(q, goal))
    with pytest.raises(PlanningError, match=r"no path after \d+ iterations"):
        planner.search(replace(query, goals=(goal,)), request)


@pytest.mark.parametrize("speed", [0.0, -1.0, 1.01, float("nan")])
def test_a_speed_out_of_range_is_refused(planner, robot, at_home, tidy_scene, speed):
    with pytest.raises(PlanningError, match="velocity scaling must be above 0 and at most 1"):
        planner.plan(PlanRequest(JointGoal(robot.home), velocity_scaling=speed), at_home, tidy_scene)


def test_a_joint_goal_beyond_the_limits_names_the_joint(planner, robot, at_home, tidy_scene):
    goal = robot.upper.copy()
    goal[1] += 0.1
    with pytest.raises(PlanningError, match=f"goal unreachable: {robot.joint_names[1]} at"):
        planner.plan(PlanRequest(JointGoal(goal)), at_home, tidy_scene)


@pytest.mark.parametrize("bad", [[0.0], [float("nan")] * 6])
def test_a_joint_goal_of_the_wrong_shape_or_with_nan_is_refused(planner, at_home, tidy_scene, bad):
    with pytest.raises(PlanningError, match="finite joint positions"):
        planner.plan(PlanRequest(JointGoal(np.array(bad))), at_home, tidy_scene)


def test_a_goal_that_is_reached_already_is_a_short_rest(planner, robot, at_home, tidy_scene):
    trajectory = planner.plan(PlanRequest(JointGoal(robot.home)), at_home, tidy_scene)
    trajectory.check()
    np.testing.assert_allclose(trajectory.positions, [robot.home] * len(trajectory.times))


def test_corners_that_cannot_be_rounded_are_stopped_at(planner, robot, at_home, tidy_scene, monkeypatch):
    request = PlanRequest(JointGoal(robot.home), velocity_scaling=0.5)
    planner.begin(request, at_home, tidy_scene)
    first, second = np.zeros_like(robot.home), np.zeros_like(robot.home)
    first[0] = second[0] = 0.5
    second[2] = 0.3
    waypoints = np.array([robot.home, robot.home + first, robot.home + second])
    monkeypatch.setattr(path_timing, "_curve_is_free", lambda *_: False)
    trajectory = planner.time(waypoints, planner.limits(request))
    trajectory.check()
    index = np.argmin(np.abs(trajectory.positions - waypoints[1]).max(axis=1))
    np.testing.assert_allclose(trajectory.positions[index], waypoints[1], atol=1e-9)
    np.testing.assert_allclose(trajectory.velocities[index], 0.0, atol=1e-12)
    np.testing.assert_allclose(trajectory.positions[-1], waypoints[-1], atol=1e-9)
