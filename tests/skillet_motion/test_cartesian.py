from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Pose
from skillet_motion.cartesian import CartesianPath, cartesian_path

DOWN = Rotation.from_matrix(np.diag([1.0, -1.0, -1.0]))


def pose(x, y, z, yaw=0.0):
    return Pose(np.array([x, y, z]), Rotation.from_euler("z", yaw) * DOWN)


CENTER = pose(0.5, 0.0, 0.35)


@pytest.fixture
def follow(planner, robot, at_home, tidy_scene):
    """Follow lines in the tidy scene, from above its middle unless told otherwise."""
    scene = planner.scene
    scene.update(at_home, tidy_scene)

    def run(*waypoints, start=None) -> CartesianPath:
        if start is None:
            start = starting_at(CENTER)
        return cartesian_path(scene.kinematics, scene.collisions, start, waypoints)

    def starting_at(target):
        rng = np.random.default_rng(0)
        return scene.kinematics.solutions(target, robot.home, rng=rng, seeds=12)[0]

    run.kinematics, run.starting_at = scene.kinematics, starting_at
    return run


def reaches(follow, positions, target):
    distance, angle = follow.kinematics.deviation(positions, target)
    return distance < 1e-4 and angle < 1e-3


def failure_of(follow, *waypoints, match, **options):
    with pytest.raises(PlanningError, match=match) as caught:
        follow(*waypoints, **options)
    return caught.value.failure


def test_a_line_moves_linearly_and_turns_about_one_axis_between_the_points_too(follow):
    target = pose(0.45, 0.15, 0.3, yaw=0.6)
    path = follow(target)
    assert path.stops == ()
    fine = np.linspace(0, len(path.points) - 1, 8 * len(path.points))
    joints = [np.interp(fine, np.arange(len(path.points)), column) for column in path.points.T]
    line, turn = target.position - CENTER.position, target.rotation * CENTER.rotation.inv()
    for positions in np.transpose(joints):
        reached = follow.kinematics.forward(positions)
        share = (reached.position - CENTER.position) @ line / (line @ line)
        expected = Pose(
            CENTER.position + share * line,
            Rotation.from_rotvec(share * turn.as_rotvec()) * CENTER.rotation,
        )
        distance, angle = reached.distance_to(expected)
        assert distance < 5e-4
        assert angle < 5e-3
    assert reaches(follow, path.points[-1], target)


def test_lines_pass_through_every_waypoint_and_stop_at_sharp_corners(follow):
    waypoints = pose(0.5, 0.1, 0.35), pose(0.48, 0.2, 0.35), pose(0.48, 0.2, 0.25), pose(0.48, 0.2, 0.25, 0.5)
    path = follow(*waypoints)
    assert len(path.stops) == 2  # down after sideways, turning after down; not the bend of 11 degrees
    for stop, waypoint in zip(path.stops, waypoints[1:], strict=False):
        assert reaches(follow, path.points[stop], waypoint)
    for waypoint in waypoints:
        assert any(reaches(follow, positions, waypoint) for positions in path.points)


def test_an_arc_of_fine_waypoints_is_followed_without_stops_and_a_point_each(follow):
    hinge = np.array([0.5, 0.15, 0.35])
    angles = np.linspace(0.0, 1.2, 41)[1:]
    arc = [
        Pose(hinge + turn.apply(CENTER.position - hinge), turn * CENTER.rotation)
        for turn in (Rotation.from_rotvec([0.0, 0.0, angle]) for angle in angles)
    ]
    path = follow(*arc)
    assert path.stops == ()
    assert len(path.points) == len(arc) + 1
    for positions, waypoint in zip(path.points[1:], arc, strict=True):
        assert reaches(follow, positions, waypoint)


def test_waypoints_where_the_frame_is_already_add_nothing(follow):
    path = follow(CENTER, CENTER)
    assert path.points.shape[0] == 1
    once, twice = follow(pose(0.5, 0.1, 0.35)), follow(pose(0.5, 0.1, 0.35), pose(0.5, 0.1, 0.35))
    np.testing.assert_array_equal(once.points, twice.points)


def test_a_line_out_of_reach_says_how_far_along_which_line(follow):
    failure = failure_of(
        follow,
        pose(0.5, 0.1, 0.35),
        pose(1.5, 0.1, 0.35),
        match=r"(reach|a singularity) at \d+ % of the 1.000 m to waypoint 2 of 2",
    )
    assert failure == PlanningFailure.GOAL_UNREACHABLE


def test_a_line_over_the_first_axis_is_refused(follow):
    # There the whole arm would have to turn about that axis at once.
    start = follow.starting_at(pose(0.4, 0.05, 0.4))
    failure = failure_of(
        follow, pose(-0.4, 0.05, 0.4), start=start, match=r"(singularity|reach) at [34]\d % of the 0.800 m"
    )
    assert failure == PlanningFailure.GOAL_UNREACHABLE


def test_spare_joints_drift_slowly_however_fine_the_waypoints(follow, robot):
    heights = np.linspace(0.35, 0.3, 101)[1:]
    start = follow.starting_at(CENTER)
    path = follow(*(pose(0.5, 0.0, height) for height in heights), start=start)
    coarse = follow(pose(0.5, 0.0, 0.3), start=start)
    assert np.abs(np.diff(path.points, axis=0)).max() < 0.01
    assert np.abs(path.points[-1] - coarse.points[-1]).max() < 0.05


def test_a_jump_between_two_solutions_is_refused(follow, monkeypatch):
    target = pose(0.5, 0.05, 0.35)
    solve = follow.kinematics.solve
    start = follow.starting_at(CENTER)
    monkeypatch.setattr(follow.kinematics, "solve", lambda *a, **k: solve(*a, **k) + 0.3)
    failure = failure_of(
        follow, target, start=start, match="too close to a singularity at 0 % of the 0.050 m"
    )
    assert failure == PlanningFailure.GOAL_UNREACHABLE


def test_a_bend_between_two_solutions_is_refused(follow, monkeypatch):
    target = pose(0.5, 0.05, 0.35)
    solve = follow.kinematics.solve
    start = follow.starting_at(CENTER)
    bent = np.linspace(0.06, -0.06, len(start))
    monkeypatch.setattr(follow.kinematics, "solve", lambda *a, **k: solve(*a, **k) + bent)
    assert np.abs(bent).max() < 0.25
    failure = failure_of(follow, target, start=start, match="too close to a singularity at 0 %")
    assert failure == PlanningFailure.GOAL_UNREACHABLE


def test_a_blocked_last_pose_and_a_blocked_way_are_told_apart(follow):
    start = follow.starting_at(pose(0.45, 0.0, 0.2))
    blocked = r"blocked at \d+ % of the \d.\d+ m: .*(block|table)"
    failure = failure_of(follow, pose(0.45, 0.0, -0.1), start=start, match=blocked)
    assert failure == PlanningFailure.NO_PATH

    def failure_at(height):
        try:
            follow(pose(0.45, 0.0, height), start=start)
        except PlanningError as error:
            return error.failure
        return None

    failures = [failure_at(height) for height in np.arange(0.195, 0.0, -0.005)]
    blocked_first = next(failure for failure in failures if failure is not None)
    assert blocked_first == PlanningFailure.GOAL_IN_COLLISION  # the lines before came to their ends
    assert failures[0] is None
