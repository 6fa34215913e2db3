from __future__ import annotations

import datetime as dt

import pytest

from skillet_data.bag_reader import EpisodeReader
from skillet_data.episode import EpisodeOutcome, EpisodeRequest, list_episodes
from skillet_data.errors import RecordingError
from skillet_data.recorder import EpisodeRecorder, RecorderSettings

from .conftest import FRONT, JOINTS, TYPES

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
REQUEST = EpisodeRequest(task="blocks", robot="ur5e", seed=7)
LATCHED = "/robot_description"
MESSAGE = b"\x00\x01\x00\x00"


@pytest.fixture
def make(tmp_path, messages):
    def make(min_free: int = 0) -> tuple[EpisodeRecorder, dict]:
        settings = RecorderSettings(
            tmp_path, JOINTS, silence=0.5, min_free=min_free, versions={"skillet": "1"}
        )
        types = {JOINTS: TYPES[JOINTS], FRONT: TYPES[FRONT], LATCHED: "std_msgs/msg/String"}
        topics = {name: (messages.definition(type_), ()) for name, type_ in types.items()}
        return EpisodeRecorder(settings, [LATCHED]), topics

    return make


def begin(recorder, topics, steady: float = 0.0) -> None:
    recorder.receive(JOINTS, MESSAGE, 0, steady)
    recorder.start(REQUEST, topics, NOON, 1000, steady)


def test_only_what_comes_between_start_and_stop_is_kept(tmp_path, make):
    recorder, topics = make()
    begin(recorder, topics)
    recorder.receive(JOINTS, MESSAGE, 2000, 0.1)
    path = recorder.stop(EpisodeOutcome(success=True), 0.1, keep=True)
    recorder.receive(JOINTS, MESSAGE, 3000, 0.2)
    assert path == tmp_path / "20261121-120000-blocks"
    with EpisodeReader(path) as episode:
        assert [m.log_time for m in episode.messages()] == [2000]
        assert episode.info.outcome.success
        assert episode.info.versions == {"skillet": "1"}


def test_a_latched_message_from_before_opens_every_episode(make):
    recorder, topics = make()
    recorder.receive(LATCHED, b"\x00\x01\x00\x00old", 0, 0.0)
    recorder.receive(LATCHED, b"\x00\x01\x00\x00new", 0, 0.0)
    paths = []
    for _ in range(2):
        begin(recorder, topics)
        paths.append(recorder.stop(EpisodeOutcome(), 0.0, keep=True))
    assert paths[0] != paths[1]
    for path in paths:
        with EpisodeReader(path) as episode:
            assert [(m.log_time, m.data) for m in episode.messages([LATCHED])] == [
                (1000, b"\x00\x01\x00\x00new")
            ]


def test_discarding_leaves_nothing(tmp_path, make):
    recorder, topics = make()
    begin(recorder, topics)
    assert recorder.stop(EpisodeOutcome(), 0.0, keep=False) is None
    assert list(tmp_path.iterdir()) == []
    assert not recorder.recording


def test_a_silent_heartbeat_ends_the_episode_as_partial(tmp_path, make):
    recorder, topics = make()
    begin(recorder, topics)
    recorder.receive(JOINTS, MESSAGE, 2000, 1.0)
    recorder.receive(FRONT, MESSAGE, 2001, 1.4)
    recorder.tick(1.4)
    with pytest.raises(RecordingError, match=f"nothing was heard on {JOINTS} for 0.60 s"):
        recorder.tick(1.6)
    assert list_episodes(tmp_path) == []
    (path,) = list_episodes(tmp_path, partial=True)
    with EpisodeReader(path) as episode:
        assert len(list(episode.messages())) == 2
        assert episode.info.state == "aborted"
    with pytest.raises(RecordingError, match=r"not finished: nothing was heard on .*\.partial"):
        recorder.stop(EpisodeOutcome(success=True), 2.0, keep=True)


def test_stopping_an_episode_whose_source_just_fell_silent_does_not_commit_it(tmp_path, make):
    """The planner may notice the loss before the recorder does."""
    recorder, topics = make()
    begin(recorder, topics)
    with pytest.raises(RecordingError, match="is silent, so the episode stays unfinished"):
        recorder.stop(EpisodeOutcome(reason="simulator lost", report="{}"), 0.4, keep=True)
    assert list_episodes(tmp_path) == []
    (path,) = list_episodes(tmp_path, partial=True)
    with EpisodeReader(path) as episode:
        assert (episode.info.outcome.reason, episode.info.outcome.report) == ("simulator lost", "{}")


def test_without_a_heartbeat_recording_does_not_begin(tmp_path, make):
    recorder, topics = make()
    with pytest.raises(RecordingError, match=f"nothing is heard on {JOINTS}"):
        recorder.start(REQUEST, topics, NOON, 0, 0.0)
    assert list(tmp_path.iterdir()) == []


def test_a_second_start_is_refused_and_the_first_episode_goes_on(make):
    recorder, topics = make()
    begin(recorder, topics)
    with pytest.raises(RecordingError, match="is being recorded"):
        begin(recorder, topics)
    assert recorder.stop(EpisodeOutcome(), 0.0, keep=True).exists()


def test_stopping_nothing_is_an_error(make):
    recorder, _ = make()
    with pytest.raises(RecordingError, match="no episode"):
        recorder.stop(EpisodeOutcome(), 0.0, keep=True)


def test_too_little_space_is_refused_before_anything_is_written(tmp_path, make):
    recorder, topics = make(min_free=1 << 60)
    with pytest.raises(RecordingError, match=r"is full: \d+ MiB are free"):
        begin(recorder, topics)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_ends_the_episode_and_the_next_one_works(tmp_path, make, monkeypatch):
    recorder, topics = make(min_free=100)
    begin(recorder, topics)
    with monkeypatch.context() as patch:
        patch.setattr("skillet_data.recorder.shutil.disk_usage", lambda _: type("Usage", (), {"free": 50}))
        with pytest.raises(RecordingError, match="is full"):
            recorder.tick(0.1)
    assert list_episodes(tmp_path) == []
    begin(recorder, topics, steady=1.0)
    assert recorder.stop(EpisodeOutcome(), 1.0, keep=True).exists()


def test_ending_the_recorder_leaves_a_partial_episode(tmp_path, make):
    recorder, topics = make()
    begin(recorder, topics)
    recorder.close("the recorder was stopped")
    recorder.close("the recorder was stopped")
    (path,) = list_episodes(tmp_path, partial=True)
    with EpisodeReader(path) as episode:
        assert episode.info.outcome.reason == "the recorder was stopped"
