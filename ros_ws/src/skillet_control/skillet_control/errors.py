"""What controllers refuse."""

from __future__ import annotations

from skillet_control.goals import ErrorCode
from skillet_core.errors import SkilletError, TrajectoryError


class CommandError(SkilletError, ValueError):
    """A command that was not passed on: NaN, wrong shape, unknown joint, or the arm is another's."""


class RefusedTrajectoryError(TrajectoryError):
    """A trajectory that was refused before anything moved, with FollowJointTrajectory's code."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        """Refuse for a reason."""
        super().__init__(message)
        self.code = code
