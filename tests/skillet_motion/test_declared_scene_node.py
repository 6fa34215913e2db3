"""A skill node that is told of the scene by its task's file and by ``scene/apply`` alone, as on hardware."""

from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from skill_graph import SUCCEEDED, SkillGraph
from skillet_interfaces.srv import PlanMotion, SceneApply

from skillet_core.geometry import Pose
from skillet_ros.convert import pose_to_msg

pytestmark = [pytest.mark.ros, pytest.mark.timeout(170)]


@pytest.fixture(scope="module")
def graph():
    graph = SkillGraph("panda", "lab", scene_source="declared")
    yield graph
    graph.close()


def plan(graph, xyz, frame=""):
    msg = PoseStamped(pose=pose_to_msg(Pose.from_xyz_rpy(xyz, (np.pi, 0.0, 0.0))))
    msg.header.frame_id = frame
    return graph.plan(goal=PlanMotion.Request.POSE, goal_poses=[msg])


def move_crate(graph, xyz):
    pose = PoseStamped(pose=pose_to_msg(Pose.from_xyz_rpy(xyz)))
    return graph.apply(operation=SceneApply.Request.MOVE, name="crate", pose=pose)


def test_everything_is_where_the_file_or_a_request_says(graph):
    place = (0.45, 0.1, 0.3)
    # the node offers its services before it has heard the robot
    graph.until(lambda: plan(graph, place).success, "the first plan")
    # where the hand would be: between the fingers there is room for it
    moved = move_crate(graph, (0.45, 0.1, 0.4))
    assert moved.success, moved.message
    assert {"table", "wall", "camera_stand", "wedge", "crate"} <= set(moved.objects)
    blocked = plan(graph, place)
    assert (blocked.success, blocked.failure) == (False, "goal_in_collision")
    assert "crate" in blocked.reason
    assert plan(graph, (0.0, 0.0, 0.2), frame="crate").success
    assert move_crate(graph, (0.6, -0.1, 0.05)).success
    status, result = graph.run("move_to", {"x": 0.45, "y": 0.1, "z": 0.3})
    assert (status, result.reason) == (SUCCEEDED, "")
