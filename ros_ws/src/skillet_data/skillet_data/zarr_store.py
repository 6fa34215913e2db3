"""A data set in zarr v3 that grows in whole shards, so that no shard is ever rewritten.

Layout: ``data/<key>`` with time first, ``meta/episode_ends`` (cumulative row counts, int64),
``meta/time`` (rows' times in their recording's clock, int64 [ns]) and ``age/<key>`` (float32 [s]).
Images lie one frame a chunk and 100 frames a shard: a random frame is one small read, and a data set is
few files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import ZstdCodec

from skillet_data.errors import ConversionError

ROWS_PER_SHARD = 100
_LEVEL = 3
_IMAGE_NDIM = 2
Array = npt.NDArray[Any]


class _GrowingArray:
    """One array, written a full shard at a time."""

    def __init__(self, group: zarr.Group, name: str, like: Array) -> None:
        image = like.ndim > _IMAGE_NDIM
        self._array = group.create_array(
            name,
            shape=(0, *like.shape[1:]),
            dtype=like.dtype,
            chunks=(1 if image else ROWS_PER_SHARD, *like.shape[1:]),
            shards=(ROWS_PER_SHARD, *like.shape[1:]) if image else None,
            compressors=ZstdCodec(level=_LEVEL),
        )
        self._row: tuple[tuple[int, ...], np.dtype[Any]] = (like.shape[1:], like.dtype)
        self._waiting: list[Array] = []

    def accepts(self, rows: Array) -> bool:
        """Whether rows have the shape and type of those before."""
        return (rows.shape[1:], rows.dtype) == self._row

    def append(self, rows: Array) -> None:
        """Add rows, writing every shard that is full."""
        self._waiting.append(rows)
        total = sum(map(len, self._waiting))
        if total >= ROWS_PER_SHARD:
            joined = np.concatenate(self._waiting)
            full = total - total % ROWS_PER_SHARD
            self._write(joined[:full])
            self._waiting = [joined[full:].copy()]

    def finish(self) -> None:
        """Write what is left."""
        if self._waiting:
            self._write(np.concatenate(self._waiting))
            self._waiting = []

    def _write(self, rows: Array) -> None:
        if len(rows):
            start = self._array.shape[0]
            self._array.resize((start + len(rows), *self._row[0]))
            self._array[start:] = rows


class ZarrDataset:
    """A data set being written."""

    def __init__(self, path: Path) -> None:
        """Create the store; ``path`` must not exist."""
        self._root = zarr.create_group(store=str(path), zarr_format=3)
        self._groups = {name: self._root.create_group(name) for name in ("data", "meta", "age")}
        self._arrays: dict[str, _GrowingArray] = {}
        self._ends: list[int] = []

    @property
    def episodes(self) -> int:
        """Episodes so far."""
        return len(self._ends)

    def append(self, arrays: Mapping[str, Array]) -> None:
        """Add an episode.

        Args:
            arrays: path such as ``"data/action"`` → rows; the same paths each time, equally many rows.

        Raises:
            ConversionError: an array's rows differ in shape or type from the episodes before; nothing
                was added.
        """
        for path, rows in arrays.items():
            if path in self._arrays and not self._arrays[path].accepts(rows):
                raise ConversionError(
                    f"{path}: rows of shape {rows.shape[1:]} and type {rows.dtype} do not fit those of the "
                    "episodes before. Convert robots and camera sizes to data sets of their own"
                )
        for path, rows in arrays.items():
            if path not in self._arrays:
                group, name = path.split("/", 1)
                self._arrays[path] = _GrowingArray(self._groups[group], name, rows)
            self._arrays[path].append(rows)
        count = len(next(iter(arrays.values())))
        self._ends.append((self._ends[-1] if self._ends else 0) + count)

    def finish(self, attributes: Mapping[str, Any]) -> None:
        """Write what is left, the episodes' ends and the attributes."""
        for array in self._arrays.values():
            array.finish()
        ends = np.array(self._ends, dtype=np.int64)
        stored = self._groups["meta"].create_array("episode_ends", shape=ends.shape, dtype=ends.dtype)
        stored[:] = ends
        self._root.attrs.update(dict(attributes))
