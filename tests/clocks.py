"""Time at a test's word."""

from __future__ import annotations


class ManualClock:
    """A Clock that stands still until a test sets it; far from any machine's, so that a use of that one shows."""

    def __init__(self, now: float = 1e9) -> None:
        self.now = now

    def time(self) -> float:
        """Seconds, as set."""
        return self.now

    def monotonic(self) -> float:
        """The same seconds."""
        return self.now
