from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader

from skillet_data.bag_reader import EpisodeReader
from skillet_data.episode import is_finished, list_episodes
from skillet_data.errors import RecordingError

from .conftest import JOINTS, START, TYPES, info, signals

SIGNALS = (
    (START, b"\x00\x01\x00\x00one"),
    (START + 10, b"\x00\x01\x00\x00two"),
)


def test_a_committed_episode_reads_back_byte_for_byte_with_rosbags(tmp_path, record, messages, robot):
    path = record(tmp_path, seconds=0.5)
    assert path == tmp_path / "20261121-030000-blocks"
    with AnyReader([path]) as reader:
        assert {c.topic: c.msgtype for c in reader.connections} == TYPES
        read = [(log_time, c.topic, bytes(data)) for c, log_time, data in reader.messages()]
        last = reader.deserialize(read[-1][2], TYPES[read[-1][1]])
        assert reader.topics[JOINTS].msgcount == 51
    assert sorted(read) == sorted(signals(messages, robot, 0.5))
    assert last.header.stamp.sec == 5


def test_mcaps_own_reader_finds_schemas_qos_and_the_same_metadata(tmp_path, record, messages):
    path = record(tmp_path, seconds=0.5)
    with (path / f"{path.name}_0.mcap").open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == "ros2"
        summary = reader.get_summary()
        by_topic = {channel.topic: channel for channel in summary.channels.values()}
        channel = by_topic[JOINTS]
        assert channel.message_encoding == "cdr"
        assert summary.schemas[channel.schema_id].encoding == "ros2msg"
        assert channel.metadata["topic_type_hash"] == messages.definition(TYPES[JOINTS]).digest
        assert yaml.safe_load(channel.metadata["offered_qos_profiles"])[0]["reliability"] == "reliable"
        assert sum(1 for _ in reader.iter_messages()) == summary.statistics.message_count == 124
        inside = {m.name: m.metadata for m in reader.iter_metadata()}
    document = yaml.safe_load((path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert yaml.safe_load(inside["rosbag2"]["serialized_metadata"]) == document


def test_metadata_has_what_rosbag2_of_jazzy_reads(tmp_path, record):
    path = record(tmp_path, seconds=0.5)
    text = (path / "metadata.yaml").read_text()
    document = yaml.safe_load(text)["rosbag2_bagfile_information"]
    assert document["version"] == 9
    assert document["storage_identifier"] == "mcap"
    assert document["relative_file_paths"] == [f"{path.name}_0.mcap"]
    assert document["starting_time"] == {"nanoseconds_since_epoch": START}
    assert document["duration"] == {"nanoseconds": 500_000_000}
    assert document["message_count"] == document["files"][0]["message_count"] == 124
    topic = document["topics_with_message_count"][0]["topic_metadata"]
    assert topic["serialization_format"] == "cdr"
    assert topic["offered_qos_profiles"][0]["deadline"] == {"sec": 9223372036, "nsec": 854775807}
    assert document["custom_data"]["task"] == "blocks"
    # every value is text: rosbag2 keeps a map of strings
    assert {type(value) for value in document["custom_data"].values()} == {str}
    assert "&" not in text.replace("&&", "")


def test_what_is_known_of_the_episode_survives(tmp_path, record):
    path = record(tmp_path, seconds=0.1, success=False)
    with EpisodeReader(path) as episode:
        assert episode.info == info("committed", success=False, reason="dropped")


def test_an_episode_without_messages_is_committed_and_read(tmp_path, open_writer):
    path = open_writer(tmp_path).commit(info("committed"))
    with EpisodeReader(path) as episode:
        assert list(episode.messages()) == []
    with AnyReader([path]) as reader:
        assert reader.message_count == 0


def test_until_committed_an_episode_is_partial_and_no_listing_shows_it(tmp_path, open_writer):
    writer = open_writer(tmp_path)
    writer.write(JOINTS, b"\x00\x01\x00\x00", START)
    assert writer.partial.name.endswith(".partial")
    assert list_episodes(tmp_path) == []
    writer.commit(info("committed"))
    assert list_episodes(tmp_path) == [writer.destination]
    assert not writer.partial.exists()


def test_an_aborted_episode_stays_partial_and_is_readable(tmp_path, open_writer):
    writer = open_writer(tmp_path)
    writer.write(JOINTS, b"\x00\x01\x00\x00", START)
    path = writer.abort(info("aborted", reason="simulator lost"))
    assert not is_finished(path)
    assert list_episodes(tmp_path) == []
    assert list_episodes(tmp_path, partial=True) == [path]
    with EpisodeReader(path) as episode:
        assert episode.info.state == "aborted"
        assert episode.info.outcome.reason == "simulator lost"
        assert len(list(episode.messages())) == 1


def test_discarding_leaves_nothing(tmp_path, open_writer):
    writer = open_writer(tmp_path)
    writer.write(JOINTS, b"\x00\x01\x00\x00", START)
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_episode_is_never_overwritten(tmp_path, record, open_writer):
    path = record(tmp_path, seconds=0.1)
    with pytest.raises(RecordingError, match="never overwritten"):
        open_writer(tmp_path, path.name)


KILLED = """
    import sys, os, time
    from pathlib import Path
    sys.path[:0] = {path!r}
    from skillet_data.episode import EpisodeInfo, EpisodeRequest
    from skillet_data.episode_writer import EpisodeWriter
    from skillet_data.message_definitions import message_definition
    from skillet_data.rosbag_metadata import TopicRecord

    topics = [TopicRecord("/s", message_definition("std_msgs/msg/String"))]
    info = EpisodeInfo(state="recording", request=EpisodeRequest(task="blocks", robot="ur5e", seed=7))
    writer = EpisodeWriter(Path({root!r}), "20261121-030000-blocks", topics, info)
    for k in range({count}):
        writer.write("/s", b"\\x00\\x01\\x00\\x00" + os.urandom({size}), k * 10_000_000)
"""


def run_writer(root: Path, *, count: int, size: int = 1000, end: str, **options):
    begin = textwrap.dedent(KILLED).format(path=sys.path, root=str(root), count=count, size=size)
    code = f"{begin}\n{textwrap.dedent(end)}"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, **options
    )


def test_after_sigkill_everything_up_to_the_last_second_is_readable(tmp_path):
    """The process dies in mid-write: no index, no metadata.yaml, an unflushed tail."""
    result = run_writer(tmp_path, count=777, end="os.kill(os.getpid(), 9)")
    assert result.returncode == -signal.SIGKILL
    assert list_episodes(tmp_path) == []
    (path,) = list_episodes(tmp_path, partial=True)
    with EpisodeReader(path) as episode:
        assert not episode.whole
        assert episode.info.state == "recording"
        assert episode.info.request.seed == 7
        times = [message.log_time for message in episode.messages()]
    assert times == [k * 10_000_000 for k in range(len(times))]
    assert times[-1] >= 7_760_000_000 - 1_000_000_000


@pytest.mark.parametrize("cut", [1, 100, 3000])
def test_a_file_that_ends_in_the_middle_of_a_record_is_read_up_to_there(tmp_path, cut):
    run_writer(tmp_path, count=777, end="os.kill(os.getpid(), 9)")
    (path,) = list_episodes(tmp_path, partial=True)
    (file,) = path.glob("*.mcap")
    os.truncate(file, file.stat().st_size - cut)
    with EpisodeReader(path) as episode:
        times = [message.log_time for message in episode.messages()]
    assert times == [k * 10_000_000 for k in range(len(times))]
    assert len(times) > 500


def limit_file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


FULL = """
from skillet_data.errors import RecordingError
try:
    writer.commit(info)
except RecordingError as error:
    print(error)
writer.abort(info)
"""


def test_when_no_more_can_be_written_it_says_so_and_what_was_written_is_readable(tmp_path):
    end = "raise SystemExit('written in full')"
    result = run_writer(tmp_path, count=777, end=end, preexec_fn=limit_file_size)
    assert "RecordingError: cannot write to the file" in result.stderr
    assert "File too large" in result.stderr
    (path,) = list_episodes(tmp_path, partial=True)
    with EpisodeReader(path) as episode:
        assert len(list(episode.messages())) > 20


def test_a_commit_that_does_not_fit_fails_and_leaves_a_partial_episode(tmp_path):
    # the messages fit into the limit, the index does not
    result = run_writer(tmp_path, count=40, size=4000, end=FULL, preexec_fn=lambda: limit_at(164_000))
    assert "cannot finish the file" in result.stdout, result.stderr
    assert list_episodes(tmp_path) == []
    (path,) = list_episodes(tmp_path, partial=True)
    assert not (path / "metadata.yaml").exists()


def limit_at(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_fails_the_episode_and_the_next_one_works(tmp_path, messages, open_writer):
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        writer = open_writer(mount, "20261121-030000-blocks")
        noise = os.urandom(100_000)

        def fill() -> None:
            for k in range(100):
                writer.write(JOINTS, noise, START + k * 100_000_000)

        with pytest.raises(RecordingError, match="No space left on device"):
            fill()
        path = writer.abort(info("aborted"))
        with EpisodeReader(path) as episode:
            assert len(list(episode.messages())) >= 5
        writer.discard()
        second = open_writer(mount, "20261121-030001-blocks")
        second.write(JOINTS, noise, START)
        assert is_finished(second.commit(info("committed")))
    finally:
        subprocess.run(["umount", str(mount)], check=True)
