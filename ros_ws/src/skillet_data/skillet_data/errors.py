"""What goes wrong with recordings and data sets, in words that say what to do."""

from __future__ import annotations

from skillet_core.errors import SkilletError


class RecordingError(SkilletError):
    """An episode cannot be begun, continued or committed."""


class EpisodeReadError(SkilletError):
    """An episode on disk cannot be read."""


class ConversionError(SkilletError):
    """An episode does not fit the policy spec: a stream is missing, stale or of the wrong size."""
