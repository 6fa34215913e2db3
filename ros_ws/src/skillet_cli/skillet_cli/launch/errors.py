"""What can be wrong with a launch file or the way it was asked for."""

from __future__ import annotations

from skillet_core.errors import SkilletError


class LaunchError(SkilletError, ValueError):
    """A launch file that cannot be run as written; the message begins with file and line."""


class SubstitutionError(SkilletError, ValueError):
    """A ``$(...)`` that cannot be read or has no value. The reader adds file and line."""
