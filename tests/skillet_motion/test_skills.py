from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skillet_core.conditions import Inside
from skillet_core.errors import CancelledError, UnknownNameError
from skillet_core.evaluation import holds, is_grasped
from skillet_core.geometry import Pose
from skillet_core.scene import Box, ObjectState
from skillet_motion.skills import SkillArgumentError, run_skill, skill, skill_names
from skillet_motion.skills.grasps import top_grasps
from skillet_motion.skills.motions import held_object
from skillet_motion.skills.spots import free_spots, lowest_point

PICK = ("pick", {"object": "red_block"})
PLACE = ("place", {"object": "red_block", "target": "left_bin"})


@pytest.fixture
def ready(direct_robot):
    direct_robot.reset(0)
    yield direct_robot
    direct_robot._hook = None


def put(robot, name, position, rotation=None):
    """Move an object in the simulated world at once."""
    scene = robot.scene()
    pose = Pose(np.array(position), rotation or Rotation.identity())
    scene.objects[name] = ObjectState(pose)
    robot._world.set_scene(scene)


@pytest.mark.parametrize("seed", range(5))
def test_the_red_block_is_picked_and_placed_in_the_left_bin(direct_robot, seed):
    direct_robot.reset(seed)
    phases = []
    for name, arguments in (PICK, PLACE, ("go_home", {})):
        result = run_skill(direct_robot, name, arguments, phases.append)
        assert result.success, result.reason
    assert direct_robot.scene().success
    np.testing.assert_allclose(direct_robot.state().positions, direct_robot.description.home, atol=0.01)
    expected = "plan approach descend grasp lift plan carry descend release retreat home"
    assert phases == expected.split()


def test_a_picked_object_is_held_and_lifted(ready):
    before = ready.scene().object("green_block").pose.position[2]
    assert run_skill(ready, "pick", {"object": "green_block"}).success
    scene = ready.scene()
    assert is_grasped("green_block", scene, ready.description.gripper)
    assert scene.object("green_block").pose.position[2] > before + 0.08


def test_picking_what_is_held_already_moves_nothing(ready):
    assert run_skill(ready, *PICK).success
    before, phases = ready.time, []
    assert run_skill(ready, *PICK, phases.append).success
    assert ready.time == before
    assert not phases


def test_picking_with_a_full_gripper_fails_and_says_what_it_holds(ready):
    assert run_skill(ready, *PICK).success
    result = run_skill(ready, "pick", {"object": "blue_block"})
    assert not result.success
    assert "holds red_block" in result.reason
    assert held_object(ready) == "red_block"


def test_placing_what_is_not_held_fails_and_moves_nothing(ready):
    before = ready.time
    result = run_skill(ready, *PLACE)
    assert not result.success
    assert "does not hold red_block but nothing" in result.reason
    assert ready.time == before


def test_placing_on_the_table_stands_clear_of_the_other_blocks(ready, task):
    assert run_skill(ready, *PICK).success
    result = run_skill(ready, "place", {"object": "red_block", "target": "table"})
    assert result.success, result.reason
    scene = ready.scene()
    assert abs(scene.object("red_block").pose.position[2] - 0.02) < 0.003
    for other in ("green_block", "blue_block"):
        gap = scene.object(other).pose.position - scene.object("red_block").pose.position
        assert np.linalg.norm(gap) > 0.05


def test_two_blocks_fit_into_one_bin(ready, task):
    for name in ("red_block", "green_block"):
        for skill_name, arguments in (
            ("pick", {"object": name}),
            ("place", {"object": name, "target": "right_bin"}),
        ):
            result = run_skill(ready, skill_name, arguments)
            assert result.success, result.reason
    for name in ("red_block", "green_block"):
        inside = Inside(object=name, container="right_bin")
        assert holds(inside, ready.scene(), task, ready.description.gripper)


def test_an_object_that_is_taken_away_before_the_grasp_is_noticed_and_the_arm_rises(ready):
    def take_away(phase):
        if phase == "grasp":
            put(ready, "red_block", (0.2, -0.4, 0.02))

    low = []
    ready._hook = lambda *_: low.append(ready.grasp_pose().position[2])
    result = run_skill(ready, *PICK, take_away)
    assert not result.success
    assert "closed on nothing" in result.reason
    assert ready.grasp_pose().position[2] > min(low) + 0.08
    assert ready.state().opening > 0.05


def test_an_object_dropped_on_the_way_is_a_failure_with_that_reason(ready):
    assert run_skill(ready, *PICK).success

    def drop(phase):
        if phase == "carry":
            put(ready, "red_block", (0.2, -0.4, 0.02))

    result = run_skill(ready, *PLACE, drop)
    assert not result.success
    assert "red_block was dropped on the way" in result.reason


def test_an_object_out_of_reach_fails_with_a_reason_and_the_arm_stays(ready):
    put(ready, "red_block", (0.75, 0.65, 0.02))
    before = ready.state().positions
    result = run_skill(ready, *PICK)
    assert not result.success
    assert "no way down to red_block" in result.reason
    np.testing.assert_allclose(ready.state().positions, before, atol=0.005)


