from __future__ import annotations

import numpy as np

from skillet_core.conditions import Grasped, Inside
from skillet_core.errors import CancelledError, StaleStateError
from skillet_core.task_tree import FallbackNode, SequenceNode, SkillNode, TaskTree
from skillet_planner.offline import OfflinePlanner


def tree(root) -> TaskTree:
    return TaskTree(instruction="test", root=root)


def plan(task, sentence="put the red block in the left bin") -> TaskTree:
    return OfflinePlanner().plan(sentence, task)


def fail(reason):
    return lambda _world, _arguments: (False, reason)


def drop(world, arguments):
    """The skill believes that it placed the object, but it fell on the table."""
    world.held = None
    return True, ""


def grasp_nothing(world, arguments):
    return True, ""


def test_a_tree_runs_in_order_and_every_node_is_verified(task, world):
    report = world.executor(task).run(plan(task))
    assert report.success
    assert report.reason == ""
    assert world.calls == ["grasp(red_block, left_bin)", "place_in(red_block, left_bin)"]
    grasp, place = report.root.children[0].children
    assert (grasp.path, place.path) == ("0.0", "0.1")
    assert grasp.success_condition == "grasped(red_block)"
    assert grasp.started == 0.0
    assert grasp.finished <= place.started < place.finished


def test_a_failing_skill_is_tried_again_and_the_report_counts_the_attempts(task, world):
    world.scripts["grasp"] = [fail("no path"), fail("no path")]
    report = world.executor(task).run(plan(task))
    assert report.success
    assert report.root.children[0].children[0].attempts == 3


def test_a_skill_that_only_says_that_it_worked_is_not_believed(task, world):
    world.scripts["grasp"] = [grasp_nothing]
    report = world.executor(task).run(plan(task))
    assert report.success
    assert world.calls == ["grasp(red_block, left_bin)"] * 2 + ["place_in(red_block, left_bin)"]


def test_a_dropped_object_is_grasped_again(task, world):
    world.scripts["place_in"] = [drop]
    report = world.executor(task).run(plan(task))
    assert report.success
    assert world.calls == ["grasp(red_block, left_bin)", "place_in(red_block, left_bin)"] * 2
    assert report.root.children[0].attempts == 2


def test_when_all_attempts_fail_the_reason_names_the_skill_and_later_nodes_are_skipped(task, world):
    world.scripts["grasp"] = [fail("out of reach")] * 100
    report = world.executor(task).run(plan(task, "put the red block in the left bin and go home"))
    assert not report.success
    assert "grasp(red_block, left_bin): out of reach" in report.reason
    transfer, home = report.root.children
    assert (transfer.status, transfer.children[1].status, home.status) == ("failed", "skipped", "skipped")
    assert len(world.calls) == 9


def test_a_condition_is_given_time_to_come_true(task, world):
    world.scripts["place_in"] = [drop]

    def settle(w):
        if w.time >= 2.5:
            w.positions["red_block"] = np.array([0.4, 0.3, 0.03])

    world.on_wait = settle
    report = world.executor(task).run(plan(task))
    assert report.success
    assert report.root.children[0].attempts == 1


def test_a_condition_that_holds_for_one_look_only_does_not_count(task, world):
    looks = iter([True] + [False] * 100)

    def flicker(w):
        w.held = "red_block" if next(looks) else None

    world.scripts["grasp"] = [grasp_nothing] * 3
    world.on_wait = flicker
    grasp = SkillNode(
        skill="grasp", arguments={"object": "red_block"}, success=Grasped(object="red_block"), attempts=1
    )
    report = world.executor(task).run(tree(grasp))
    assert not report.success
    assert report.reason == "grasped(red_block) does not hold"


def test_a_fallback_takes_the_first_child_that_works(task, world):
    world.scripts["grasp"] = [fail("slipped")]
    children = tuple(
        SkillNode(skill="grasp", arguments={"object": name}, success=Grasped(object=name), attempts=1)
        for name in ("red_block", "green_block", "blue_block")
    )
    report = world.executor(task).run(tree(FallbackNode(name="any block", children=children)))
    assert report.success
    assert [child.status for child in report.root.children] == ["failed", "succeeded", "skipped"]


def test_a_fallback_that_runs_out_names_every_reason(task, world):
    world.scripts["grasp"] = [fail("slipped"), fail("too far")]
    children = tuple(
        SkillNode(skill="grasp", arguments={"object": name}, attempts=1)
        for name in ("red_block", "green_block")
    )
    report = world.executor(task).run(tree(FallbackNode(name="any block", children=children)))
    assert report.reason == "grasp(red_block): slipped; grasp(green_block): too far"


def test_a_sequence_whose_own_condition_fails_has_failed(task, world):
    root = SequenceNode(
        name="all",
        children=(SkillNode(skill="go_home"),),
        success=Inside(object="red_block", container="left_bin"),
    )
    report = world.executor(task).run(tree(root))
    assert report.root.children[0].status == "succeeded"
    assert report.reason == "inside(red_block, left_bin) does not hold"


def test_a_lost_simulator_ends_the_task_at_once_without_another_attempt(task, world):
    def lost(_world, _arguments):
        raise StaleStateError("nothing heard on scene/state")

    world.scripts["place_in"] = [lost]
    report = world.executor(task).run(plan(task))
    assert not report.success
    assert report.reason == "nothing heard on scene/state"
    assert world.calls == ["grasp(red_block, left_bin)", "place_in(red_block, left_bin)"]
    assert [n.status for n in report.root.children[0].children] == ["succeeded", "failed"]
    assert report.root.status == "failed"


def test_cancelling_ends_the_task_and_every_open_node_is_closed(task, world):
    executor = world.executor(task)

    def cancel(w, arguments):
        executor.cancel()
        return w.grasp(arguments)

    world.scripts["grasp"] = [cancel]
    report = executor.run(plan(task))
    assert not report.success
    assert "cancelled" in report.reason
    assert world.calls == ["grasp(red_block, left_bin)"]
    assert report.root.children[0].children[1].status == "skipped"


def test_a_skill_that_is_cancelled_is_not_tried_again(task, world):
    def cancelled(_world, _arguments):
        raise CancelledError("cancelled by request")

    world.scripts["grasp"] = [cancelled]
    assert not world.executor(task).run(plan(task)).success
    assert len(world.calls) == 1


def test_a_condition_on_an_object_that_is_not_there_fails_with_its_name(task, world):
    node = SkillNode(skill="go_home", success=Grasped(object="teapot"))
    report = world.executor(task).run(tree(node))
    assert not report.success
    assert "teapot" in report.reason


def test_the_listener_hears_every_start_and_every_end(task, world):
    world.executor(task).run(tree(SequenceNode(name="all", children=(SkillNode(skill="go_home"),))))
    assert world.events == [
        ("all", "running"),
        ("go_home()", "running"),
        ("go_home()", "succeeded"),
        ("all", "succeeded"),
    ]
