"""Skills of the skill node that plan through a real MoveIt 2, in the simulator."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytest.importorskip("moveit_msgs", reason="moveit_msgs of a full ROS 2 installation is not importable")

from skill_graph import SUCCEEDED, SkillGraph

pytestmark = [pytest.mark.full_ros, pytest.mark.timeout(300)]
EPISODE = (
    ("grasp", {"object": "red_block"}),
    ("place_in", {"object": "red_block", "target": "left_bin"}),
    ("go_home", {}),
)


@pytest.fixture(params=["moveit", "move_group"])
def graph(request):
    starter = None
    if request.param == "moveit":
        pytest.importorskip("moveit.planning", reason="moveit_py is not importable")
    else:
        command = "skillet_motion.move_group_node --ros-args -p robot:=panda -p use_sim_time:=true"
        starter = subprocess.Popen([sys.executable, "-m", *command.split()])
    graph = SkillGraph("panda", planner=request.param)
    yield graph
    graph.close()
    if starter is not None:
        starter.send_signal(signal.SIGINT)
        starter.wait(20)


def test_a_block_is_grasped_and_put_into_the_bin(graph) -> None:
    for name, arguments in EPISODE:
        status, result = graph.run(name, arguments)
        assert (status, result.reason) == (SUCCEEDED, "")
    graph.until(lambda: graph.scene().success, "the block in the bin")


def test_the_skill_node_ends_when_it_is_asked_to(graph) -> None:
    graph.skills.send_signal(signal.SIGINT)
    assert graph.skills.wait(15) == 0
