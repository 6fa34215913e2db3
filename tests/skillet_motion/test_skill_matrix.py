"""Every skill x robot, directly on the simulator; `test_skill_node.py` runs the same table over ROS."""

from __future__ import annotations

import pytest
from skill_cases import CASES, Outcome

from skillet_core.scene import load_task
from skillet_motion.direct_robot import DirectRobot
from skillet_motion.skills import run_skill, skill_names
from skillet_sim.world import World


@pytest.fixture(scope="module")
def robots(robot):
    return {task: DirectRobot(World(robot, load_task(task))) for task in {case.task for case in CASES}}


def test_the_table_has_every_skill():
    assert {case.skill for case in CASES} == set(skill_names())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_a_skill_does_what_it_says_directly_on_the_simulator(robots, case):
    direct = robots[case.task]
    direct.reset(case.seed)
    for name, arguments in case.preparation:
        result = run_skill(direct, name, arguments)
        assert result.success, result.reason
    before, begin = direct.scene(), direct.time
    result = run_skill(direct, case.skill, case.arguments)
    assert result.success, result.reason
    outcome = Outcome(
        direct.description,
        direct.task,
        before,
        direct.scene(),
        direct.state().positions,
        direct.time - begin,
    )
    assert case.succeeded(outcome)
