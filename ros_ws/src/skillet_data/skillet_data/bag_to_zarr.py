"""Converts episodes to a zarr data set at a policy spec's rate."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillet_core.errors import UnknownNameError
from skillet_core.policy_spec import PolicySpec
from skillet_core.robot import RobotDescription, load_robot
from skillet_data.bag_reader import EpisodeReader
from skillet_data.columns import EpisodeRows, resample
from skillet_data.episode import EpisodeInfo, is_finished
from skillet_data.errors import ConversionError, EpisodeReadError
from skillet_data.zarr_store import ZarrDataset

FORMAT = "skillet-zarr-1"


@dataclass(frozen=True)
class Excluded:
    """An episode that is not in the data set, and why."""

    episode: Path
    reason: str


@dataclass(frozen=True)
class ConversionReport:
    """What became of a conversion.

    Attributes:
        output: the data set.
        rows: episode → rows.
        excluded: with reasons.
    """

    output: Path
    rows: dict[Path, int]
    excluded: tuple[Excluded, ...]


def convert(
    episodes: Sequence[Path],
    spec: PolicySpec,
    output: Path,
    *,
    failed: bool = False,
    partial: bool = False,
    robots: Callable[[str], RobotDescription] = load_robot,
    progress: Callable[[Path], None] = lambda _: None,
) -> ConversionReport:
    """Convert episodes; one that does not fit is left out and reported.

    Args:
        episodes: their folders, in the order that they shall have.
        spec: streams, rate and action.
        output: folder of the data set, which must not exist; it appears whole or not at all.
        failed: also episodes whose task failed.
        partial: also episodes that were never finished.
        robots: finds a robot by name.
        progress: called with each episode before it is read.

    Raises:
        ConversionError: the output exists, or no episode could be converted; says why for each.
    """
    if output.exists():
        raise ConversionError(f"{output} exists already. Remove it, or name another output")
    temporary = output.with_name(f"{output.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    dataset, sources, excluded = ZarrDataset(temporary), [], []
    rows: dict[Path, int] = {}
    try:
        for path in episodes:
            progress(path)
            try:
                info, data = _read(path, spec, failed=failed, partial=partial, robots=robots)
                dataset.append(_arrays(data))
            except (ConversionError, EpisodeReadError, UnknownNameError) as error:
                excluded.append(Excluded(path, str(error)))
                continue
            rows[path] = len(data.times)
            sources.append({"source": path.name, "rows": rows[path], **info.model_dump(mode="json")})
        if not rows:
            listed = "".join(f"\n  {e.episode.name}: {e.reason}" for e in excluded) or " none was given"
            raise ConversionError(f"no episode could be converted:{listed}")
        dataset.finish(_attributes(spec, sources, excluded))
        temporary.rename(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return ConversionReport(output, rows, tuple(excluded))


def _read(
    path: Path,
    spec: PolicySpec,
    *,
    failed: bool,
    partial: bool,
    robots: Callable[[str], RobotDescription],
) -> tuple[EpisodeInfo, EpisodeRows]:
    if not is_finished(path) and not partial:
        raise ConversionError("it was never finished (ask for partial episodes to convert it all the same)")
    with EpisodeReader(path) as episode:
        info = episode.info
        if not partial and info.state != "committed":
            raise ConversionError(f"its state is {info.state!r}, not 'committed'")
        if not failed and not info.outcome.success and info.state == "committed":
            raise ConversionError(
                f"its task failed: {info.outcome.reason or 'no reason given'} "
                "(ask for failed episodes to convert it all the same)"
            )
        return info, resample(episode, spec, robots(info.request.robot))


def _arrays(rows: EpisodeRows) -> dict[str, Any]:
    return {
        **{f"data/{key}": values for key, values in rows.data.items()},
        **{f"age/{key}": values for key, values in rows.ages.items()},
        "meta/time": rows.times,
    }


def _attributes(
    spec: PolicySpec, sources: list[dict[str, Any]], excluded: Sequence[Excluded]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "spec": spec.model_dump(mode="json"),
        "episodes": sources,
        "excluded": [{"source": e.episode.name, "reason": e.reason} for e in excluded],
    }
