"""A `PolicySpec` as columns to compute from an episode: which topic, when, and by which function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from skillet_core.cdr import header_stamp
from skillet_core.policy_spec import (
    GripperObservation,
    ImageObservation,
    JointObservation,
    Observation,
    PolicySpec,
)
from skillet_core.robot import RobotDescription
from skillet_data import observations as obs
from skillet_data.bag_reader import EpisodeReader
from skillet_data.errors import ConversionError
from skillet_data.resampling import SECOND, Timeline, Times, grid, latest

Array = npt.NDArray[Any]
Decode = Callable[[Any], Array]


@dataclass(frozen=True)
class Part:
    """One message's contribution to a row.

    Attributes:
        topic: as recorded.
        offset: taken this long after the row's time [ns].
        max_age: of the message then [s].
        decode: message to array.
    """

    topic: str
    offset: int
    max_age: float
    decode: Decode


@dataclass(frozen=True)
class Column:
    """A key of the data set: the parts' arrays, joined end to end."""

    key: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class EpisodeRows:
    """An episode at the spec's rate.

    Attributes:
        times: of the rows, shape (n,) [ns], the recording's clock.
        data: key → array, time first.
        ages: key → age of the oldest message in each row, shape (n,) [s].
    """

    times: Times
    data: dict[str, Array] = field(default_factory=dict)
    ages: dict[str, Array] = field(default_factory=dict)


def _observe(observation: Observation, robot: RobotDescription) -> Decode:
    match observation:
        case JointObservation(kind="joint_positions"):
            return lambda message: obs.joint_positions(message, robot)
        case JointObservation():
            return lambda message: obs.joint_velocities(message, robot)
        case GripperObservation():
            return lambda message: obs.gripper_opening(message, robot)
        case ImageObservation(kind="color", size=size):
            return lambda message: obs.color_image(message, size)
        case ImageObservation(size=size):
            return lambda message: obs.depth_image(message, size)


def columns_of(spec: PolicySpec, robot: RobotDescription, find: Callable[[str], str]) -> list[Column]:
    """Lay a spec out as columns.

    Args:
        spec: the policy's.
        robot: whose joints are meant.
        find: relative topic name → name as recorded; raises what it likes when there is none.
    """
    columns = [
        Column(o.key, (Part(find(o.topic), 0, o.max_age, _observe(o, robot)),)) for o in spec.observations
    ]
    action, offset = spec.action, round(spec.action_offset * SECOND)
    arm = Part(find(action.topic), offset, action.max_age, lambda m: obs.joint_reference(m, robot))
    gripper = Part(
        find(action.gripper_topic), offset, action.max_age, lambda m: obs.gripper_opening(m, robot)
    )
    return [*columns, Column(action.key, (arm, gripper))]


def _timelines(episode: EpisodeReader, topics: set[str]) -> dict[str, Timeline]:
    measured: dict[str, list[int]] = {topic: [] for topic in sorted(topics)}
    for message in episode.messages(topics):
        # a stamp of zero means that the sender gave none
        measured[message.topic].append(header_stamp(message.data) or message.log_time)
    return {topic: Timeline.of(topic, times) for topic, times in measured.items()}


def resample(episode: EpisodeReader, spec: PolicySpec, robot: RobotDescription) -> EpisodeRows:
    """Compute an episode's rows.

    Raises:
        EpisodeReadError: a topic is missing.
        ConversionError: a topic is silent, late or stale; a message does not fit.
    """
    columns = columns_of(spec, robot, episode.find)
    lines = _timelines(episode, {part.topic for column in columns for part in column.parts})
    furthest = max(part.offset for column in columns for part in column.parts)
    rows = EpisodeRows(grid(list(lines.values()), spec.rate, furthest, spec.startup))
    wanted: dict[str, dict[int, list[tuple[int, int, int]]]] = {topic: {} for topic in lines}
    for number, column in enumerate(columns):
        ages = []
        for place, part in enumerate(column.parts):
            index, age = latest(lines[part.topic], rows.times + part.offset, part.max_age)
            ages.append(age)
            for row, message in enumerate(index):
                wanted[part.topic].setdefault(int(message), []).append((number, place, row))
        rows.ages[column.key] = np.max(ages, axis=0)
    cells = _decode(episode, columns, wanted, len(rows.times))
    for column, parts in zip(columns, cells, strict=True):
        rows.data[column.key] = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    return rows


def _decode(
    episode: EpisodeReader,
    columns: list[Column],
    wanted: dict[str, dict[int, list[tuple[int, int, int]]]],
    count: int,
) -> list[list[Array]]:
    """Decode each wanted message once, straight into its rows: column → part → (count, …)."""
    cells: list[list[Array | None]] = [[None] * len(column.parts) for column in columns]
    seen = dict.fromkeys(wanted, -1)
    for raw in episode.messages(wanted.keys()):
        seen[raw.topic] += 1
        places = wanted[raw.topic].get(seen[raw.topic])
        if not places:
            continue
        message = episode.decode(raw)
        values: dict[tuple[int, int], Array] = {}
        for number, place, row in places:
            if (number, place) not in values:
                values[number, place] = columns[number].parts[place].decode(message)
            value = values[number, place]
            cell = cells[number][place]
            if cell is None:
                cell = cells[number][place] = np.empty((count, *value.shape), value.dtype)
            elif cell.shape[1:] != value.shape:
                raise ConversionError(
                    f"{raw.topic}: the shape changed from {cell.shape[1:]} to {value.shape}"
                )
            cell[row] = value
    return [[part for part in parts if part is not None] for parts in cells]
