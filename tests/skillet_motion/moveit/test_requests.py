from __future__ import annotations

import numpy as np
import pytest
from moveit_stand_ins import message

from skillet_core.errors import PlanningError, PlanningFailure
from skillet_core.geometry import Pose
from skillet_core.motion import CartesianGoal, JointGoal, PlanRequest, PoseGoal
from skillet_motion.moveit.config import PATH_PIPELINE
from skillet_motion.moveit.requests import (
    JOINT_TOLERANCE,
    POSITION_TOLERANCE,
    ROTATION_TOLERANCE,
    Budget,
    cartesian_request,
    check_answer,
    motion_plan_request,
    path_of,
)

ABOVE = Pose.from_xyz_rpy((0.4, 0.1, 0.3), (np.pi, 0.0, 0.5))


def translated(robot, goal, **fields):
    request = PlanRequest(goal, **fields)
    return motion_plan_request(message, robot, request, message("RobotState"), Budget(2.5, 3))


def test_a_joint_goal_constrains_every_joint_around_its_position(robot) -> None:
    goal = robot.home + 0.1
    (constraints,) = translated(robot, JointGoal(goal)).goal_constraints
    assert [c.joint_name for c in constraints.joint_constraints] == list(robot.joint_names)
    assert [c.position for c in constraints.joint_constraints] == goal.tolist()
    assert {(c.tolerance_above, c.tolerance_below) for c in constraints.joint_constraints} == {
        (JOINT_TOLERANCE, JOINT_TOLERANCE)
    }


def test_each_pose_of_a_goal_is_a_way_to_reach_it(robot) -> None:
    other = Pose.from_xyz_rpy((0.5, -0.1, 0.2), (np.pi, 0.0, 0.0))
    ways = translated(robot, PoseGoal((ABOVE, other))).goal_constraints
    assert len(ways) == 2
    for way, pose in zip(ways, (ABOVE, other), strict=True):
        (position,), (orientation,) = way.position_constraints, way.orientation_constraints
        assert position.link_name == orientation.link_name == robot.gripper.grasp_frame
        assert position.header.frame_id == orientation.header.frame_id == "world"
        (ball,), (place,) = position.constraint_region.primitives, position.constraint_region.primitive_poses
        assert (ball.type, ball.dimensions) == (2, [POSITION_TOLERANCE])
        assert [place.position.x, place.position.y, place.position.z] == pytest.approx(pose.position)
        q = orientation.orientation
        assert [q.x, q.y, q.z, q.w] == pytest.approx(pose.quaternion)
        assert orientation.absolute_z_axis_tolerance == ROTATION_TOLERANCE


def test_scalings_planner_and_time_are_passed_on(robot) -> None:
    made = translated(robot, JointGoal(robot.home), velocity_scaling=0.25, planner="rrt_star")
    assert made.max_velocity_scaling_factor == 0.25
    assert made.max_acceleration_scaling_factor == 0.5
    assert (made.group_name, made.pipeline_id, made.planner_id) == (
        "arm",
        PATH_PIPELINE,
        "RRTstarkConfigDefault",
    )
    assert (made.allowed_planning_time, made.num_planning_attempts) == (2.5, 3)


def test_a_planner_that_moveit_lacks_is_refused_with_those_it_has(robot) -> None:
    with pytest.raises(PlanningError, match="rrt_connect, rrt_star") as caught:
        translated(robot, JointGoal(robot.home), planner="bit_star")
    assert caught.value.failure is PlanningFailure.INVALID_REQUEST


def test_a_straight_line_is_no_goal_of_a_search(robot) -> None:
    with pytest.raises(PlanningError, match="followed"):
        translated(robot, CartesianGoal((ABOVE,)))


def test_straight_lines_are_asked_for_with_collision_checks(robot) -> None:
    made = cartesian_request(message, robot, (ABOVE, ABOVE), message("RobotState"))
    assert made.avoid_collisions
    assert (made.group_name, made.link_name, len(made.waypoints)) == ("arm", robot.gripper.grasp_frame, 2)


def answer(names, rows):
    points = [message("JointTrajectoryPoint", positions=list(row)) for row in rows]
    return message("JointTrajectory", joint_names=list(names), points=points)


def test_a_trajectory_is_read_in_the_order_of_the_robots_joints(robot) -> None:
    rows = np.arange(2 * len(robot.joints)).reshape(2, -1) * 0.1
    assert path_of(answer(robot.joint_names[::-1], rows[:, ::-1]), robot) == pytest.approx(rows)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda names, rows: (names[1:], [row[1:] for row in rows]), "lacks"),
        (lambda names, _: (names, []), "no points"),
        (lambda names, _: (names, [[np.nan] * len(names)]), "finite"),
    ],
)
def test_a_trajectory_that_is_none_is_refused(robot, change, says) -> None:
    names, rows = change(list(robot.joint_names), [robot.home.tolist()] * 2)
    with pytest.raises(PlanningError, match=says) as caught:
        path_of(answer(names, rows), robot)
    assert caught.value.failure is PlanningFailure.BACKEND


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (-1, PlanningFailure.NO_PATH),
        (-6, PlanningFailure.NO_PATH),
        (99999, PlanningFailure.NO_PATH),
        (-10, PlanningFailure.START_IN_COLLISION),
        (-12, PlanningFailure.GOAL_IN_COLLISION),
        (-26, PlanningFailure.START_OUT_OF_LIMITS),
        (-31, PlanningFailure.GOAL_UNREACHABLE),
        (-15, PlanningFailure.BACKEND),
        (-12345, PlanningFailure.BACKEND),
    ],
)
def test_error_codes_become_failures_with_moveits_own_words(code, failure) -> None:
    with pytest.raises(PlanningError, match="what MoveIt said") as caught:
        check_answer(message("MoveItErrorCodes", val=code, message="what MoveIt said"))
    assert caught.value.failure is failure


def test_success_passes() -> None:
    check_answer(message("MoveItErrorCodes", val=1))
