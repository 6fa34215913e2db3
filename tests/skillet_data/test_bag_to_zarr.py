from __future__ import annotations

import numpy as np
import pytest
import zarr

from skillet_core.policy_spec import PolicySpec
from skillet_data.bag_to_zarr import convert
from skillet_data.errors import ConversionError

from .conftest import DEPTH, FRONT, JOINTS, START, STATE, info, position, signals

SPEC = {
    "name": "test",
    "rate": 10.0,
    "observations": [
        {"kind": "joint_positions", "key": "joint_positions"},
        {"kind": "joint_velocities", "key": "joint_velocities"},
        {"kind": "gripper_opening", "key": "gripper"},
        {"kind": "color", "key": "front", "camera": "front", "size": [8, 4]},
        {"kind": "depth", "key": "depth", "camera": "front"},
    ],
}


def spec(**changes) -> PolicySpec:
    return PolicySpec.model_validate(SPEC | changes)


def test_values_are_exact_against_known_signals(tmp_path, record, robot):
    path = record(tmp_path / "episodes", seconds=2.0)
    report = convert([path], spec(), tmp_path / "set.zarr")
    data = zarr.open_group(tmp_path / "set.zarr", mode="r")
    # rows at 0.0 … 1.9 s: the action of a row is due 0.1 s after it, and the signals end at 2.0 s
    assert report.rows == {path: 20}
    joints = len(robot.joint_names)
    times = np.arange(20) / 10
    expected = np.array([[position(j, t) for j in range(joints)] for t in times], np.float32)
    np.testing.assert_array_equal(data["data/joint_positions"][:], expected)
    np.testing.assert_array_equal(data["data/joint_velocities"][:], expected)
    action = np.array([[position(j, t + 0.1) + 100 for j in range(joints)] for t in times], np.float32)
    np.testing.assert_array_equal(data["data/action"][:, :joints], action)
    np.testing.assert_array_equal(data["data/action"][:, joints], np.float32(robot.gripper.opening(0.0)))
    # a picture every 0.05 s, numbered from one; blocks of 2 x 2 pixels average to that number
    numbers = np.arange(20) * 2 + 1
    assert data["data/front"].shape == (20, 4, 8, 3)
    np.testing.assert_array_equal(
        data["data/front"][:], np.broadcast_to(numbers[:, None, None, None], (20, 4, 8, 3))
    )
    np.testing.assert_array_equal(data["data/depth"][:, 0, 0], 999 + numbers)
    assert (data["data/front"].dtype, data["data/depth"].dtype) == (np.uint8, np.uint16)
    np.testing.assert_array_equal(data["meta/time"][:], START + np.arange(20) * 100_000_000)


def test_the_newest_message_measured_at_or_before_a_row_is_taken_and_its_age_is_kept(tmp_path, record):
    path = record(tmp_path / "episodes", seconds=1.0, rates={FRONT: 8.0, DEPTH: 0})
    observations = [{"kind": "color", "key": "front", "camera": "front"}]
    convert([path], spec(observations=observations), tmp_path / "set.zarr")
    data = zarr.open_group(tmp_path / "set.zarr", mode="r")
    # pictures at 0, 0.125, 0.25 … s, numbered from one; this pixel is one darker than its number
    assert data["data/front"][:, 1, 1, 0].tolist() == [n - 1 for n in (1, 1, 2, 3, 4, 5, 5, 6, 7, 8)]
    np.testing.assert_allclose(data["age/front"][:5], [0, 0.1, 0.075, 0.05, 0.025], atol=1e-6)


def test_a_recorder_that_hesitates_does_not_change_the_rows(tmp_path, messages, robot, open_writer):
    """Messages come up to 0.3 s late, and streams out of step; their stamps say when they were measured."""
    writer = open_writer(tmp_path / "episodes")
    late = {JOINTS: 0, STATE: 100_000_000, FRONT: 300_000_000, DEPTH: 50_000_000}
    for stamp, topic, data in signals(messages, robot, 2.0):
        hesitation = late[topic] if stamp % 1_000_000_000 > 500_000_000 else 0
        writer.write(topic, data, stamp + hesitation)
    hesitant = writer.commit(info("committed", success=True))
    prompt = open_writer(tmp_path / "others")
    for stamp, topic, data in signals(messages, robot, 2.0):
        prompt.write(topic, data, stamp)
    convert([hesitant], spec(), tmp_path / "a.zarr")
    convert([prompt.commit(info("committed", success=True))], spec(), tmp_path / "b.zarr")
    a, b = (zarr.open_group(tmp_path / name, mode="r") for name in ("a.zarr", "b.zarr"))
    for key in ("joint_positions", "front", "depth", "action"):
        np.testing.assert_array_equal(a[f"data/{key}"][:], b[f"data/{key}"][:])


def test_episode_ends_count_rows_and_pass_over_shards(tmp_path, record):
    """130 + 80 rows do not fill shards of 100 evenly."""
    root = tmp_path / "episodes"
    paths = [record(root, seconds=13.0), record(root, seconds=8.0)]
    report = convert(paths, spec(), tmp_path / "set.zarr")
    data = zarr.open_group(tmp_path / "set.zarr", mode="r")
    assert list(report.rows.values()) == [130, 80]
    ends = data["meta/episode_ends"]
    assert ends[:].tolist() == [130, 210]
    assert ends.dtype == np.int64
    assert {array.shape[0] for _, array in data["data"].arrays()} == {210}
    assert data["data/front"].shards[0] == 100
    assert data["data/front"].chunks[0] == 1
    expected = (np.arange(80) / 40).astype(np.float32)
    np.testing.assert_array_equal(data["data/joint_positions"][130:, 0], expected)
    # picture 259 is drawn as 9
    assert data["data/front"][[129, 130, 209], 0, 0, 0].tolist() == [9, 1, 2 * 79 + 1]


