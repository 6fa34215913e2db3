"""When an episode begins and ends: the recorder without ROS.

One episode at a time. It is kept, discarded, or, when its source falls silent, the disk fills or the
process ends, left as ``.partial`` with what was recorded.

Time comes in two kinds: log times are the ROS clock's [ns]; ``steady`` is a clock that goes on when the
simulator dies [s].
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skillet_data.episode import EpisodeInfo, EpisodeOutcome, EpisodeRequest, episode_name
from skillet_data.episode_writer import EpisodeWriter
from skillet_data.errors import RecordingError
from skillet_data.message_definitions import MessageDefinition
from skillet_data.rosbag_metadata import QosProfile, TopicRecord

_MEBI = 1 << 20


@dataclass(frozen=True)
class RecorderSettings:
    """How to record.

    Attributes:
        root: folder of the episodes.
        heartbeat: topic whose silence means that the robot or the simulator is lost.
        silence: longest silence of it [s].
        min_free: least free space on the disk [bytes].
        versions: software → version, written into each episode.
    """

    root: Path
    heartbeat: str
    silence: float
    min_free: int
    versions: Mapping[str, str]


class EpisodeRecorder:
    """Takes every message of the recorded topics, and writes those that belong to an episode."""

    def __init__(self, settings: RecorderSettings, latched: Sequence[str]) -> None:
        """Prepare; nothing is written before `start`.

        Args:
            settings: see there.
            latched: topics whose last message opens every episode.
        """
        self._settings = settings
        self._latched: dict[str, bytes | None] = dict.fromkeys(latched)
        self._heard: float | None = None
        self._writer: EpisodeWriter | None = None
        self._request: EpisodeRequest | None = None
        self._lost = ""

    @property
    def recording(self) -> bool:
        """Whether an episode is being written."""
        return self._writer is not None

    def start(
        self,
        request: EpisodeRequest,
        topics: Mapping[str, tuple[MessageDefinition, tuple[QosProfile, ...]]],
        stamp: dt.datetime,
        log_time: int,
        steady: float,
    ) -> Path:
        """Begin an episode; returns the folder that it will have.

        Args:
            request: what it is about.
            topics: recorded topic → type and what its publishers offer.
            stamp: wall time, for the name.
            log_time: ROS time now [ns].
            steady: steady time now [s].

        Raises:
            RecordingError: one is running, the heartbeat is silent, or the disk is too full.
        """
        if self._writer is not None:
            raise RecordingError(f"{self._writer.name} is being recorded; stop it first")
        self._lost = ""
        if not self._alive(steady):
            raise RecordingError(
                f"nothing is heard on {self._settings.heartbeat}. Is the robot or the simulator running?"
            )
        root = self._settings.root
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._require_space()
        except OSError as error:
            raise RecordingError(f"cannot record to {root}: {error.strerror}") from error
        name = episode_name(request.task, stamp, root)
        records = [TopicRecord(topic, definition, qos) for topic, (definition, qos) in topics.items()]
        self._request = request
        self._writer = EpisodeWriter(root, name, records, self._info("recording", EpisodeOutcome()))
        for topic, data in self._latched.items():
            if data is not None:
                self._write(topic, data, log_time)
        return self._writer.destination

    def receive(self, topic: str, data: bytes, log_time: int, steady: float) -> None:
        """Take one message, whether or not an episode is running.

        Raises:
            RecordingError: the disk failed; the episode was ended, and recording can begin anew.
        """
        if topic == self._settings.heartbeat:
            self._heard = steady
        if topic in self._latched:
            self._latched[topic] = data
        if self._writer is not None:
            self._write(topic, data, log_time)

    def tick(self, steady: float) -> None:
        """Look after a running episode; call about twice a second.

        Raises:
            RecordingError: the heartbeat fell silent, or the disk is full; the episode was ended.
        """
        if self._writer is None:
            return
        if not self._alive(steady):
            reason = f"nothing was heard on {self._settings.heartbeat} for {self._silence(steady):.2f} s"
            self._abort(reason)
            raise RecordingError(reason)
        try:
            self._require_space()
            self._writer.flush()
        except RecordingError as error:
            self._abort(str(error))
            raise

    def stop(self, outcome: EpisodeOutcome, steady: float, *, keep: bool) -> Path | None:
        """End the episode; returns its folder, or None when it was discarded.

        Raises:
            RecordingError: none is running, or the running one was or is now lost; says why.
        """
        if self._writer is None:
            raise RecordingError(self._lost or "no episode is being recorded")
        writer = self._writer
        if not keep:
            self._writer = None
            writer.discard()
            return None
        # whoever asks may have noticed the silence a little earlier than `tick` would
        if self._silence(steady) > self._settings.silence / 2:
            self._abort(outcome.reason or f"{self._settings.heartbeat} fell silent", outcome)
            raise RecordingError(
                f"{self._settings.heartbeat} is silent, so the episode stays unfinished in {writer.partial}"
            )
        try:
            path = writer.commit(self._info("committed", outcome))
        except RecordingError as error:
            self._abort(str(error), outcome)
            raise
        self._writer = None
        return path

    def close(self, reason: str) -> None:
        """Leave a running episode as partial, because the recorder ends."""
        if self._writer is not None:
            self._abort(reason)

    def _write(self, topic: str, data: bytes, log_time: int) -> None:
        assert self._writer is not None  # noqa: S101  (callers have looked)
        try:
            self._writer.write(topic, data, log_time)
        except RecordingError as error:
            self._abort(str(error))
            raise

    def _abort(self, reason: str, outcome: EpisodeOutcome | None = None) -> None:
        writer, self._writer = self._writer, None
        assert writer is not None  # noqa: S101  (callers have looked)
        report = "" if outcome is None else outcome.report
        lost = EpisodeOutcome(success=False, reason=reason, report=report)
        folder = writer.abort(self._info("aborted", lost))
        self._lost = f"the episode was not finished: {reason}. What was recorded is in {folder}"

    def _info(self, state: str, outcome: EpisodeOutcome) -> EpisodeInfo:
        return EpisodeInfo.model_validate(
            {
                "state": state,
                "request": self._request,
                "outcome": outcome,
                "versions": self._settings.versions,
            }
        )

    def _silence(self, steady: float) -> float:
        return float("inf") if self._heard is None else steady - self._heard

    def _alive(self, steady: float) -> bool:
        return self._silence(steady) <= self._settings.silence

    def _require_space(self) -> None:
        free = shutil.disk_usage(self._settings.root).free
        if free < self._settings.min_free:
            raise RecordingError(
                f"the disk of {self._settings.root} is full: {free // _MEBI} MiB are free, and recording "
                f"needs {self._settings.min_free // _MEBI} MiB. Delete old episodes or record elsewhere"
            )
