"""What time and chance are to Checkpoint: arguments, so that a test or a simulation can bring its own."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The module `time` is one."""

    def time(self) -> float:
        """Seconds since 1970; may be set back."""
        ...

    def monotonic(self) -> float:
        """Seconds from any beginning; never goes back."""
        ...


class Random(Protocol):
    """The module `random` is one."""

    def uniform(self, a: float, b: float, /) -> float:
        """A number between the two."""
        ...
