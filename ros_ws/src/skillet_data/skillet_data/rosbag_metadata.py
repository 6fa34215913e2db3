"""rosbag2's ``metadata.yaml``, version 9, and the same within the MCAP file.

Field for field what rosbag2 of Jazzy writes and reads (``rosbag2_storage/yaml.hpp`` and
``storage_interfaces`` of its sources are the reference).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from skillet_data.message_definitions import MessageDefinition

VERSION = 9
_NO_MESSAGE = 2**63 - 1
_Time = dict[str, int]


@dataclass(frozen=True)
class QosProfile:
    """A publisher's quality of service, in rosbag2's words. Durations are nanoseconds; None: infinite."""

    reliability: str = "reliable"
    durability: str = "volatile"
    history: str = "keep_last"
    depth: int = 10
    liveliness: str = "automatic"
    deadline: int | None = None
    lifespan: int | None = None
    lease: int | None = None

    def to_dict(self) -> dict[str, str | int | bool | _Time]:
        """Return the mapping that rosbag2 serialises."""
        return {
            "history": self.history,
            "depth": self.depth,
            "reliability": self.reliability,
            "durability": self.durability,
            "deadline": _time(self.deadline),
            "lifespan": _time(self.lifespan),
            "liveliness": self.liveliness,
            "liveliness_lease_duration": _time(self.lease),
            "avoid_ros_namespace_conventions": False,
        }


def _time(nanoseconds: int | None) -> _Time:
    # rmw's infinite duration is the largest int64, split into seconds and nanoseconds
    seconds, rest = divmod(_NO_MESSAGE if nanoseconds is None else nanoseconds, 1_000_000_000)
    return {"sec": seconds, "nsec": rest}


@dataclass
class TopicRecord:
    """One topic of a bag and how many messages it has so far."""

    name: str
    definition: MessageDefinition
    qos: tuple[QosProfile, ...] = ()
    count: int = field(default=0, init=False)


def qos_yaml(profiles: Sequence[QosProfile]) -> str:
    """Serialise offered profiles as rosbag2 puts them into an MCAP channel's metadata."""
    if not profiles:
        return ""
    return yaml.safe_dump([p.to_dict() for p in profiles], sort_keys=False).strip()


def bag_information(
    file: str,
    topics: Sequence[TopicRecord],
    span: tuple[int, int] | None,
    custom_data: Mapping[str, str],
    distribution: str,
) -> dict[str, object]:
    """Compose ``rosbag2_bagfile_information``.

    Args:
        file: name of the MCAP file in the bag's folder.
        topics: with their counts.
        span: log times of the first and the last message [ns]; None: there is no message.
        custom_data: free text-to-text map.
        distribution: ROS distribution, e.g. ``"jazzy"``.
    """
    start, duration = (span[0], span[1] - span[0]) if span else (_NO_MESSAGE, 0)
    count = sum(topic.count for topic in topics)
    times: dict[str, object] = {
        "duration": {"nanoseconds": duration},
        "starting_time": {"nanoseconds_since_epoch": start},
        "message_count": count,
    }
    return {
        "version": VERSION,
        "storage_identifier": "mcap",
        **times,
        "topics_with_message_count": [
            {
                "topic_metadata": {
                    "name": topic.name,
                    "type": topic.definition.name,
                    "serialization_format": "cdr",
                    "offered_qos_profiles": [p.to_dict() for p in topic.qos],
                    "type_description_hash": topic.definition.digest,
                },
                "message_count": topic.count,
            }
            for topic in topics
        ],
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [file],
        "files": [{"path": file, **times}],
        "custom_data": dict(custom_data),
        "ros_distro": distribution,
    }


class _Dumper(yaml.SafeDumper):
    """Repeats equal mappings in full: rosbag2's parser need not know YAML anchors."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def to_yaml(document: Mapping[str, object]) -> str:
    """Serialise without anchors, in the order given."""
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
