"""What the broker counts, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

Outcome = Literal["created", "already_there", "dead_lettered", "released", "failed"]


class Metrics:
    """The broker's own metrics, in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.messages = Counter(
            "checkpoint_messages_total",
            "Messages that ended here: created an object, found it already there, or were dead-lettered, released "
            "(visible again) or failed.",
            ["outcome"],
            registry=registry,
        )
        for outcome in get_args(Outcome):
            self.messages.labels(outcome)
        self._durations = Histogram(
            "checkpoint_message_duration_seconds",
            "Seconds from the receive of a message to its end here.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
            registry=registry,
        )

    def message_ended(self, outcome: Outcome, *, seconds: float) -> None:
        """Count one message."""
        self.messages.labels(outcome).inc()
        self._durations.observe(seconds)

    def watch(
        self, *, in_flight: Callable[[], float], circuit_open: Callable[[], float], archive_up: Callable[[], float]
    ) -> None:
        """Read these at each scrape."""
        for name, help_text, read in (
            ("checkpoint_messages_in_flight", "Messages that were received and have not ended.", in_flight),
            ("checkpoint_circuit_open", "1 while the circuit breaker is open: nothing is received.", circuit_open),
            ("checkpoint_archive_up", "1 unless the last put into the archive failed.", archive_up),
        ):
            Gauge(name, help_text, registry=self._registry).set_function(read)
