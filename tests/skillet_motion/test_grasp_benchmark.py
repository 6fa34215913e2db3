"""The benchmark of grasps: trials are counted as the scene has them, and advice is found by trying."""

import mujoco
import numpy as np
import pytest

from skillet_core.errors import UnknownNameError
from skillet_motion import grasp_benchmark
from skillet_motion.grasp_benchmark import (
    GraspBench,
    Outcome,
    Trial,
    advise,
    collision_gap,
    graspable_objects,
    narrowest_width,
    run_trials,
    summarise,
)

BLOCK = Trial("panda", "blocks", "red_block", "6dof", 0)


def outcome(success, reason="", robot="panda", name="can"):
    return Outcome(Trial(robot, "tabletop", name, "6dof", 0), success, reason, "grasp")


def model(geoms):
    return mujoco.MjModel.from_xml_string(
        f'<mujoco><worldbody><body name="thing"><freejoint/>{geoms}</body></worldbody></mujoco>'
    )


def test_every_movable_object_of_every_simulated_task_is_tried_once():
    objects = graspable_objects()
    assert objects["red_block"] == "blocks"
    assert "left_bin" not in objects
    assert set(objects.values()) >= {"blocks", "tabletop"}


def test_a_trial_succeeds_when_the_object_is_held_and_has_risen():
    [done] = run_trials([BLOCK])
    assert done == Outcome(BLOCK, success=True, reason="", phase=done.phase)


def test_a_skill_that_only_says_that_it_succeeded_is_not_believed(monkeypatch):
    class Success:
        success, reason = True, ""

    monkeypatch.setattr(grasp_benchmark, "run_skill", lambda *_: Success)
    [done] = run_trials([BLOCK])
    assert not done.success
    assert "is not held" in done.reason


def test_an_unknown_object_is_refused_with_the_nearest_names():
    with pytest.raises(UnknownNameError, match="red_block"):
        run_trials([Trial("panda", "blocks", "red_blok", "6dof", 0)])


def test_counts_are_by_object_and_robot_worst_first_with_reasons_that_differ_in_numbers_only_joined():
    outcomes = [
        outcome(success=True),
        outcome(success=False, reason="grasp: can slipped at 12.5 mm"),
        outcome(success=False, reason="grasp: can slipped at 3 mm"),
        outcome(success=True, name="mug"),
    ]
    worst, best = summarise(outcomes)
    assert (worst.object, worst.successes, worst.trials) == ("can", 1, 3)
    assert worst.reasons == (("it slipped at # mm", 2),)
    assert (best.object, best.rate, best.reasons) == ("mug", 1.0, ())
    lower, upper = worst.interval
    assert lower < 1 / 3 < upper


def test_the_narrowest_width_of_a_turned_bar_is_its_thickness():
    bar = model('<geom type="box" size="0.1 0.05 0.01" euler="20 30 40"/>')
    assert narrowest_width(bar, "thing") == pytest.approx(0.02)


def test_a_collision_shape_that_is_not_what_is_seen_is_measured():
    seen = '<geom type="sphere" size="0.03" contype="0" conaffinity="0"/>'
    same = '<geom type="sphere" size="0.03" group="3"/>'
    assert collision_gap(model(f"{seen}{same}"), "thing") == pytest.approx(0.0)
    assert collision_gap(model('<geom type="sphere" size="0.03"/>'), "thing") == 0.0
    hidden = '<geom type="sphere" size="0.05" group="3"/>'
    assert collision_gap(model(f"{seen}{hidden}"), "thing") == pytest.approx(0.02)


def test_what_is_seen_as_it_collides_may_have_ornaments():
    ornament = '<geom type="box" size="0.01 0.01 0.01" pos="0.02 0 0" contype="0" conaffinity="0"/>'
    assert collision_gap(model(f'<geom type="sphere" size="0.05"/>{ornament}'), "thing") == 0.0


def test_no_failures_need_no_advice():
    assert advise([]) == []


def test_an_object_that_friction_cures_is_called_slippery(monkeypatch):
    class Cured(GraspBench):
        def run(self, trial):
            return Outcome(trial, success=True, reason="", phase="lift")

    monkeypatch.setattr(grasp_benchmark, "GraspBench", Cured)
    [sentence] = advise([Outcome(BLOCK, success=False, reason="slipped", phase="lift")])
    assert "too slippery: with 2 times its friction 1 of 1 failures succeed" in sentence


def test_the_rough_copy_of_an_object_has_more_friction_and_the_others_have_not():
    plain, rough = (GraspBench("panda", "blocks", rough=name).world.model for name in (None, "red_block"))
    ratio = rough.geom_friction[:, 0] / plain.geom_friction[:, 0]
    own = plain.geom_bodyid == plain.body("red_block").id
    np.testing.assert_allclose(ratio[own], grasp_benchmark.EASIER_FRICTION)
    np.testing.assert_allclose(ratio[~own], 1.0)


def test_an_object_wider_than_the_gripper_is_called_too_big(monkeypatch):
    class Failing(GraspBench):
        def run(self, trial):
            return Outcome(trial, success=False, reason="too wide", phase="plan")

    monkeypatch.setattr(grasp_benchmark, "GraspBench", Failing)
    monkeypatch.setattr(grasp_benchmark, "narrowest_width", lambda *_: 0.12)
    [sentence] = advise([Outcome(BLOCK, success=False, reason="too wide", phase="plan")])
    assert "too big: its narrowest side is 120 mm, and the gripper takes 76 mm. Scale it by 0.63" in sentence
