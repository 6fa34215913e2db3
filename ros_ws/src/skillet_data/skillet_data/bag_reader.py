"""Reads episodes: finished ones as rosbags, broken ones for as far as they go.

A recording whose process was killed has no index and may end in the middle of a record. Everything in
front of that is read all the same.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import yaml
from mcap.exceptions import McapError
from mcap.records import Channel, McapRecord, Message, Metadata, Schema
from mcap.stream_reader import StreamReader
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from skillet_data.episode import METADATA, EpisodeInfo
from skillet_data.episode_writer import HEAD_RECORD
from skillet_data.errors import EpisodeReadError


@dataclasses.dataclass(frozen=True)
class RawMessage:
    """One recorded message, still serialised; ``log_time`` is when it was received [ns]."""

    topic: str
    type: str
    log_time: int
    data: bytes


@dataclasses.dataclass(frozen=True)
class TopicSummary:
    """A topic's type and how often it was heard."""

    type: str
    count: int


class _Source(Protocol):
    """Where messages come from: a whole rosbag, or the readable part of a broken one."""

    custom_data: Mapping[str, str]
    topics: dict[str, TopicSummary]

    def messages(self, topics: Collection[str]) -> Iterator[RawMessage]:
        """Yield messages by log time."""

    def decode(self, message: RawMessage) -> Any:
        """Deserialise."""

    def close(self) -> None:
        """Close files."""


def _custom_data(document: object) -> dict[str, str]:
    match document:
        case {"rosbag2_bagfile_information": {"custom_data": {**entries}}}:
            return {str(key): str(value) for key, value in entries.items()}
        case _:
            return {}


class _Rosbag:
    """A whole rosbag2 folder, MCAP or SQLite."""

    def __init__(self, folder: Path) -> None:
        try:
            document = yaml.safe_load((folder / METADATA).read_text(encoding="utf-8"))
            self.custom_data: Mapping[str, str] = _custom_data(document)
            self._reader = AnyReader([folder])
            self._reader.open()
        except (AnyReaderError, yaml.YAMLError, OSError) as error:
            raise EpisodeReadError(f"{folder} cannot be read as a rosbag: {error}") from error
        self.topics = {
            name: TopicSummary(info.msgtype or "", info.msgcount)
            for name, info in self._reader.topics.items()
        }

    def messages(self, topics: Collection[str]) -> Iterator[RawMessage]:
        connections = [c for c in self._reader.connections if c.topic in topics]
        if not connections:
            return
        for connection, log_time, data in self._reader.messages(connections):
            yield RawMessage(connection.topic, connection.msgtype, log_time, bytes(data))

    def decode(self, message: RawMessage) -> Any:
        return self._reader.deserialize(message.data, message.type)

    def close(self) -> None:
        self._reader.close()


class _Fragment:
    """An MCAP file without an end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.custom_data: Mapping[str, str] = {}
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        counts: dict[int, int] = {}
        for record in self._records():
            if isinstance(record, Schema):
                self._schemas[record.id] = record
            elif isinstance(record, Channel):
                self._channels[record.id] = record
            elif isinstance(record, Metadata) and record.name == HEAD_RECORD:
                self.custom_data = record.metadata
            elif isinstance(record, Message):
                counts[record.channel_id] = counts.get(record.channel_id, 0) + 1
        self.topics = {
            channel.topic: TopicSummary(self._schemas[channel.schema_id].name, counts.get(key, 0))
            for key, channel in self._channels.items()
        }
        self._store = get_typestore(Stores.EMPTY)
        for schema in self._schemas.values():
            self._store.register(get_types_from_msg(schema.data.decode(), schema.name))

    def _records(self) -> Iterator[McapRecord]:
        with self._path.open("rb") as stream:
            try:
                yield from StreamReader(stream, validate_crcs=True).records
            except (McapError, struct.error, ValueError, RuntimeError):
                # here ends what can be read: a cut record, a cut chunk (RuntimeError is LZ4's), a wrong CRC
                return

    def messages(self, topics: Collection[str]) -> Iterator[RawMessage]:
        found = [
            (record.log_time, order, record)
            for order, record in enumerate(self._records())
            if isinstance(record, Message) and self._channels[record.channel_id].topic in topics
        ]
        for log_time, _, record in sorted(found, key=lambda item: item[:2]):
            channel = self._channels[record.channel_id]
            yield RawMessage(channel.topic, self._schemas[channel.schema_id].name, log_time, record.data)

    def decode(self, message: RawMessage) -> Any:
        return self._store.deserialize_cdr(message.data, message.type)

    def close(self) -> None:
        """Nothing stays open."""


class EpisodeReader:
    """An episode on disk. Use as a context manager.

    Attributes:
        path: its folder.
        whole: False: it was cut off, and only what could be recovered is here.
        topics: topic → type and count; names as recorded, with the leading slash.
    """

    def __init__(self, folder: Path) -> None:
        """Open an episode's folder, finished or partial.

        Raises:
            EpisodeReadError: there is nothing readable.
        """
        self.path, self.whole = folder, (folder / METADATA).is_file()
        self._source: _Source
        if self.whole:
            self._source = _Rosbag(folder)
        else:
            files = sorted(folder.glob("*.mcap"))
            if not files:
                raise EpisodeReadError(
                    f"{folder} is not an episode: it has neither {METADATA} nor an MCAP file"
                )
            self._source = _Fragment(files[0])
        self.topics = dict(self._source.topics)

    @property
    def info(self) -> EpisodeInfo:
        """What is known of the episode.

        Raises:
            EpisodeReadError: Skillet did not record it.
        """
        return EpisodeInfo.from_custom_data(self._source.custom_data)

    def find(self, name: str) -> str:
        """Return the recorded topic for a contract's relative name, whatever the namespace.

        Raises:
            EpisodeReadError: none or several; the message lists what there is.
        """
        found = [topic for topic in self.topics if topic == name or topic.endswith(f"/{name}")]
        if len(found) == 1:
            return found[0]
        listed = ", ".join(sorted(found or self.topics)) or "(nothing)"
        problem = f"has several topics {name!r}" if found else f"has no topic {name!r}"
        raise EpisodeReadError(f"{self.path.name} {problem}: {listed}")

    def messages(self, topics: Collection[str] | None = None) -> Iterator[RawMessage]:
        """Yield messages by log time, of these topics (names as recorded) or of all."""
        return self._source.messages(self.topics if topics is None else topics)

    def decode(self, message: RawMessage) -> Any:
        """Deserialise a message into an object with the message's fields."""
        return self._source.decode(message)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._source.close()
