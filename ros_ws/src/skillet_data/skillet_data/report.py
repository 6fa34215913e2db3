"""An episode as a page: the task tree, the videos, the joints against their limits, the bag's content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from skillet_core import contract
from skillet_core.robot import RobotDescription
from skillet_core.task_tree import NodeReport, TaskReport
from skillet_data.bag_reader import EpisodeReader
from skillet_data.errors import EpisodeReadError
from skillet_data.joint_plot import JointSeries, joint_plot_svg
from skillet_data.observations import color_image, joint_positions, joint_velocities
from skillet_data.video import write_video

_EVENT_STARTED, _EVENT_ENDED = 0, 1
"""EpisodeEvent.SUBTASK_STARTED and SUBTASK_ENDED."""


@dataclass(frozen=True)
class Video:
    """A camera's recording beside the report."""

    camera: str
    file: str
    frames: int
    rate: float


@dataclass(frozen=True)
class TopicRow:
    """A line of the bag's table; the rate is the mean over the topic's own span [Hz]."""

    name: str
    type: str
    count: int
    rate: float


def _stamp(message: Any) -> float:
    return float(message.header.stamp.sec + message.header.stamp.nanosec * 1e-9)


def _decoded(episode: EpisodeReader, name: str) -> Iterator[Any]:
    for message in episode.messages([episode.find(name)]):
        yield episode.decode(message)


def _joint_series(episode: EpisodeReader, robot: RobotDescription) -> JointSeries:
    rows = [
        (_stamp(m), joint_positions(m, robot), joint_velocities(m, robot))
        for m in _decoded(episode, contract.JOINT_STATES)
    ]
    if not rows:
        raise EpisodeReadError(f"{episode.path.name} holds no joint states")
    start = rows[0][0]
    times = np.array([row[0] for row in rows]) - start
    positions, velocities = (np.array([row[k] for row in rows], dtype=np.float64) for k in (1, 2))
    return JointSeries(times, positions, velocities, _spans(episode, start))


def _spans(episode: EpisodeReader, start: float) -> tuple[tuple[str, float, float], ...]:
    """Find when each sub-task ran, in seconds after ``start``."""
    try:
        events = list(_decoded(episode, contract.EPISODE_EVENTS))
    except EpisodeReadError:
        return ()
    spans, begun = [], dict[str, float]()
    for event in events:
        if event.kind == _EVENT_STARTED:
            begun[event.label] = _stamp(event) - start
        elif event.kind == _EVENT_ENDED and event.label in begun:
            spans.append((event.label, begun.pop(event.label), _stamp(event) - start))
    # the innermost only: a sequence would cover its own steps
    return tuple(s for s in spans if not any(o is not s and o[1] >= s[1] and o[2] <= s[2] for o in spans))


def _write_videos(episode: EpisodeReader, robot: RobotDescription, folder: Path) -> list[Video]:
    videos = []
    for camera in robot.cameras:
        try:
            topic = episode.find(contract.color_image(camera.name))
        except EpisodeReadError:
            continue
        if episode.topics[topic].count == 0:
            continue
        rate = _mean_rate([m.log_time for m in episode.messages([topic])])
        frames = (color_image(m, None) for m in _decoded(episode, contract.color_image(camera.name)))
        file = f"{camera.name}.mp4"
        count = write_video(folder / file, frames, rate or 1.0)
        videos.append(Video(camera.name, file, count, rate))
    return videos


def _mean_rate(log_times: list[int]) -> float:
    """Mean rate of messages received at these times [ns]; 0 for fewer than two."""
    if len(log_times) < 2 or log_times[-1] == log_times[0]:  # noqa: PLR2004
        return 0.0
    return (len(log_times) - 1) * 1e9 / (log_times[-1] - log_times[0])


def _topic_rows(episode: EpisodeReader) -> list[TopicRow]:
    by_topic: dict[str, list[int]] = {name: [] for name in episode.topics}
    for message in episode.messages():
        by_topic[message.topic].append(message.log_time)
    return [
        TopicRow(name, episode.topics[name].type.replace("/msg/", "/"), len(times), _mean_rate(times))
        for name, times in sorted(by_topic.items())
    ]


def _root(report: str) -> NodeReport | None:
    return TaskReport.model_validate_json(report).root if report else None


def write_report(bag: Path, folder: Path, robot: RobotDescription) -> Path:
    """Write ``report.html`` and one MP4 per colour camera.

    Args:
        bag: an episode's folder.
        folder: where to write; exists.
        robot: the robot that the episode shows.

    Returns:
        The page's path.

    Raises:
        EpisodeReadError: the bag cannot be read or holds no joint states.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("skillet_data"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    with EpisodeReader(bag) as episode:
        info, series = episode.info, _joint_series(episode, robot)
        page = environment.get_template("report.html.j2").render(
            instruction=info.request.instruction,
            success=info.outcome.success,
            reason=info.outcome.reason,
            robot=robot,
            task=info.request.task,
            seed=info.request.seed,
            duration=float(series.times[-1]),
            root=_root(info.outcome.report),
            videos=_write_videos(episode, robot, folder),
            plot=joint_plot_svg(series, robot),
            topics=_topic_rows(episode),
            versions=info.versions,
        )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path
