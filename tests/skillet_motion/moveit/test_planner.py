"""`MoveItPlanner` with a stand-in for MoveIt that answers what a test tells it to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from moveit_stand_ins import message

from skillet_core.collision_objects import AddObject, BoxShape, CollisionObject
from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_core.scene import ObjectState
from skillet_core.trajectory import RobotState
from skillet_motion.motion_stack import motion_stack
from skillet_motion.moveit.planner import PATHS, MoveItPlanner, corners


class MoveItStandIn:
    """Remembers what it is told and answers with a path that a test makes."""

    def __init__(self, path: Callable[[], np.ndarray] | None = None, *, follows_lines: bool = False) -> None:
        self.follows_lines = follows_lines
        self.path, self.share = path, 1.0
        self.emptied = 0
        self.scenes: list[Any] = []
        self.requests: list[Any] = []
        self.names: tuple[str, ...] = ()

    def apply(self, scene: Any) -> None:
        """Keep what fills the scene; what empties it comes before each."""
        emptying = [item for item in scene.world.collision_objects if item.operation != b"\x00"]
        self.emptied += len(emptying)
        if not emptying:
            self.scenes.append(scene)
            assert self.emptied == len(self.scenes)

    def plan(self, request: Any) -> Any:
        self.requests.append(request)
        assert self.path is not None, "MoveIt was asked"
        points = [message("JointTrajectoryPoint", positions=row.tolist()) for row in self.path()]
        return message("JointTrajectory", joint_names=list(self.names), points=points)

    def straight_line(self, request: Any) -> tuple[Any, float]:
        return self.plan(request), self.share


@pytest.fixture
def asked(stack, robot):
    def make(path=None, **settings) -> tuple[MoveItPlanner, MoveItStandIn]:
        moveit = MoveItStandIn(path, **settings)
        moveit.names = robot.joint_names
        return MoveItPlanner(stack.planner, moveit, message), moveit

    return make


def straight(start, goal, count=30):
    return lambda: np.linspace(start, goal, count)


def aside(robot):
    return robot.home + 0.4 * np.eye(len(robot.home))[0]


def world(scene):
    return {item.id: item for item in scene.world.collision_objects}


def allowed(scene):
    matrix = scene.allowed_collision_matrix
    return {
        frozenset((row, column))
        for row, entry in zip(matrix.entry_names, matrix.entry_values, strict=True)
        for column, enabled in zip(matrix.entry_names, entry.enabled, strict=True)
        if enabled
    }


def test_moveits_path_is_timed_within_the_limits_and_ends_exactly(asked, robot, at_home, tidy_scene) -> None:
    goal = aside(robot)
    planner, _ = asked(straight(robot.home, goal + 5e-5))
    trajectory = planner.plan(PlanRequest(JointGoal(goal), 0.5), at_home, tidy_scene)
    assert trajectory.positions[0] == pytest.approx(robot.home)
    assert trajectory.positions[-1] == pytest.approx(goal)
    assert (np.abs(trajectory.velocities) <= robot.max_velocity * 0.5 * 1.001).all()
    assert (np.abs(trajectory.accelerations) <= robot.max_acceleration * np.sqrt(0.5) * 1.001).all()


def test_corners_of_moveits_path_are_kept_free(asked, stack, robot, at_home, tidy_scene) -> None:
    goal, high = aside(robot), robot.home - 0.3 * np.eye(len(robot.home))[1]
    planner, _ = asked(lambda: np.vstack([np.linspace(robot.home, high, 9), np.linspace(high, goal, 9)[1:]]))
    trajectory = planner.plan(PlanRequest(JointGoal(goal)), at_home, tidy_scene)
    assert np.linalg.norm(trajectory.positions - high, axis=1).min() < 0.12, "it goes by the corner"
    assert all(stack.scene.collisions.is_free(place) for place in trajectory.positions)


def test_a_path_that_collides_in_skillets_scene_is_asked_for_again_and_then_refused(
    asked, stack, robot, at_home, tidy_scene
) -> None:
    goal = aside(robot)
    into_table = stack.scene.kinematics.solve(
        Pose.from_xyz_rpy((0.45, 0.2, -0.05), (np.pi, 0.0, 0.0)), robot.home
    )
    planner, moveit = asked(lambda: np.array([robot.home, into_table, goal]))
    with pytest.raises(PlanningError, match="collision checks") as caught:
        planner.plan(PlanRequest(JointGoal(goal)), at_home, tidy_scene)
    assert caught.value.failure is PlanningFailure.NO_PATH
    assert len(moveit.requests) == PATHS


def test_one_good_path_after_a_bad_one_is_enough(asked, stack, robot, at_home, tidy_scene) -> None:
    goal = aside(robot)
    into_table = stack.scene.kinematics.solve(
        Pose.from_xyz_rpy((0.45, 0.2, -0.05), (np.pi, 0.0, 0.0)), robot.home
    )
    paths = iter([np.array([robot.home, into_table, goal]), np.linspace(robot.home, goal, 5)])
    planner, moveit = asked(lambda: next(paths))
    planner.plan(PlanRequest(JointGoal(goal)), at_home, tidy_scene)
    assert len(moveit.requests) == 2


def test_a_goal_in_collision_is_refused_in_words_before_moveit_is_asked(asked, at_home, tidy_scene) -> None:
    planner, moveit = asked()
    below = Pose.from_xyz_rpy((0.45, 0.2, -0.05), (np.pi, 0.0, 0.0))
    with pytest.raises(PlanningError, match="that reach it collide") as caught:
        planner.plan(PlanRequest(PoseGoal((below,))), at_home, tidy_scene)
    assert caught.value.failure is PlanningFailure.GOAL_IN_COLLISION
    assert not moveit.requests


def test_a_path_that_ends_elsewhere_is_moveits_fault(asked, robot, at_home, tidy_scene) -> None:
    planner, _ = asked(straight(robot.home, aside(robot) + 0.01))
    with pytest.raises(PlanningError, match="does not end at the goal") as caught:
        planner.plan(PlanRequest(JointGoal(aside(robot))), at_home, tidy_scene)
    assert caught.value.failure is PlanningFailure.BACKEND


def test_any_of_the_poses_is_an_end(asked, stack, robot, at_home, tidy_scene) -> None:
    poses = tuple(Pose.from_xyz_rpy((0.45, y, 0.3), (np.pi, 0.0, 0.0)) for y in (-0.2, 0.2))
    end = stack.scene.kinematics.solve(poses[1], robot.home)
    planner, moveit = asked(straight(robot.home, end))
    trajectory = planner.plan(PlanRequest(PoseGoal(poses)), at_home, tidy_scene)
    assert planner.grasp_pose(trajectory.positions[-1]).position == pytest.approx(poses[1].position, abs=2e-4)
    assert len(moveit.requests[0].goal_constraints) == 2


def test_the_scene_is_sent_with_every_request_as_it_is_then(asked, robot, at_home, tidy_scene) -> None:
    planner, moveit = asked(straight(robot.home, aside(robot)))
    request = PlanRequest(JointGoal(aside(robot)))
    planner.plan(request, at_home, tidy_scene)
    elsewhere = {**tidy_scene.objects, "red_block": ObjectState(Pose(np.array([0.3, 0.4, 0.02])))}
    planner.plan(request, at_home, replace(tidy_scene, objects=elsewhere))
    places = [world(scene)["red_block"].pose.position for scene in moveit.scenes]
    assert [(place.x, place.y) for place in places] == [(0.45, 0.1), (0.3, 0.4)]


def test_what_a_user_adds_is_sent_too(robot, task, at_home, tidy_scene) -> None:
    stack = motion_stack(robot, task)
    crate = CollisionObject(shapes=(BoxShape(size=(0.2, 0.2, 0.2)),), xyz=(0.0, 0.7, 0.1))
    stack.scene.apply(AddObject("crate", crate), at_home, tidy_scene)
    moveit = MoveItStandIn(straight(robot.home, aside(robot)))
    moveit.names = robot.joint_names
    planner = MoveItPlanner(stack.planner, moveit, message)
    planner.plan(PlanRequest(JointGoal(aside(robot))), at_home, tidy_scene)
    assert world(moveit.scenes[0])["crate"].primitives[0].dimensions == pytest.approx([0.2, 0.2, 0.2])
    assert world(moveit.scenes[0])["crate"].pose.position.y == pytest.approx(0.7)


def test_a_carried_object_hangs_where_the_gripper_has_it(asked, robot, at_home, tidy_scene) -> None:
    planner, moveit = asked(straight(robot.home, aside(robot)))
    held = planner.grasp_pose(robot.home) @ Pose(np.array([0.0, 0.0, 0.01]))
    scene = replace(tidy_scene, objects={**tidy_scene.objects, "red_block": ObjectState(held)})
    request = PlanRequest(JointGoal(aside(robot)), attached=frozenset({"red_block"}))
    planner.plan(request, at_home, scene)
    (carried,) = moveit.scenes[0].robot_state.attached_collision_objects
    assert carried.object.id == "red_block"
    assert carried.object.pose.position.z == pytest.approx(0.01)
    assert "red_block" not in world(moveit.scenes[0])
    (again,) = moveit.requests[0].start_state.attached_collision_objects
    assert again.object.id == "red_block"


def test_what_may_touch_may_touch_in_moveit(asked, robot, at_home, tidy_scene) -> None:
    planner, moveit = asked(straight(robot.home, aside(robot)))
    link = robot.gripper.finger_links[0]
    request = PlanRequest(
        JointGoal(aside(robot)),
        touching=frozenset({"red_block"}),
        allowed_contacts=frozenset({("green_block", f"robot/{robot.flange_frame}")}),
    )
    planner.plan(request, at_home, tidy_scene)
    pairs = allowed(moveit.scenes[0])
    assert frozenset((link, "red_block")) in pairs
    assert frozenset((robot.flange_frame, "green_block")) in pairs
    assert frozenset((link, "blue_block")) not in pairs


def test_contacts_at_the_start_that_skillet_tolerates_do_not_stop_moveit(
    asked, robot, stack, at_home, tidy_scene
) -> None:
    planner, moveit = asked(straight(robot.home, aside(robot)))
    tip = planner.grasp_pose(robot.home)
    near = replace(tidy_scene, objects=dict(tidy_scene.objects))
    for depth in np.arange(0.0, 0.2, 0.001):
        near.objects["red_block"] = ObjectState(tip @ Pose(np.array([0.0, 0.0, 0.1 - depth])))
        stack.scene.update(at_home, near)
        overlaps = stack.scene.collisions.overlaps(robot.home)
        if overlaps:
            break
    (first, second) = overlaps[0].first, overlaps[0].second
    with contextlib.suppress(PlanningError):  # the block is in this path's way; MoveIt would find another
        planner.plan(PlanRequest(JointGoal(aside(robot))), at_home, near)
    assert frozenset((first.removeprefix("robot/"), second.removeprefix("robot/"))) in allowed(
        moveit.scenes[0]
    )


def test_another_start_than_the_measured_one_is_where_moveit_starts(
    asked, robot, at_home, tidy_scene
) -> None:
    planner, moveit = asked(straight(aside(robot), robot.home))
    planner.plan(PlanRequest(JointGoal(robot.home), start=aside(robot)), at_home, tidy_scene)
    joints = moveit.requests[0].start_state.joint_state
    positions = dict(zip(joints.name, joints.position, strict=True))
    assert [positions[name] for name in robot.joint_names] == aside(robot).tolist()


def line(planner, robot, length=0.06, count=20):
    start = planner.grasp_pose(robot.home)
    return start @ Pose(np.array([0.0, 0.0, length])), [
        start @ Pose(np.array([0.0, 0.0, z])) for z in np.linspace(0, length, count)
    ]


def follow(stack, poses, start):
    points = [start]
    for pose in poses[1:]:
        points.append(stack.scene.kinematics.solve(pose, points[-1]))
    return np.array(points)


def test_where_moveit_has_no_straight_lines_the_embedded_planner_follows_them(
    asked, robot, at_home, tidy_scene
) -> None:
    planner, moveit = asked(follows_lines=False)
    target, _ = line(planner, robot)
    trajectory = planner.plan(PlanRequest(CartesianGoal((target,))), at_home, tidy_scene)
    assert planner.grasp_pose(trajectory.positions[-1]).distance_to(target)[0] < 1e-3
    assert not moveit.requests


def test_moveits_straight_line_is_timed_as_it_is(asked, stack, robot, at_home, tidy_scene) -> None:
    planner, moveit = asked(follows_lines=True)
    target, poses = line(planner, robot)
    moveit.path = lambda: follow(stack, poses, robot.home)
    trajectory = planner.plan(PlanRequest(CartesianGoal((target,))), at_home, tidy_scene)
    assert planner.grasp_pose(trajectory.positions[-1]).distance_to(target)[0] < 1e-3
    assert len(moveit.requests[0].waypoints) == 1


def test_part_of_a_straight_line_is_none(asked, stack, robot, at_home, tidy_scene) -> None:
    planner, moveit = asked(follows_lines=True)
    target, poses = line(planner, robot)
    moveit.path, moveit.share = lambda: follow(stack, poses[:10], robot.home), 0.47
    with pytest.raises(PlanningError, match="47 %"):
        planner.plan(PlanRequest(CartesianGoal((target,))), at_home, tidy_scene)


def test_a_way_that_leaves_the_line_is_refused(asked, stack, robot, at_home, tidy_scene) -> None:
    planner, moveit = asked(follows_lines=True)
    target, poses = line(planner, robot)
    poses[7] = poses[7] @ Pose(np.array([0.005, 0.0, 0.0]))
    moveit.path = lambda: follow(stack, poses, robot.home)
    with pytest.raises(PlanningError, match=r"5\.0 mm off"):
        planner.plan(PlanRequest(CartesianGoal((target,))), at_home, tidy_scene)


def test_a_way_that_ends_early_is_refused_though_moveit_calls_it_whole(
    asked, stack, robot, at_home, tidy_scene
) -> None:
    planner, moveit = asked(follows_lines=True)
    target, _ = line(planner, robot)
    moveit.path = lambda: robot.home[None]
    with pytest.raises(PlanningError, match=r"ends 60\.0 mm from its end"):
        planner.plan(PlanRequest(CartesianGoal((target,))), at_home, tidy_scene)


def test_corners_drops_what_lies_on_straight_segments() -> None:
    turn = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    dense = np.vstack([np.linspace(turn[0], turn[1], 17), np.linspace(turn[1], turn[2], 23)[1:]])
    assert corners(dense) == pytest.approx(turn)
    assert corners(turn[:1]).shape[0] <= 2


def test_a_state_beyond_the_limits_is_refused_as_by_the_embedded_planner(asked, robot, tidy_scene) -> None:
    planner, _ = asked()
    beyond = RobotState(0.0, robot.upper + 0.5, np.zeros_like(robot.home), 0.05)
    with pytest.raises(PlanningError) as caught:
        planner.plan(PlanRequest(JointGoal(robot.home)), beyond, tidy_scene)
    assert caught.value.failure is PlanningFailure.START_OUT_OF_LIMITS
