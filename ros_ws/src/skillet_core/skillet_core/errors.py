"""The errors that Skillet raises on purpose. Each says what was wrong and what would be valid."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable


class SkilletError(Exception):
    """Base of every error that is meant to be read by a person."""


class UnknownNameError(SkilletError, LookupError):
    """A name that does not exist, with the names that do."""

    def __init__(self, kind: str, name: str, valid: Iterable[str]) -> None:
        """Compose the message.

        Args:
            kind: what was looked up, e.g. ``"robot"``.
            name: the name that was not found.
            valid: every name that would have been accepted.
        """
        self.kind, self.name, self.valid = kind, name, tuple(sorted(valid))
        close = difflib.get_close_matches(name, self.valid, n=3)
        hint = f" Did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
        listed = ", ".join(self.valid) or "(none)"
        super().__init__(f"unknown {kind} {name!r}.{hint} Valid: {listed}")


class InvalidFileError(SkilletError, ValueError):
    """A data file that cannot be read or does not fit its model."""


class SceneChangeError(SkilletError, ValueError):
    """A change of the scene that cannot be made; the scene is as it was."""


class TrajectoryError(SkilletError, ValueError):
    """A trajectory that must not be executed: NaN, wrong joints, wrong times, beyond limits."""


class PlanningFailure(enum.StrEnum):
    """Why there is no plan."""

    INVALID_REQUEST = "invalid_request"
    NO_STATE = "no_state"
    START_IN_COLLISION = "start_in_collision"
    START_OUT_OF_LIMITS = "start_out_of_limits"
    GOAL_UNREACHABLE = "goal_unreachable"
    GOAL_IN_COLLISION = "goal_in_collision"
    NO_PATH = "no_path"
    NO_GRASP = "no_grasp"
    NO_ROOM = "no_room"
    BACKEND = "backend"


class PlanningError(SkilletError):
    """No motion was found: why, in words that a person or a planner can act on."""

    def __init__(self, message: str, failure: PlanningFailure = PlanningFailure.NO_PATH) -> None:
        """Compose the error.

        Args:
            message: for people.
            failure: for programs.
        """
        super().__init__(message)
        self.failure = failure


class ExecutionError(SkilletError):
    """A motion was started and did not end as asked."""


class BackendUnavailableError(SkilletError):
    """A part that was asked for is not installed: names it and how to get it."""


class StaleStateError(ExecutionError):
    """The robot or the scene has not been heard from for too long."""


class CancelledError(ExecutionError):
    """The motion was cancelled by request."""
