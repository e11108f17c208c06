"""What the broker counts, for Prometheus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

from prometheus_client import Counter, Gauge, Histogram

from checkpoint.operations.metrics import new_registry
from message_broker.circuit_breaker import State

if TYPE_CHECKING:
    from collections.abc import Callable

Outcome = Literal["created", "already_there", "dead_lettered", "released", "failed"]


class Metrics:
    """The metrics of one broker, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = new_registry("message_broker")
        self.messages = Counter(
            "checkpoint_messages",
            "Messages by what became of them: their object was created or already there, or they were dead-lettered, "
            "released (visible again), or failed and come again.",
            ["outcome"],
            registry=self.registry,
        )
        for outcome in get_args(Outcome):
            self.messages.labels(outcome)
        self._durations = Histogram(
            "checkpoint_message_duration_seconds",
            "Time from the receive of a message to its delete, dead-letter or release.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
            registry=self.registry,
        )

    def message_ended(self, outcome: Outcome, *, seconds: float) -> None:
        """Count one message."""
        self.messages.labels(outcome).inc()
        self._durations.observe(seconds)

    def watch(
        self,
        *,
        in_flight: Callable[[], float],
        in_flight_bytes: Callable[[], float],
        circuit: Callable[[], State],
        archive_up: Callable[[], float],
    ) -> None:
        """Read these at each scrape."""
        for name, documentation, value in (
            (
                "checkpoint_messages_in_flight",
                "Messages that were received and not yet deleted, dead-lettered or released.",
                in_flight,
            ),
            (
                "checkpoint_messages_in_flight_bytes",
                "Size of the messages that were received and are not archived yet.",
                in_flight_bytes,
            ),
            ("checkpoint_archive_up", "0 while the archive is unavailable, else 1.", archive_up),
        ):
            Gauge(name, documentation, registry=self.registry).set_function(value)
        states = Gauge(
            "checkpoint_circuit_breaker_state",
            "1 for the state that the circuit breaker is in, 0 for the others: closed, open (nothing is received), "
            "half_open (messages are received as trials).",
            ["state"],
            registry=self.registry,
        )
        for state in State:
            states.labels(state.value).set_function(partial(lambda state: circuit() is state, state))
