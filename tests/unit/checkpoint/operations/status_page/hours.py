"""A service's hour, at a test's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkpoint.operations.status_page.history import History
from checkpoint.operations.status_page.layout import MEASURES
from clocks import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

    from checkpoint.operations.status_page.history import LastHour


class Hour:
    """Samples of a registry, 30 seconds apart."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.clock = ManualClock()
        self.history = History(lambda: registry, MEASURES, self.clock)

    def pass_(self, samples: int, change: Callable[[], object] = lambda: None) -> None:
        """Let time pass; change: what the service does in each 30 seconds."""
        for _ in range(samples):
            self.history.sample()
            self.clock.now += 30
            change()

    def look(self) -> LastHour:
        return self.history.look()
