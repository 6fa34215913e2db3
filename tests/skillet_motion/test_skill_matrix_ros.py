"""Every skill x robot of the table once more, through ``execute_skill``, as fast as the simulator goes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from skill_cases import CASES, Outcome
from skill_graph import SkillGraph

from skillet_core.robot import load_robot
from skillet_core.scene import load_task

pytestmark = [pytest.mark.ros, pytest.mark.timeout(170)]

ROBOTS = ("ur5e", "panda")
MATRIX = sorted(itertools.product(ROBOTS, CASES), key=lambda entry: (entry[0], entry[1].task))


@pytest.fixture(scope="module")
def graph(request):
    """One simulator and one skill node for all cases of a robot and a task."""
    robot, task = request.param
    graph = SkillGraph(robot, task, real_time_factor=0)
    graph.robot, graph.task = load_robot(robot), load_task(task)
    yield graph
    graph.close()


def run(graph, name, arguments):
    _, result = graph.run(name, dict(arguments))
    assert result.success, result.reason


@pytest.mark.parametrize(
    ("graph", "case"),
    [((robot, case.task), case) for robot, case in MATRIX],
    ids=[f"{robot}-{case.label}" for robot, case in MATRIX],
    indirect=["graph"],
)
def test_a_skill_does_what_it_says_through_ros(graph, case):
    graph.reset(case.seed)
    for name, arguments in case.preparation:
        run(graph, name, arguments)
    before = graph.next_scene()
    run(graph, case.skill, case.arguments)
    after = graph.next_scene()
    positions = np.array(graph.positions(graph.robot.joint_names))
    seconds = after.stamp - before.stamp
    assert case.succeeded(Outcome(graph.robot, graph.task, before, after, positions, seconds))
