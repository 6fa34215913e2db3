"""The service ``plan_motion`` of a running skill node."""

from __future__ import annotations

import time

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState
from skill_graph import SkillGraph
from skillet_interfaces.msg import BodyPair
from skillet_interfaces.srv import PlanMotion

from skillet_core.geometry import Pose
from skillet_core.robot import load_robot
from skillet_core.scene import load_task
from skillet_motion.motion_stack import motion_stack
from skillet_ros.convert import pose_to_msg, trajectory_from_msg

pytestmark = [pytest.mark.ros, pytest.mark.timeout(170)]

ROBOT = load_robot("panda")
JOINT, POSE, CARTESIAN = PlanMotion.Request.JOINT, PlanMotion.Request.POSE, PlanMotion.Request.CARTESIAN
DOWN = (np.pi, 0.0, 0.0)


@pytest.fixture(scope="module")
def graph():
    graph = SkillGraph(ROBOT.name)
    yield graph
    graph.close()


@pytest.fixture(autouse=True)
def _reset(graph):
    graph.reset()


@pytest.fixture(scope="module")
def forward():
    return motion_stack(ROBOT, load_task("blocks")).planner.grasp_pose


def stamped(pose, frame=""):
    msg = PoseStamped(pose=pose_to_msg(pose))
    msg.header.frame_id = frame
    return msg


def above(x, y, z, frame=""):
    return stamped(Pose.from_xyz_rpy((x, y, z), DOWN), frame)


def joints(positions, names=ROBOT.joint_names):
    return JointState(name=list(names), position=[float(p) for p in positions])


def end_of(answer, forward):
    assert answer.success, answer.reason
    assert (answer.failure, answer.reason) == ("", "")
    trajectory = trajectory_from_msg(answer.trajectory).reordered(ROBOT.joint_names)
    return trajectory, forward(trajectory.positions[-1])


def near(pose, x, y, z):
    np.testing.assert_allclose(pose.position, (x, y, z), atol=2e-3)


def test_a_pose_is_planned_to_from_where_the_robot_is_and_nothing_moves(graph, forward):
    before = graph.positions(ROBOT.joint_names)
    answer = graph.plan(goal=POSE, goal_poses=[above(0.45, 0.1, 0.3)])
    trajectory, end = end_of(answer, forward)
    near(end, 0.45, 0.1, 0.3)
    np.testing.assert_allclose(trajectory.positions[0], before, atol=5e-3)
    assert 0 < answer.planning_time < 10
    time.sleep(0.2)
    np.testing.assert_allclose(graph.positions(ROBOT.joint_names), before, atol=2e-3)


def test_of_several_poses_the_index_of_the_reached_one_is_told(graph, forward):
    poses = [above(3.0, 0.0, 0.3), above(0.4, 0.2, 0.3), above(0.4, 0.2, 5.0)]
    answer = graph.plan(goal=POSE, goal_poses=poses)
    near(end_of(answer, forward)[1], 0.4, 0.2, 0.3)
    assert answer.goal_index == 1


def test_joints_are_matched_by_name_and_the_grippers_may_stand_among_them(graph):
    goal = ROBOT.home + 0.2
    msg = joints([*goal[::-1], 0.01], [*ROBOT.joint_names[::-1], ROBOT.gripper.joint])
    answer = graph.plan(goal=JOINT, goal_joints=msg)
    assert answer.success, answer.reason
    trajectory = trajectory_from_msg(answer.trajectory).reordered(ROBOT.joint_names)
    np.testing.assert_allclose(trajectory.positions[-1], goal, atol=1e-6)


def test_another_start_and_half_the_speed_are_taken(graph):
    start, goal = ROBOT.home - 0.2, ROBOT.home + 0.2
    fast, slow = (
        graph.plan(goal=JOINT, goal_joints=joints(goal), start=joints(start), velocity_scaling=scaling)
        for scaling in (0.0, 0.25)
    )
    assert fast.success, fast.reason
    durations = [trajectory_from_msg(answer.trajectory).duration for answer in (fast, slow)]
    assert durations[1] > 1.8 * durations[0]
    first = trajectory_from_msg(slow.trajectory).reordered(ROBOT.joint_names).positions[0]
    np.testing.assert_allclose(first, start, atol=1e-6)


def test_a_straight_line_passes_every_waypoint_in_order(graph, forward):
    here = forward(np.array(graph.positions(ROBOT.joint_names)))
    down, aside = (
        Pose(here.position + np.array(step), here.rotation) for step in ((0, 0, -0.1), (0, 0.1, -0.1))
    )
    answer = graph.plan(goal=CARTESIAN, goal_poses=[stamped(down), stamped(aside)])
    trajectory, end = end_of(answer, forward)
    near(end, *aside.position)
    assert answer.goal_index == 1
    path = np.array([forward(q).position for q in trajectory.positions])
    assert np.linalg.norm(path - down.position, axis=1).min() < 5e-3
    assert np.abs(path[:, 0] - here.position[0]).max() < 5e-3


@pytest.mark.parametrize("frame", ["world", ROBOT.base_frame, "red_block", "panda_hand"])
def test_a_pose_is_in_the_frame_that_its_header_names(graph, forward, frame):
    block = graph.scene().object("red_block").pose
    here = forward(np.array(graph.positions(ROBOT.joint_names)))
    # the hand's own frame differs from the grasp frame by a shift along z alone
    step, expected = {
        "red_block": (Pose.from_xyz_rpy((0, 0, 0.25), DOWN), block.position + np.array([0, 0, 0.25])),
        "panda_hand": (Pose.from_xyz_rpy((0, 0, 0.0)), here.position + np.array([0, 0, 0.1034])),
    }.get(frame, (Pose.from_xyz_rpy((0.4, 0.1, 0.35), DOWN), np.array([0.4, 0.1, 0.35])))
    end = end_of(graph.plan(goal=POSE, goal_poses=[stamped(step, frame)]), forward)[1]
    np.testing.assert_allclose(end.position, expected, atol=4e-3)