def test_attributes_tell_the_spec_and_where_the_rows_come_from(tmp_path, record):
    path = record(tmp_path / "episodes", seconds=1.0)
    convert([path], spec(), tmp_path / "set.zarr")
    attributes = dict(zarr.open_group(tmp_path / "set.zarr", mode="r").attrs)
    assert PolicySpec.model_validate(attributes["spec"]) == spec()
    (source,) = attributes["episodes"]
    assert (source["source"], source["rows"], source["request"]["seed"]) == (path.name, 10, 7)
    assert source["request"]["instruction"] == "put the red block in the left bin"


@pytest.mark.parametrize("topic", [JOINTS, STATE, FRONT, DEPTH])
def test_a_missing_stream_excludes_the_episode_and_is_named(tmp_path, record, topic):
    root = tmp_path / "episodes"
    good, bad = record(root, seconds=1.0), record(root, seconds=1.0, rates={topic: 0})
    report = convert([bad, good], spec(), tmp_path / "set.zarr")
    assert list(report.rows) == [good]
    (excluded,) = report.excluded
    assert excluded.episode == bad
    assert topic in excluded.reason


def test_a_topic_that_was_not_recorded_at_all_is_named_with_those_that_were(tmp_path, record):
    path = record(tmp_path / "episodes", seconds=1.0)
    wrist = [{"kind": "color", "key": "wrist", "camera": "wrist"}]
    with pytest.raises(ConversionError, match=r"camera/wrist/color/image_raw.*: .*/joint_states"):
        convert([path], spec(observations=wrist), tmp_path / "set.zarr")


def test_a_gap_in_a_stream_is_an_error_that_names_stream_and_age(tmp_path, record):
    def keep(sample):
        return sample[1] != FRONT or not START + 500_000_000 < sample[0] < START + 1_000_000_000

    path = record(tmp_path / "episodes", seconds=2.0, keep=keep)
    with pytest.raises(ConversionError, match=rf"{FRONT}: 0.800 s .* is 0.300 s old \(at most 0.250 s\)"):
        convert([path], spec(), tmp_path / "set.zarr")


def test_a_stream_that_dies_before_the_end_is_not_cut_short_silently(tmp_path, record):
    path = record(
        tmp_path / "episodes", seconds=2.0, keep=lambda s: s[1] != FRONT or s[0] < START + 1_000_000_000
    )
    with pytest.raises(ConversionError, match=f"{FRONT}: .* old"):
        convert([path], spec(), tmp_path / "set.zarr")


def test_a_stream_that_begins_too_late_is_an_error(tmp_path, record):
    path = record(
        tmp_path / "episodes", seconds=4.0, keep=lambda s: s[1] != FRONT or s[0] > START + 3_000_000_000
    )
    with pytest.raises(ConversionError, match=f"{FRONT}: its first message was measured 3.050 s after"):
        convert([path], spec(), tmp_path / "set.zarr")


def test_a_size_that_does_not_divide_the_cameras_is_refused(tmp_path, record):
    path = record(tmp_path / "episodes", seconds=1.0)
    observations = [{"kind": "color", "key": "front", "camera": "front", "size": [7, 4]}]
    with pytest.raises(ConversionError, match="16x8 images cannot become 7x4"):
        convert([path], spec(observations=observations), tmp_path / "set.zarr")


def test_failed_episodes_are_left_out_unless_asked_for(tmp_path, record):
    root = tmp_path / "episodes"
    good, failed = record(root, seconds=1.0), record(root, seconds=1.0, success=False)
    report = convert([good, failed], spec(), tmp_path / "a.zarr")
    assert list(report.rows) == [good]
    assert "its task failed: dropped" in report.excluded[0].reason
    assert list(convert([good, failed], spec(), tmp_path / "b.zarr", failed=True).rows) == [good, failed]


def test_partial_episodes_are_left_out_unless_asked_for(tmp_path, messages, robot, open_writer):
    writer = open_writer(tmp_path / "episodes")
    for log_time, topic, data in signals(messages, robot, 2.0):
        writer.write(topic, data, log_time)
    path = writer.abort(info("aborted", reason="lost"))
    with pytest.raises(ConversionError, match="never finished"):
        convert([path], spec(), tmp_path / "a.zarr")
    assert convert([path], spec(), tmp_path / "b.zarr", partial=True).rows == {path: 20}


def test_a_data_set_appears_whole_or_not_at_all_and_is_never_overwritten(tmp_path, record):
    path = record(tmp_path / "episodes", seconds=1.0, rates={FRONT: 0})
    with pytest.raises(ConversionError, match="no episode could be converted"):
        convert([path], spec(), tmp_path / "set.zarr")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["episodes"]
    (tmp_path / "set.zarr").mkdir()
    with pytest.raises(ConversionError, match="exists already"):
        convert([path], spec(), tmp_path / "set.zarr")


def test_an_offset_of_zero_takes_the_action_at_the_rows_own_time(tmp_path, record):
    path = record(tmp_path / "episodes", seconds=1.0)
    convert([path], spec(action={"offset": 0.0}), tmp_path / "set.zarr")
    action = zarr.open_group(tmp_path / "set.zarr", mode="r")["data/action"][:, 0]
    assert action.tolist() == pytest.approx([100 + t / 40 for t in range(11)])
