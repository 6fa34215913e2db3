"""A skill is cancelled in each of its phases: the arm holds, and what it carries it keeps."""

from __future__ import annotations

import numpy as np
import pytest
from skill_cases import CASES

from skillet_core.errors import CancelledError
from skillet_motion.skills.carrying import held_object

PHASES = {
    "grasp": ("plan", "approach", "descend", "grasp", "lift"),
    "place_in": ("plan", "carry", "descend", "release", "retreat"),
    "place_on": ("plan", "carry", "descend", "release", "retreat"),
    "move_to": ("plan", "move"),
    "open": ("plan", "approach", "reach", "grasp", "pull", "release", "retreat"),
    "close": ("plan", "approach", "reach", "push", "retreat"),
    "press": ("plan", "approach", "reach", "press", "retreat"),
    "push": ("plan", "approach", "descend", "touch", "push", "retreat"),
    "reorient": ("plan", "rise", "tilt", "hold", "back"),
    "go_home": ("home",),
    "wait": ("wait",),
}
CARRYING = {("grasp", "lift"), ("reorient", None), ("place_in", None), ("place_on", None)}
AFTER_RELEASE = {"release", "retreat"}
CHOSEN = {case.skill: case for case in reversed(CASES)}


def carries(skill, phase):
    return (skill, phase) in CARRYING or ((skill, None) in CARRYING and phase not in AFTER_RELEASE)


@pytest.fixture
def cancelled(stages):
    """Run a skill and cancel it a moment after a phase began."""

    def run(skill, phase, delay):
        case = CHOSEN[skill]
        stage = stages(case.task, case.seed)
        for name, arguments in case.preparation:
            stage.done(name, **arguments)
        begun = []

        def cancel(now, _):
            if begun and now >= begun[0] + delay - 1e-9:
                begun.clear()
                stage.robot.cancel()

        stage.on_every_period(cancel)
        seen = []

        def note(now):
            if now == phase and phase not in seen:
                begun.append(stage.robot.time)
            seen.append(now)

        with pytest.raises(CancelledError):
            stage.do(skill, note, **case.arguments)
        stage.on_every_period(None)
        return stage

    return run


@pytest.mark.parametrize(("skill", "phase"), [(skill, phase) for skill in PHASES for phase in PHASES[skill]])
def test_a_cancelled_skill_holds_and_does_not_drop(cancelled, skill, phase):
    stage = cancelled(skill, phase, 0.06)
    stage.robot.wait(0.2)
    held = stage.robot.state().positions
    stage.robot.wait(0.3)
    np.testing.assert_allclose(stage.robot.state().positions, held, atol=2e-3)
    if carries(skill, phase):
        assert held_object(stage.robot) == "red_block"


def test_after_a_cancel_the_skill_can_be_run_again(cancelled):
    stage = cancelled("place_in", "carry", 0.3)
    stage.done("place_in", object="red_block", target="left_bin")
