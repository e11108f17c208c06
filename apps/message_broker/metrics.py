"""What the broker counts, for Prometheus."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, get_args

from prometheus_client import Counter, Gauge

from checkpoint.operations.calls import Calls
from checkpoint.operations.counted_queue import RECEIVING, QueueCalls
from checkpoint.operations.counted_store import OPERATIONS
from checkpoint.operations.metrics import new_registry
from checkpoint.operations.series import Histogram, ReadGauge
from message_broker.circuit_breaker import ARCHIVE, QUEUE, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import Message
    from message_broker.queue_depth import QueueDepth

Outcome = Literal["created", "already_there", "dead_lettered", "released", "failed"]

_IN_FLIGHT_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
# From what one machine takes to what an outage of a day makes of it.
_POSTED_TO_STORED_SECONDS: Final = (
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    *(300.0, 900.0, 3_600.0, 21_600.0, 86_400.0),
)


class Metrics:
    """The metrics of one broker, in a registry of its own.

    longest_seconds: the longest time from post to store since it was last set to 0.
    """

    def __init__(self, clock: Clock = time) -> None:
        self._clock = clock
        self._last_stored: float | None = None
        self.longest_seconds = 0.0
        self.registry = new_registry("message_broker")
        self.messages = Counter(
            "checkpoint_messages",
            "Messages by what became of them: their object was created or already there, or they were dead-lettered, "
            "released (visible again), or failed and come again.",
            ["outcome"],
            registry=self.registry,
        )
        self._outcomes = {outcome: self.messages.labels(outcome) for outcome in get_args(Outcome)}
        self._durations = Histogram(
            "checkpoint_message_duration_seconds",
            "Time from the receive of a message to its delete, dead-letter or release.",
            _IN_FLIGHT_SECONDS,
            registry=self.registry,
        ).by_value[""]
        self._posted_to_stored = Histogram(
            "checkpoint_posted_to_stored_seconds",
            "Time from when an e-mail was put on the queue to when its object was created.",
            _POSTED_TO_STORED_SECONDS,
            registry=self.registry,
        ).by_value[""]
        self._stored_bytes = Counter(
            "checkpoint_stored_bytes", "Size of the objects that were created.", registry=self.registry
        )
        ReadGauge(
            "checkpoint_last_stored_timestamp_seconds",
            "When an e-mail was last found durable in the archive, in seconds since 1970; not there before the first.",
            lambda: self._last_stored,
            registry=self.registry,
        )
        self.queue_calls = QueueCalls(RECEIVING, registry=self.registry, clock=clock)
        self.archive_calls = Calls("archive", OPERATIONS, registry=self.registry, clock=clock)
        retries = Counter(
            "checkpoint_retries",
            "Puts into the archive and deletes from the queue that were made again after a failure.",
            ["service"],
            registry=self.registry,
        )
        self._retries = {service: retries.labels(service) for service in (ARCHIVE, QUEUE)}

    def message_ended(self, outcome: Outcome, *, seconds: float) -> None:
        """Count one message."""
        self._outcomes[outcome].inc()
        self._durations.observe(seconds)

    def stored(self, message: Message, *, created: bool) -> None:
        """Count an object that is durable. created: whether it was not there before."""
        now = self._last_stored = self._clock.time()
        if not created:
            return
        self._stored_bytes.inc(len(message.body))
        if message.sent_at is not None:
            seconds = max(0.0, now - message.sent_at)  # the sender's clock may be ahead
            self._posted_to_stored.observe(seconds)
            self.longest_seconds = max(self.longest_seconds, seconds)

    def retried(self, service: str) -> None:
        """Count a call that is made again; service: ARCHIVE or QUEUE."""
        self._retries[service].inc()

    def watch(
        self,
        *,
        in_flight: Callable[[], float],
        in_flight_bytes: Callable[[], float],
        slots: float,
        circuit: Callable[[], State],
        archive_up: Callable[[], float],
        queue_up: Callable[[], float],
        free_bytes: Callable[[], dict[str, float]],
        free_inodes: Callable[[], dict[str, float]],
        depth: QueueDepth,
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
            ("checkpoint_slots", "Messages that may be worked on at once.", lambda: slots),
            ("checkpoint_archive_up", "0 while the archive is unavailable, else 1.", archive_up),
            ("checkpoint_queue_up", "0 while the queue is unavailable, else 1.", queue_up),
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
        ReadGauge(
            "checkpoint_queue_messages",
            "Messages on the queue that may be received now (waiting), and that any broker has received (in_flight).",
            lambda: depth.messages,
            registry=self.registry,
            label="state",
        )
        for name, documentation, read in (
            ("checkpoint_dead_letters", "Messages in the dead-letter queue.", lambda: depth.dead_letters),
            (
                "checkpoint_oldest_message_age_seconds",
                "How long ago the oldest message was put on the queue.",
                lambda: depth.oldest_seconds,
            ),
        ):
            ReadGauge(name, documentation, read, registry=self.registry)
        for name, documentation, by_volume in (
            (
                "checkpoint_volume_free_bytes",
                "What is free on the volumes of the queue and of the archive, where these are local files.",
                free_bytes,
            ),
            (
                "checkpoint_volume_free_inodes",
                "Files that the volume of the archive has room for, where it is of local files.",
                free_inodes,
            ),
        ):
            ReadGauge(name, documentation, by_volume, registry=self.registry, label="volume")
