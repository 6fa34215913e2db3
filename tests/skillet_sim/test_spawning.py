"""Objects spawn where the task allows it, apart from each other."""

from __future__ import annotations

import numpy as np
import pytest

from skillet_core.geometry import Pose
from skillet_core.scene import Spawn, TaskDescription, load_task
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
