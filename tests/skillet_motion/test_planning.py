from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError, PlanningFailure, UnknownNameError
from skillet_core.geometry import Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_core.scene import ObjectState
from skillet_motion.search import path_length

DOWN = Rotation.from_matrix(np.diag([1.0, -1.0, -1.0]))


def pose(x, y, z, yaw=0.0):
    return Pose(np.array([x, y, z]), Rotation.from_euler("z", yaw) * DOWN)


def peak_ratios(trajectory, robot):
    """The largest shares of the limits of velocity and acceleration at a trajectory's points."""
    return (
        float(np.max(np.abs(trajectory.velocities) / robot.max_velocity)),
        float(np.max(np.abs(trajectory.accelerations) / robot.max_acceleration)),
    )


def obstructed(scene):
    """The blocks hang in a row, right in the way."""
    blocks = {
        f"{color}_block": ObjectState(Pose(np.array([x, 0.0, 0.2])))
        for color, x in (("red", 0.50), ("green", 0.54), ("blue", 0.58))
    }
    return replace(scene, objects={**scene.objects, **blocks})


@pytest.fixture
def plan(planner, at_home, tidy_scene):
    """Plan from home in the tidy scene."""
    return lambda request: planner.plan(request, at_home, tidy_scene)


@pytest.fixture
def around_blocks(planner, at_home, tidy_scene):
    """Plan from one side of the row to the other."""
    goals = [PoseGoal((pose(0.54, y, 0.2),)) for y in (0.2, -0.2)]
    start = planner.plan(PlanRequest(goals[0]), at_home, tidy_scene).positions[-1]
    end = planner.plan(PlanRequest(goals[1], start=start), at_home, tidy_scene).positions[-1]
    across = PlanRequest(JointGoal(end), start=start)
    return lambda seed=4, **choice: planner.plan(
        replace(across, seed=seed, **choice), at_home, obstructed(tidy_scene)
    )


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
    worst_velocity, worst_acceleration = peak_ratios(trajectory, robot)
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


def test_many_poses_that_are_no_good_are_counted(planner, at_home, tidy_scene):
    far = [pose(2.0, y, 0.3) for y in (0.0, 0.1, 0.2)]
    blocked = [pose(0.45, y, 0.02) for y in (0.025, 0.03)]
    with pytest.raises(PlanningError, match=r"\[2.0, 0.0, 0.3\].* m") as caught:
        planner.plan(PlanRequest(PoseGoal(tuple(far))), at_home, tidy_scene)
    assert caught.value.failure is PlanningFailure.GOAL_UNREACHABLE
    with pytest.raises(PlanningError, match="of 5 poses 3 are out of reach and 2 collide") as caught:
        planner.plan(PlanRequest(PoseGoal((*far, *blocked))), at_home, tidy_scene)
    assert caught.value.failure is PlanningFailure.GOAL_IN_COLLISION


def test_one_good_pose_among_many_is_found(planner, at_home, tidy_scene):
    bad = [pose(2.0, 0.02 * y, 0.3) for y in range(20)] + [pose(0.45, 0.025, 0.02)] * 20
    good = pose(0.3, -0.35, 0.35, yaw=0.5)
    trajectory = planner.plan(PlanRequest(PoseGoal((*bad, good))), at_home, tidy_scene)
    distance, angle = planner.grasp_pose(trajectory.positions[-1]).distance_to(good)
    assert distance < 1e-4
    assert angle < 1e-3


def test_acceleration_is_scaled_by_its_own_share(planner, robot, at_home, tidy_scene):
    request = PlanRequest(PoseGoal((pose(0.5, -0.2, 0.3),)), acceleration_scaling=0.2)
    trajectory = planner.plan(request, at_home, tidy_scene)
    _, worst = peak_ratios(trajectory, robot)
    assert 0.18 < worst <= 1.001 * 0.2