WRONG_QUATERNION = above(0.4, 0.0, 0.3)
WRONG_QUATERNION.pose.orientation.w = 2.0
NOT_FINITE = above(0.4, 0.0, 0.3)
NOT_FINITE.pose.position.x = float("nan")


@pytest.mark.parametrize(
    ("request_", "failure", "said"),
    [
        ({"goal": POSE, "goal_poses": [above(3.0, 0.0, 0.3)]}, "goal_unreachable", "reach"),
        ({"goal": POSE, "goal_poses": [above(0.4, 0.0, -0.1)]}, "goal_in_collision", "table"),
        ({"goal": POSE, "goal_poses": []}, "invalid_request", "at least one pose"),
        ({"goal": CARTESIAN, "goal_poses": []}, "invalid_request", "at least one pose"),
        ({"goal": POSE, "goal_poses": [WRONG_QUATERNION]}, "invalid_request", "unit length"),
        ({"goal": POSE, "goal_poses": [NOT_FINITE]}, "invalid_request", "finite"),
        ({"goal": POSE, "goal_poses": [above(0, 0, 0.1, "red_blok")]}, "invalid_request", "'red_block'"),
        ({"goal": POSE, "goal_poses": [above(0, 0, 0.1, "wrist_9")]}, "invalid_request", "unknown frame"),
        ({"goal": 7}, "invalid_request", "JOINT (0)"),
        ({"goal": JOINT}, "invalid_request", "at least one joint|missing joint"),
        (
            {"goal": JOINT, "goal_joints": joints(ROBOT.home[1:], ROBOT.joint_names[1:])},
            "invalid_request",
            "missing joint: panda_joint1",
        ),
        (
            {"goal": JOINT, "goal_joints": joints([*ROBOT.home, 0.0], [*ROBOT.joint_names, "elbow"])},
            "invalid_request",
            "unknown joint: elbow",
        ),
        (
            {"goal": JOINT, "goal_joints": joints([*ROBOT.home[1:], np.nan])},
            "invalid_request",
            "panda_joint7",
        ),
        ({"goal": JOINT, "goal_joints": joints(ROBOT.home[1:])}, "invalid_request", "7 joint names"),
        ({"goal": JOINT, "goal_joints": joints(ROBOT.home + 9.0)}, "goal_unreachable", "limit"),
        (
            {"goal": JOINT, "goal_joints": joints(ROBOT.home), "start": joints(ROBOT.home + 9.0)},
            "start_out_of_limits",
            "limit",
        ),
        (
            {"goal": JOINT, "goal_joints": joints(ROBOT.home), "velocity_scaling": -1.0},
            "invalid_request",
            "above 0",
        ),
        (
            {"goal": JOINT, "goal_joints": joints(ROBOT.home), "acceleration_scaling": 2.0},
            "invalid_request",
            "at most 1",
        ),
        (
            {"goal": JOINT, "goal_joints": joints(ROBOT.home), "planner": "rrt"},
            "invalid_request",
            "rrt_connect",
        ),
        (
            {"goal": JOINT, "goal_joints": joints(ROBOT.home), "attached": ["red_blok"]},
            "invalid_request",
            "Did you mean 'red_block'",
        ),
        (
            {"goal": JOINT, "goal_joints": joints(ROBOT.home), "touching": ["teapot"]},
            "invalid_request",
            "teapot",
        ),
        (
            {
                "goal": JOINT,
                "goal_joints": joints(ROBOT.home),
                "allowed_contacts": [BodyPair(first="tbale", second="red_block")],
            },
            "invalid_request",
            "Did you mean 'table'",
        ),
        ({"goal": JOINT, "goal_joints": joints(ROBOT.home), "seed": -1}, "invalid_request", "seed"),
    ],
)
def test_a_wrong_request_is_answered_with_a_code_and_a_reason(graph, request_, failure, said):
    answer = graph.plan(**request_)
    assert not answer.success
    assert answer.failure == failure, answer.reason
    assert any(part in answer.reason for part in said.split("|")), answer.reason
    assert not answer.trajectory.points


def test_a_plan_is_answered_while_a_skill_runs_and_the_skill_goes_on(graph):
    handle = graph.send("wait", {"seconds": 4.0})
    graph.until_phase("wait")
    begin = time.monotonic()
    answer = graph.plan(goal=POSE, goal_poses=[above(0.45, 0.1, 0.3)])
    assert answer.success, answer.reason
    assert time.monotonic() - begin < 3.0
    _, result = graph.result(handle)
    assert result.success, result.reason


def test_calls_at_the_same_time_are_all_answered_alike(graph, forward):
    request = PlanMotion.Request(goal=POSE, goal_poses=[above(0.45, 0.1, 0.3)])
    futures = [graph.plan_client.call_async(request) for _ in range(5)]
    ends = [end_of(graph.wait(future), forward)[0].positions[-1] for future in futures]
    for end in ends[1:]:
        np.testing.assert_allclose(end, ends[0], atol=2e-2)


def test_a_plan_without_a_robot_says_what_is_missing(graph):
    """Comes last: the simulator does not come back."""
    graph.sim.kill()
    graph.sim.wait()
    time.sleep(1.0)
    answer = graph.plan(goal=POSE, goal_poses=[above(0.45, 0.1, 0.3)])
    assert (answer.success, answer.failure) == (False, "no_state")
    assert "joint_states" in answer.reason
