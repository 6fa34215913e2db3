"""Has a topic been heard of lately? Measured on the steady clock.

A node's own clock is the simulator's when it follows ``/clock``, and stands still when the
simulator dies; only the steady clock can notice that.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from skillet_core.errors import StaleStateError


class Liveness:
    """Remembers when a source was last heard."""

    def __init__(self, source: str, max_age: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Watch a source.

        Args:
            source: what is listened to, for the message, e.g. ``"joint_states"``.
            max_age: silence after which the source counts as lost [s].
            clock: a steady clock [s].
        """
        self.source, self.max_age, self._clock = source, max_age, clock
        self._heard: float | None = None

    def heard(self) -> None:
        """Note that the source spoke. Call from the subscription."""
        self._heard = self._clock()

    @property
    def age(self) -> float:
        """Seconds since the source spoke; infinite before the first time."""
        return float("inf") if self._heard is None else self._clock() - self._heard

    @property
    def alive(self) -> bool:
        """Whether the source spoke within the maximum age."""
        return self.age <= self.max_age

    def check(self) -> None:
        """Insist on a living source.

        Raises:
            StaleStateError: it was never heard, or not for too long.
        """
        if self._heard is None:
            raise StaleStateError(f"nothing was received on {self.source!r} yet. Is its publisher running?")
        if not self.alive:
            raise StaleStateError(
                f"nothing was received on {self.source!r} for {self.age:.2f} s "
                f"(at most {self.max_age:.2f} s is allowed). Has its publisher died?"
            )