def test_lines_through_several_poses_stop_only_at_sharp_corners(planner, at_home, tidy_scene):
    corners = (pose(0.5, 0.0, 0.3), pose(0.5, 0.1, 0.3), pose(0.5, 0.15, 0.305), pose(0.5, 0.15, 0.2))
    start = planner.plan(PlanRequest(PoseGoal(corners[:1])), at_home, tidy_scene).positions[-1]
    trajectory = planner.plan(PlanRequest(CartesianGoal(corners[1:]), start=start), at_home, tidy_scene)
    trajectory.check()
    places = np.array([planner.grasp_pose(point).position for point in trajectory.positions])
    resting = np.abs(trajectory.velocities).max(axis=1) < 1e-9
    for corner, rests in zip(corners[1:3], (False, True), strict=True):
        nearest = int(np.linalg.norm(places - corner.position, axis=1).argmin())
        assert np.linalg.norm(places[nearest] - corner.position) < 5e-3
        assert resting[nearest] == rests


def test_an_allowed_contact_makes_a_goal_possible(planner, robot, at_home, tidy_scene):
    goal = PoseGoal((pose(0.45, 0.03, 0.02),))
    with pytest.raises(PlanningError, match="green_block"):
        planner.plan(PlanRequest(goal), at_home, tidy_scene)
    allowed = frozenset(
        (f"robot/{link}", f"{color}_block") for link in robot.gripper.links for color in ("green", "red")
    )
    planner.plan(PlanRequest(goal, allowed_contacts=allowed), at_home, tidy_scene)


@pytest.mark.parametrize("name", ["rrt_star", "bit_star"])
def test_a_shortening_planner_is_asked_where_something_is_in_the_way(around_blocks, name):
    quick = around_blocks(1)
    short = around_blocks(1, planner=name, iterations=300)
    assert path_length(short.positions) <= path_length(quick.positions) + 1e-3


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
    with pytest.raises(PlanningError, match="no path after 90 iterations"):
        planner.search(replace(query, goals=(goal,)), replace(request, iterations=90))


@pytest.mark.parametrize("share", [0.0, -1.0, 1.01, float("nan")])
@pytest.mark.parametrize("which", ["velocity", "acceleration"])
def test_a_scaling_out_of_range_is_refused(plan, robot, which, share):
    request = replace(PlanRequest(JointGoal(robot.home)), **{f"{which}_scaling": share})
    with pytest.raises(PlanningError, match=f"{which} scaling must be above 0 and at most 1") as caught:
        plan(request)
    assert caught.value.failure is PlanningFailure.INVALID_REQUEST


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"iterations": 0}, "iterations must be at least 1, got 0"),
        ({"seed": -1}, "a seed is 0 or greater, got -1"),
        ({"goal": PoseGoal(())}, "empty set of poses"),
        ({"goal": CartesianGoal(())}, "no waypoints"),
        ({"start": np.zeros(3)}, "the start must be . finite joint positions"),
        ({"attached": frozenset({"left_bin"})}, "left_bin is fixed to the scene"),
    ],
)
def test_a_request_that_nobody_can_honour_is_refused(plan, robot, change, message):
    request = replace(PlanRequest(JointGoal(robot.home)), **change)
    with pytest.raises(PlanningError, match=message) as caught:
        plan(request)
    assert caught.value.failure is PlanningFailure.INVALID_REQUEST


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"planner": "prm"}, "unknown planner 'prm'.*bit_star, rrt_connect, rrt_star"),
        ({"attached": frozenset({"red_blok"})}, "unknown body 'red_blok'.*'red_block'"),
        ({"touching": frozenset({"red_blok"})}, "unknown body 'red_blok'.*'red_block'"),
        ({"allowed_contacts": frozenset({("table", "robot/hand")})}, "unknown body 'robot/hand'"),
    ],
)
def test_a_name_that_does_not_exist_is_an_error_with_those_that_do(plan, robot, change, message):
    with pytest.raises(UnknownNameError, match=message):
        plan(replace(PlanRequest(JointGoal(robot.home)), **change))


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
    monkeypatch.setattr(planner.scene.collisions, "curve_is_free", lambda _: False)
    trajectory = planner.time(waypoints, planner.limits(request))
    trajectory.check()
    index = np.argmin(np.abs(trajectory.positions - waypoints[1]).max(axis=1))
    np.testing.assert_allclose(trajectory.positions[index], waypoints[1], atol=1e-9)
    np.testing.assert_allclose(trajectory.velocities[index], 0.0, atol=1e-12)
    np.testing.assert_allclose(trajectory.positions[-1], waypoints[-1], atol=1e-9)
