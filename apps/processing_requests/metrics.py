"""What the intake counts, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable


class Metrics:
    """Counters of one intake, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "checkpoint_requests", "Requests to /process_request, by status", ["status"], registry=self.registry
        )
        self.seconds = Histogram(
            "checkpoint_request_seconds", "Seconds from a request's headers to its answer", registry=self.registry
        )
        self.batch_entries = Histogram(
            "checkpoint_queue_call_entries",
            "E-mails that shared one call to the queue",
            buckets=(1, 2, 5, 10, 25, 50, 100, 250),
            registry=self.registry,
        )
        self.not_confirmed = Counter(
            "checkpoint_not_confirmed", "E-mails that the queue did not confirm", registry=self.registry
        )

    def watch_waiting(self, entries: Callable[[], float], payload_bytes: Callable[[], float]) -> None:
        """Read how much waits for the queue at each scrape."""
        Gauge("checkpoint_waiting", "E-mails waiting for the queue", registry=self.registry).set_function(entries)
        Gauge("checkpoint_waiting_bytes", "Their bytes", registry=self.registry).set_function(payload_bytes)
