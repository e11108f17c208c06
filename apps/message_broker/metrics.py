"""What the broker counts, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable


class Metrics:
    """Counters of one broker, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.moves = Counter("checkpoint_moves", "Messages let go of, by outcome", ["outcome"], registry=self.registry)
        self.seconds = Histogram(
            "checkpoint_move_seconds",
            "Seconds from a message's receive to its end here",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
            registry=self.registry,
        )
        self._held = Gauge("checkpoint_held", "Messages held now", registry=self.registry)
        self._archive_up = Gauge("checkpoint_archive_up", "1 unless the last put failed", registry=self.registry)

    def watch(self, *, held: Callable[[], float], archive_up: Callable[[], float]) -> None:
        """Read these at each scrape."""
        self._held.set_function(held)
        self._archive_up.set_function(archive_up)
