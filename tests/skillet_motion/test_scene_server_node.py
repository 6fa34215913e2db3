"""The service ``scene/apply`` of a running skill node, and what planning makes of it."""

from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import Pose as PoseMsg
from geometry_msgs.msg import PoseStamped
from shape_msgs.msg import SolidPrimitive
from skill_graph import ABORTED, SkillGraph
from skillet_interfaces.srv import PlanMotion, SceneApply

from skillet_core.geometry import Pose
from skillet_core.robot import load_robot
from skillet_ros.convert import pose_to_msg

pytestmark = [pytest.mark.ros, pytest.mark.timeout(170)]

ROBOT = load_robot("panda")
ADD, MOVE, ATTACH, DETACH, REMOVE = (
    getattr(SceneApply.Request, name) for name in ("ADD", "MOVE", "ATTACH", "DETACH", "REMOVE")
)
GOAL = (0.45, 0.1, 0.3)


@pytest.fixture(scope="module")
def graph():
    graph = SkillGraph(ROBOT.name)
    graph.reset()
    yield graph
    graph.close()


def stamped(xyz, frame=""):
    msg = PoseStamped(pose=pose_to_msg(Pose.from_xyz_rpy(xyz)))
    msg.header.frame_id = frame
    return msg


def box(*size):
    return SolidPrimitive(type=SolidPrimitive.BOX, dimensions=size)


CUBE = box(0.1, 0.1, 0.1)


def plan(graph, xyz=GOAL, **fields):
    msg = PoseStamped(pose=pose_to_msg(Pose.from_xyz_rpy(xyz, (np.pi, 0.0, 0.0))))
    return graph.plan(goal=PlanMotion.Request.POSE, goal_poses=[msg], **fields)


@pytest.fixture
def wall(graph):
    """Add a box around the goal; take it away afterwards."""
    answer = graph.apply(operation=ADD, name="wall", pose=stamped(GOAL), primitives=[CUBE], movable=True)
    assert answer.success, answer.message
    assert {"wall", "red_block"} <= set(answer.objects)
    yield
    assert "wall" not in graph.apply(operation=REMOVE, name="wall").objects


def test_an_added_object_is_in_the_way_until_it_is_moved_or_removed(graph):
    assert plan(graph).success
    added = graph.apply(operation=ADD, name="wall", pose=stamped(GOAL), primitives=[CUBE])
    assert added.success, added.message
    blocked = plan(graph)
    assert (blocked.success, blocked.failure) == (False, "goal_in_collision")
    assert "wall" in blocked.reason
    assert graph.apply(operation=MOVE, name="wall", pose=stamped((0.45, -0.5, 0.3))).success
    assert plan(graph).success
    assert graph.apply(operation=MOVE, name="wall", pose=stamped(GOAL)).success
    assert not plan(graph).success
    removed = graph.apply(operation=REMOVE, name="wall")
    assert removed.success
    assert "wall" not in removed.objects
    assert plan(graph).success


def test_a_skill_keeps_clear_of_what_was_added(graph, wall):
    x, y, z = GOAL
    goal = {"x": x, "y": y, "z": z, "qx": 1.0, "qy": 0.0, "qz": 0.0, "qw": 0.0}
    status, result = graph.run("move_to", goal)
    assert status == ABORTED
    assert "wall" in result.reason


def test_an_attached_object_moves_with_the_gripper_and_stays_where_it_is_let_go(graph):
    hand = stamped((0.0, 0.0, 0.09), ROBOT.gripper.grasp_frame)
    rod = SolidPrimitive(type=SolidPrimitive.CYLINDER, dimensions=[0.16, 0.01])
    assert graph.apply(operation=ADD, name="rod", pose=hand, primitives=[rod], movable=True).success
    low = (0.45, 0.0, 0.1)
    attached = graph.apply(operation=ATTACH, name="rod")
    assert attached.success, attached.message
    # the rod reaches 17 cm below the grasp frame
    blocked = plan(graph, low)
    assert not blocked.success
    assert "rod" in blocked.reason
    assert plan(graph, (0.45, 0.0, 0.35)).success
    again = graph.apply(operation=ATTACH, name="rod")
    assert "attached already" in again.message
    held = graph.apply(operation=MOVE, name="rod", pose=stamped((0.3, 0.3, 0.3)))
    assert "detach it" in held.message
    assert graph.apply(operation=DETACH, name="rod").success
    assert graph.apply(operation=MOVE, name="rod", pose=stamped((0.3, -0.6, 0.3))).success
    assert plan(graph, low).success
    assert graph.apply(operation=REMOVE, name="rod").success


