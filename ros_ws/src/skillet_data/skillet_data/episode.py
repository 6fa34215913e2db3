"""What an episode is on disk: its folder's name, what is known about it, and which are finished.

A finished episode is a folder ``<root>/<stamp>-<task>/`` with ``<stamp>-<task>_0.mcap`` and
``metadata.yaml``, which any rosbag2 reads. While it is written, and for ever if it was not finished, the
folder's name ends in ``.partial``: listing and conversion pass such folders over unless asked.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pydantic

from skillet_core.model import DataModel
from skillet_data.errors import EpisodeReadError

PARTIAL = ".partial"
METADATA = "metadata.yaml"


class EpisodeRequest(DataModel):
    """What is known of an episode when it begins."""

    task: str = pydantic.Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", description="task identifier")
    instruction: str = pydantic.Field(default="", description="the sentence")
    robot: str = pydantic.Field(default="", description="robot identifier")
    seed: int = 0
    tags: tuple[str, ...] = ()


class EpisodeOutcome(DataModel):
    """What is known of an episode when it ends."""

    success: bool = False
    reason: str = pydantic.Field(default="", description="of a failure")
    report: str = pydantic.Field(default="", description="JSON of the executed task tree")


class EpisodeInfo(DataModel):
    """Everything that an episode's ``custom_data`` says."""

    state: Literal["recording", "committed", "aborted"]
    request: EpisodeRequest
    outcome: EpisodeOutcome = EpisodeOutcome()
    versions: dict[str, str] = pydantic.Field(default_factory=dict, description="software → version")

    def to_custom_data(self) -> dict[str, str]:
        """Flatten to the text-to-text map that rosbag2's ``custom_data`` is."""
        return {
            "state": self.state,
            "task": self.request.task,
            "instruction": self.request.instruction,
            "robot": self.request.robot,
            "seed": str(self.request.seed),
            "tags": json.dumps(self.request.tags),
            "success": json.dumps(self.outcome.success),
            "reason": self.outcome.reason,
            "report": self.outcome.report,
            "versions": json.dumps(self.versions, sort_keys=True),
        }

    @classmethod
    def from_custom_data(cls, data: Mapping[str, str]) -> EpisodeInfo:
        """Read what `to_custom_data` wrote.

        Raises:
            EpisodeReadError: an entry is missing or does not parse: Skillet did not record this.
        """
        try:
            return cls.model_validate(
                {
                    "state": data["state"],
                    "request": {
                        "task": data["task"],
                        "instruction": data["instruction"],
                        "robot": data["robot"],
                        "seed": int(data["seed"]),
                        "tags": json.loads(data["tags"]),
                    },
                    "outcome": {
                        "success": json.loads(data["success"]),
                        "reason": data["reason"],
                        "report": data["report"],
                    },
                    "versions": json.loads(data["versions"]),
                }
            )
        except KeyError as error:
            raise EpisodeReadError(f"custom_data lacks {error.args[0]!r}; did Skillet record it?") from error
        except ValueError as error:
            raise EpisodeReadError(f"custom_data does not parse: {error}") from error


def episode_name(task: str, stamp: dt.datetime, root: Path) -> str:
    """Return a name that is free in ``root``: ``20261121-034501-blocks``, with a number if need be."""
    base = f"{stamp:%Y%m%d-%H%M%S}-{task}"
    name, number = base, 2
    while (root / name).exists() or (root / f"{name}{PARTIAL}").exists():
        name, number = f"{base}-{number}", number + 1
    return name


def is_finished(folder: Path) -> bool:
    """Whether the folder is an episode that was committed whole."""
    return folder.is_dir() and folder.suffix != PARTIAL and (folder / METADATA).is_file()


_NAME = re.compile(r"^\d{8}-\d{6}-")


def list_episodes(root: Path, *, partial: bool = False) -> list[Path]:
    """Return the episodes in a folder, oldest first.

    Args:
        root: where the recorder puts them; need not exist.
        partial: also those that were never finished.
    """
    folders = [path for path in root.glob("*") if path.is_dir() and _NAME.match(path.name)]
    return sorted(path for path in folders if is_finished(path) or (partial and path.suffix == PARTIAL))
