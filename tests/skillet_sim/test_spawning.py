"""Objects spawn where the task allows it, apart from each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from skillet_core.geometry import Array, Pose
from skillet_core.scene import Rest, Spawn, TaskDescription, load_task, task_names
from skillet_sim.spawning import SpawnError, footprint_gap, sample_poses

SQUARE = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])


@pytest.fixture
def task() -> TaskDescription:
    return load_task("blocks")


def _with_spawn(task: TaskDescription, spawn: Spawn) -> TaskDescription:
    objects = {
        name: o.model_copy(update={"spawn": spawn}) if o.spawn else o for name, o in task.objects.items()
    }
    return task.model_copy(update={"objects": objects})


def test_the_gap_of_aligned_squares_is_exact() -> None:
    assert footprint_gap(SQUARE, SQUARE + np.array([1.5, 0.3])) == pytest.approx(0.5)


def test_overlapping_squares_have_a_negative_gap() -> None:
    assert footprint_gap(SQUARE, SQUARE + np.array([0.9, 0.9])) == pytest.approx(-0.1)


def test_a_turned_square_is_measured_along_its_own_axes_too() -> None:
    c = np.sqrt(0.5)
    turned = (SQUARE - 0.5) @ np.array([(c, c), (-c, c)]) + 0.5
    # its corner at (0.5 + sqrt(2)/2 + 2, 0.5) faces the side x = 1
    assert footprint_gap(SQUARE, turned + np.array([2.0, 0.0])) == pytest.approx(1.5 - c)


@pytest.mark.parametrize("seed", range(20))
def test_every_gap_and_region_is_kept(task: TaskDescription, seed: int) -> None:
    poses = sample_poses(task, {}, np.random.default_rng(seed))
    spawned = {name for name, o in task.objects.items() if o.spawn}
    assert set(poses) == spawned == {"red_block", "green_block", "blue_block"}
    for name, pose in poses.items():
        spawn = task.objects[name].spawn
        assert (pose.position >= spawn.lower).all()
        assert (pose.position <= spawn.upper).all()
        roll, pitch, yaw = pose.rotation.as_euler("xyz")
        assert (roll, pitch) == pytest.approx((0, 0), abs=1e-9)
        assert spawn.yaw[0] <= yaw <= spawn.yaw[1]
        for other, far in poses.items():
            # the gap between two 4 cm blocks is at most their centres' distance less one side
            if other != name:
                assert np.linalg.norm(pose.position - far.position) >= task.clearance + 0.04


def test_the_same_seed_keeps_giving_the_same_poses(task: TaskDescription) -> None:
    """Results recorded earlier name seeds: where there are no rests, draws stay as they were."""
    bins = {"left_bin": Pose(np.array([0.45, 0.3, 0.0])), "right_bin": Pose(np.array([0.45, -0.3, 0.0]))}
    poses = sample_poses(task, bins, np.random.default_rng(4))
    assert poses["red_block"].position == pytest.approx([0.43380614994687355, 0.03486249685328005, 0.02])
    assert poses["green_block"].position == pytest.approx([0.37394351654912866, -0.07146318373707927, 0.02])
    assert poses["blue_block"].position == pytest.approx([0.4658218686306499, -0.10079109488173998, 0.02])
    assert poses["blue_block"].rotation.as_euler("xyz") == pytest.approx([0, 0, -0.019859960773668472])


def test_an_object_rests_on_each_of_its_sides(task: TaskDescription) -> None:
    rests = (Rest(rpy=(0.0, 0.0, 0.0), height=0.02), Rest(rpy=(np.pi / 2, 0.0, 0.0), height=0.05))
    place = Spawn(lower=(0.3, -0.2, 0.1), upper=(0.6, 0.2, 0.1), yaw=(-np.pi, np.pi), rests=rests)
    seen = set()
    for seed in range(10):
        for pose in sample_poses(_with_spawn(task, place), {}, np.random.default_rng(seed)).values():
            lying = abs(pose.rotation.as_matrix()[2, 2]) < 1e-9
            assert pose.position[2] == pytest.approx(0.15 if lying else 0.12)
            # the turn about z comes after the tilt: what pointed along y points straight up now
            assert pose.rotation.as_matrix()[2] == pytest.approx(
                [0.0, float(lying), float(not lying)], abs=1e-9
            )
            seen.add(lying)
    assert seen == {True, False}


def _hull_gap(first: Array, second: Array) -> float:
    """Return the distance of two point clouds' hulls from above, by looking along all directions."""
    angles = np.linspace(0, 2 * np.pi, 720)
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    return float(((directions @ first.T).min(axis=1) - (directions @ second.T).max(axis=1)).max())


def _seen_from_above(task: TaskDescription, name: str, pose: Pose) -> Array:
    lower, upper = task.object(name).bounds.lower, task.object(name).bounds.upper
    corners = np.array(list(itertools.product(*zip(lower, upper, strict=True))))
    return pose.apply(corners)[:, :2]


@pytest.mark.parametrize("name", task_names())
@pytest.mark.parametrize("seed", range(5))
def test_crowded_scenes_find_room_for_all_and_a_finger_between(name: str, seed: int) -> None:
    task = load_task(name)
    outlines = {
        other: _seen_from_above(task, other, pose)
        for other, pose in sample_poses(task, {}, np.random.default_rng(seed)).items()
    }
    assert set(outlines) == {other for other, o in task.objects.items() if o.spawn}
    for first, second in itertools.combinations(outlines.values(), 2):
        assert _hull_gap(first, second) >= task.clearance - 1e-4


def test_objects_that_stay_keep_their_distance_too(task: TaskDescription) -> None:
    spot = Spawn(lower=(0.3, 0.2, 0.02), upper=(0.6, 0.4, 0.02))
    with pytest.raises(SpawnError):
        sample_poses(
            _with_spawn(task, spot), {"left_bin": Pose(np.array([0.45, 0.3, 0.0]))}, np.random.default_rng(0)
        )


def test_a_region_that_is_too_small_is_refused_with_what_to_do(task: TaskDescription) -> None:
    spot = Spawn(lower=(0.4, 0.0, 0.02), upper=(0.41, 0.01, 0.02))
    with pytest.raises(SpawnError, match="Widen the spawn regions or lower the clearance"):
        sample_poses(_with_spawn(task, spot), {}, np.random.default_rng(0))