def test_every_kind_of_shape_is_taken_with_its_place_in_the_object(graph, tmp_path):
    ball = SolidPrimitive(type=SolidPrimitive.SPHERE, dimensions=[0.05])
    aside = [PoseMsg(), pose_to_msg(Pose.from_xyz_rpy((0.0, 0.4, 0.0)))]
    x, y, z = GOAL
    answer = graph.apply(
        operation=ADD,
        name="pair",
        pose=stamped((x, y - 0.4, z)),
        primitives=[box(0.02, 0.02, 0.02), ball],
        primitive_poses=aside,
    )
    assert answer.success, answer.message
    assert "pair" in plan(graph).reason
    assert graph.apply(operation=REMOVE, name="pair").success
    mesh = tmp_path / "wedge.obj"
    mesh.write_text("v 0 0 0\nv .1 0 0\nv 0 .1 0\nv 0 0 .1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n")
    answer = graph.apply(operation=ADD, name="wedge", pose=stamped(GOAL), mesh=str(mesh))
    assert answer.success, answer.message
    assert "wedge" in plan(graph).reason
    assert graph.apply(operation=REMOVE, name="wedge").success


LEFT_HANDED = stamped((0.3, 0.0, 0.3))
LEFT_HANDED.pose.orientation.w = 0.5


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"operation": 9, "name": "x"}, "ADD (0)"),
        ({"operation": ADD, "name": "x"}, "needs primitives or a mesh"),
        ({"operation": ADD, "name": "", "primitives": [CUBE]}, "needs a name"),
        ({"operation": ADD, "name": "table", "primitives": [CUBE]}, "already"),
        ({"operation": ADD, "name": "x", "primitives": [box(0.1, 0.1)]}, "3 positive dimensions"),
        ({"operation": ADD, "name": "x", "primitives": [box(0.1, 0.1, -0.1)]}, "3 positive dimensions"),
        ({"operation": ADD, "name": "x", "primitives": [box(0.1, 0.1, float("inf"))]}, "3 positive"),
        ({"operation": ADD, "name": "x", "primitives": [SolidPrimitive(type=4)]}, "type 4"),
        (
            {
                "operation": ADD,
                "name": "x",
                "primitives": [CUBE],
                "primitive_poses": [PoseMsg(), PoseMsg()],
            },
            "1 primitives came with 2",
        ),
        ({"operation": ADD, "name": "x", "mesh": "wedge.stl"}, "absolute path"),
        ({"operation": ADD, "name": "x", "mesh": "/nowhere/wedge.stl"}, "/nowhere/wedge.stl"),
        (
            {"operation": ADD, "name": "x", "primitives": [CUBE], "pose": LEFT_HANDED},
            "unit length",
        ),
        (
            {
                "operation": ADD,
                "name": "x",
                "primitives": [CUBE],
                "pose": stamped((0, 0, 0), "tbale"),
            },
            "Did you mean 'table'",
        ),
        ({"operation": MOVE, "name": "wal", "pose": stamped((0, 0, 1))}, "unknown object to move 'wal'"),
        (
            {"operation": MOVE, "name": "red_block", "pose": stamped((0, 0, 1))},
            "cannot be moved by a request",
        ),
        ({"operation": ATTACH, "name": "red_blok"}, "Did you mean 'red_block'"),
        ({"operation": ATTACH, "name": "table"}, "cannot be carried"),
        ({"operation": DETACH, "name": "red_block"}, "unknown attached object 'red_block'"),
        ({"operation": REMOVE, "name": "red_block"}, "belongs to the scene"),
        ({"operation": REMOVE, "name": "teapot"}, "unknown added object 'teapot'"),
    ],
)
def test_a_wrong_change_is_refused_with_a_reason_and_the_scene_stays_as_it_was(graph, request_, said):
    answer = graph.apply(**request_)
    assert not answer.success
    assert said in answer.message
    assert plan(graph).success


def test_objects_come_and_go_while_a_skill_moves(graph):
    graph.reset()
    handle = graph.send("grasp", {"object": "red_block"})
    graph.until_phase("approach")
    added = graph.apply(operation=ADD, name="wall", pose=stamped((-0.5, -0.5, 0.5)), primitives=[CUBE])
    assert added.success, added.message
    assert graph.apply(operation=REMOVE, name="wall").success
    _, result = graph.result(handle)
    assert result.success, result.reason