def test_a_leaning_object_is_refused_with_a_reason(ready):
    put(ready, "red_block", (0.45, 0.0, 0.2), Rotation.from_euler("xy", (0.6, 0.5)))
    result = run_skill(ready, *PICK)
    assert not result.success
    assert "cannot be grasped from above: it leans" in result.reason


@pytest.mark.parametrize("phase", ["approach", "descend", "grasp", "lift"])
def test_cancelling_a_pick_holds_the_arm_in_every_phase(ready, phase):
    def cancel(now):
        if now == phase:
            ready.cancel()

    with pytest.raises(CancelledError):
        run_skill(ready, *PICK, cancel)
    ready.wait(0.3)
    held = ready.state().positions
    ready.wait(0.5)
    np.testing.assert_allclose(ready.state().positions, held, atol=2e-3)


@pytest.mark.parametrize("phase", ["carry", "descend"])
def test_cancelling_while_carrying_does_not_drop_the_object(ready, phase):
    assert run_skill(ready, *PICK).success
    start = []

    def cancel_in_motion(now):
        if now == phase:
            start.append(ready.time)

    ready._hook = lambda now, _: ready.cancel() if start and abs(now - start[0] - 0.2) < 1e-6 else None
    with pytest.raises(CancelledError):
        run_skill(ready, *PLACE, cancel_in_motion)
    ready.wait(1.0)
    assert held_object(ready) == "red_block"
    ready._hook = None
    assert run_skill(ready, *PLACE).success


def test_going_home_keeps_what_is_held(ready):
    assert run_skill(ready, *PICK).success
    assert run_skill(ready, "go_home", {}).success
    assert held_object(ready) == "red_block"


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("pikc", {}, UnknownNameError, r"unknown skill 'pikc'. Did you mean 'pick'.*go_home, pick, place"),
        ("pick", {"object": "red_blok"}, UnknownNameError, r"Did you mean 'red_block'"),
        ("pick", {}, SkillArgumentError, r"object: Field required. Usage: pick\(object: name of"),
        ("pick", {"object": "red_block", "speed": 1}, SkillArgumentError, r"speed: Extra inputs"),
        ("pick", {"object": 3}, SkillArgumentError, r"object: Input should be a valid string"),
        ("pick", {"object": "left_bin"}, SkillArgumentError, r"is a container.*blue_block, green_block"),
        (
            "place",
            {"object": "red_block", "target": "blue_block"},
            SkillArgumentError,
            r"into blue_block. Valid: left_bin, right_bin, table",
        ),
        ("place", {"object": "red_block", "target": "bin"}, UnknownNameError, r"left_bin"),
        ("go_home", {"fast": True}, SkillArgumentError, r"fast: Extra inputs"),
    ],
)
def test_wrong_requests_name_what_is_valid_and_nothing_moves(ready, name, arguments, error, message):
    before = ready.time
    with pytest.raises(error, match=message):
        run_skill(ready, name, arguments)
    assert ready.time == before


def test_every_skill_describes_itself():
    assert skill_names() == ("go_home", "pick", "place")
    for name in skill_names():
        assert skill(name).description.endswith(".")
        assert skill(name).usage.startswith(f"{name}(")


def test_grasps_close_along_the_sides_that_fit_narrowest_first(robot):
    pose = Pose(np.array([0.5, 0.1, 0.05]), Rotation.from_euler("z", 0.3))
    [narrow, wide] = top_grasps(Box(size=(0.06, 0.03, 0.1)), pose, robot.gripper)
    assert (narrow.width, wide.width) == (0.03, 0.06)
    for grasp, axis in ((narrow, 1), (wide, 0)):
        for candidate in grasp.poses:
            matrix = candidate.rotation.as_matrix()
            np.testing.assert_allclose(matrix[:, 2], [0, 0, -1], atol=1e-12)
            assert abs(matrix[:, 1] @ pose.rotation.as_matrix()[:, axis]) == pytest.approx(1.0)
            assert candidate.position[2] == pytest.approx(0.07)  # 30 mm below the top
    only = top_grasps(Box(size=(0.2, 0.03, 0.1)), pose, robot.gripper)
    assert [grasp.width for grasp in only] == [0.03]
    assert top_grasps(Box(size=(0.2, 0.2, 0.1)), pose, robot.gripper) == []


def test_free_spots_keep_away_from_what_is_in_the_bin(ready, task):
    middle = ready.scene().object("left_bin").pose.position
    [first, *_] = free_spots(task, ready.scene(), "left_bin", "red_block", 0.025)
    np.testing.assert_allclose(first[:2], middle[:2], atol=1e-9)
    assert first[2] == pytest.approx(0.005)  # the bin's floor
    put(ready, "green_block", (*middle[:2], 0.025))
    spots = free_spots(task, ready.scene(), "left_bin", "red_block", 0.025)
    assert spots
    assert min(np.linalg.norm((spot - middle)[:2]) for spot in spots) > 0.05


def test_the_lowest_point_of_a_turned_box_is_a_corner():
    pose = Pose(np.array([0.0, 0.0, 1.0]), Rotation.from_euler("x", np.pi / 4))
    assert lowest_point(Box(size=(0.1, 0.1, 0.1)), pose) == pytest.approx(1.0 - 0.05 * np.sqrt(2))
