"""What the parent of the workers counts, beside the sum of what they count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

from checkpoint.operations.metrics import new_registry

if TYPE_CHECKING:
    from collections.abc import Callable


class ParentMetrics:
    """The metrics of the parent, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = new_registry("processing_requests")
        self.restarts = Counter(
            "checkpoint_worker_restarts",
            "Workers that ended without being asked to, and were started again.",
            registry=self.registry,
        )

    def watch(self, *, serving: Callable[[], float]) -> None:
        """Read this at each scrape."""
        gauge = Gauge("checkpoint_workers_serving", "Workers that take requests.", registry=self.registry)
        gauge.set_function(serving)
