"""A clock for the queue in a file that moves only by a test's hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ManualClock:
    """The wall clock of a machine, which anybody may set, and its monotonic clock, which runs on; in whole seconds.

    wall: since 1970. uptime: since the machine's start.
    """

    wall: int = 1_700_000_000
    uptime: int = 1_000

    def pass_(self, seconds: int) -> None:
        self.wall += seconds
        self.uptime += seconds

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.uptime
