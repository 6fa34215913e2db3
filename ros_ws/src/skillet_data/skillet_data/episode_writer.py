"""Writes one episode: raw serialised messages in, a rosbag2 folder out, whole or not at all.

The bag grows in ``<name>.partial/`` in chunks that are closed at least every half second, so that what
was recorded up to then is readable even after SIGKILL (see `skillet_data.bag_reader`). Committing
finishes the index, syncs to disk and renames the folder.

``log_time`` is when the recorder received the message, in the ROS clock (simulation time in simulation),
[ns]; ``publish_time`` is the same unless the caller knows better.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from mcap.writer import CompressionType, Writer

from skillet_data.episode import METADATA, PARTIAL, EpisodeInfo
from skillet_data.errors import RecordingError
from skillet_data.rosbag_metadata import TopicRecord, bag_information, qos_yaml, to_yaml

FLUSH_PERIOD_NS = 500_000_000
"""Longest log time that an open chunk spans [ns]."""
HEAD_RECORD = "skillet"
"""Name of the MCAP metadata record that says what the episode is before it is finished."""
_CHUNK_BYTES = 1 << 20
_DISTRIBUTION = "jazzy"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class EpisodeWriter:
    """An episode being written. End it with exactly one of `commit`, `abort` and `discard`."""

    def __init__(self, root: Path, name: str, topics: Sequence[TopicRecord], info: EpisodeInfo) -> None:
        """Create the folder and the file.

        Args:
            root: where episodes go; made when missing.
            name: of the episode, free in ``root``.
            topics: everything that may be written.
            info: what is known by now; stands at the head of the file, for recovery.

        Raises:
            RecordingError: the folder cannot be made, or is there already.
        """
        self.name, self._root = name, root
        self._folder = root / f"{name}{PARTIAL}"
        self._topics = {topic.name: topic for topic in topics}
        self._span: tuple[int, int] | None = None
        self._chunk_start: int | None = None
        self._failure: str | None = None
        if self.destination.exists():
            raise RecordingError(f"{self.destination} exists already; episodes are never overwritten")
        try:
            self._folder.mkdir(parents=True)
            self._stream: BinaryIO = self._path.open("xb")
        except OSError as error:
            raise RecordingError(f"cannot record to {self._folder}: {error.strerror}") from error
        # LZ4: a tenth of zstd's processor time on camera images, and every rosbag2 reads it
        self._writer = Writer(self._stream, chunk_size=_CHUNK_BYTES, compression=CompressionType.LZ4)
        self._channels: dict[str, int] = {}
        with self._failing("begin the file"):
            self._writer.start(profile="ros2", library="skillet")
            self._register()
            self._writer.add_metadata(HEAD_RECORD, info.to_custom_data())
            self._stream.flush()

    @property
    def destination(self) -> Path:
        """Where the episode will be once committed."""
        return self._root / self.name

    @property
    def partial(self) -> Path:
        """Where the episode is until then."""
        return self._folder

    @property
    def _path(self) -> Path:
        return self._folder / f"{self.name}_0.mcap"

    def _register(self) -> None:
        schemas: dict[str, int] = {}
        for topic in self._topics.values():
            definition = topic.definition
            if definition.name not in schemas:
                schemas[definition.name] = self._writer.register_schema(
                    definition.name, "ros2msg", definition.text.encode()
                )
            self._channels[topic.name] = self._writer.register_channel(
                topic.name,
                "cdr",
                schemas[definition.name],
                {"offered_qos_profiles": qos_yaml(topic.qos), "topic_type_hash": definition.digest},
            )

    @contextlib.contextmanager
    def _failing(self, doing: str) -> Iterator[None]:
        """Turn an operating system's error into one that says so; nothing is written after it."""
        if self._failure is not None:
            raise RecordingError(self._failure)
        try:
            yield
        except OSError as error:
            self._failure = f"cannot {doing} of {self._folder}: {error.strerror}"
            # closing tries to write what is buffered once more, and closes even where that fails
            with contextlib.suppress(OSError):
                self._stream.close()
            raise RecordingError(self._failure) from error

    def write(self, topic: str, data: bytes, log_time: int, publish_time: int | None = None) -> None:
        """Append one message.

        Args:
            topic: one of those given at the start.
            data: the CDR bytes as they came over the wire.
            log_time: when it was received, ROS clock [ns].
            publish_time: when it was sent [ns]; None: the same.

        Raises:
            RecordingError: the disk is full or fails; only `abort` and `discard` are left.
        """
        with self._failing("write to the file"):
            self._writer.add_message(
                self._channels[topic], log_time, data, log_time if publish_time is None else publish_time
            )
            self._topics[topic].count += 1
            first, last = self._span or (log_time, log_time)
            self._span = (min(first, log_time), max(last, log_time))
            if self._chunk_start is None:
                self._chunk_start = log_time
            # a clock that jumps back must not keep a chunk open
            if abs(log_time - self._chunk_start) >= FLUSH_PERIOD_NS:
                self._flush()

    def _flush(self) -> None:
        self._writer.flush()  # type: ignore[no-untyped-call]  # mcap leaves it bare
        self._chunk_start = None

    def flush(self) -> None:
        """Close the open chunk, so that every message so far survives the process.

        Raises:
            RecordingError: the disk is full or fails.
        """
        with self._failing("write to the file"):
            self._flush()

    def _finish(self, info: EpisodeInfo) -> None:
        information = bag_information(
            self._path.name, tuple(self._topics.values()), self._span, info.to_custom_data(), _DISTRIBUTION
        )
        self._writer.add_metadata("rosbag2", {"serialized_metadata": to_yaml(information)})
        self._writer.finish()  # type: ignore[no-untyped-call]  # mcap leaves it bare
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        metadata = self._folder / METADATA
        metadata.write_text(to_yaml({"rosbag2_bagfile_information": information}), encoding="utf-8")
        _sync(metadata)
        _sync(self._folder)

    def commit(self, info: EpisodeInfo) -> Path:
        """Finish the episode and give it its final name; returns that folder.

        Raises:
            RecordingError: the disk is full or fails; the episode stays partial.
        """
        with self._failing("finish the file"):
            self._finish(info)
            self._folder.rename(self.destination)
            _sync(self._root)
        return self.destination

    def abort(self, info: EpisodeInfo) -> Path:
        """Close what there is as readable as possible, keeping the partial name; returns that folder.

        Works after a failed write too: then the file has no index, and `bag_reader` recovers it.
        """
        if self._failure is None:
            with contextlib.suppress(RecordingError), self._failing("finish the file"):
                self._finish(info)
        return self._folder

    def discard(self) -> None:
        """Delete what was written."""
        with contextlib.suppress(OSError):
            self._stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)
