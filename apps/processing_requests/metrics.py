"""What the intake counts, for Prometheus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge

from checkpoint.operations.counted_queue import SENDING, QueueCalls
from checkpoint.operations.metrics import new_registry
from checkpoint.operations.series import Histogram, ReadGauge
from processing_requests.answers import REFUSALS, STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import EntryFault
    from processing_requests.answers import Refusal

_REQUEST_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class Metrics:
    """The metrics of one intake, in a registry of its own."""

    def __init__(self, clock: Clock = time) -> None:
        self._clock = clock
        self._last_posted: float | None = None
        self.registry = new_registry("processing_requests")
        self.requests = Counter(
            "checkpoint_requests",
            "Requests to POST /process_request that were answered, by HTTP status.",
            ["status"],
            registry=self.registry,
        )
        self.answered = {status: self.requests.labels(status) for status in STATUSES}
        refusals = Counter(
            "checkpoint_refusals",
            "Answers other than 200 to POST /process_request and to what is no HTTP request, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self._refusals = {refusal.error: refusals.labels(_reason(refusal)) for refusal in REFUSALS}
        self.request_duration = Histogram(
            "checkpoint_request_duration_seconds",
            "Time from the headers of a request to POST /process_request to its answer.",
            _REQUEST_SECONDS,
            registry=self.registry,
        ).by_value[""]
        # Not a status such as nginx's 499: no answer was sent, and the rates and durations of answers must not change
        # with how many clients hang up.
        self.client_disconnects = Counter(
            "checkpoint_client_disconnects",
            "Requests to POST /process_request whose client closed the connection before the body had arrived.",
            registry=self.registry,
        )
        self.connections_given_up = Counter(
            "checkpoint_connections_given_up",
            "Connections that were closed because there were as many as there may be.",
            registry=self.registry,
        )
        self.batch_messages = Histogram(
            "checkpoint_queue_send_batch_messages",
            "Messages in one send call to the queue.",
            (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0),
            registry=self.registry,
        ).by_value[""]
        self.queue_calls = QueueCalls(SENDING, registry=self.registry, clock=clock)
        self.unconfirmed = Counter(
            "checkpoint_messages_unconfirmed",
            "Messages that the queue refused or did not confirm in time; each was answered 503.",
            registry=self.registry,
        )
        self.refused_by_full_queue = Counter(
            "checkpoint_messages_refused_by_full_queue",
            "Messages for which the queue had no room; each was answered 503.",
            registry=self.registry,
        )
        self._posted_bytes = Counter(
            "checkpoint_posted_bytes", "Size of the e-mails that the queue has confirmed.", registry=self.registry
        )
        ReadGauge(
            "checkpoint_last_posted_timestamp_seconds",
            "When the queue last confirmed an e-mail, in seconds since 1970; not there before the first.",
            lambda: self._last_posted,
            registry=self.registry,
        )

    def refused(self, refusal: Refusal) -> None:
        """Count an answer other than 200."""
        self._refusals[refusal.error].inc()

    def posted(self, bodies: Sequence[bytes], faults: Sequence[EntryFault | None]) -> None:
        """Count those of a send call that the queue has confirmed: those without a fault."""
        if any(faults):
            bodies = [body for body, fault in zip(bodies, faults, strict=True) if fault is None]
        if bodies:
            self._posted_bytes.inc(sum(map(len, bodies)))
            self._last_posted = self._clock.time()

    def watch(
        self,
        *,
        waiting: Callable[[], float],
        waiting_bytes: Callable[[], float],
        most_waiting: float,
        arriving_bytes: Callable[[], float],
        connections: Callable[[], float],
        most_connections: float,
        queue_up: Callable[[], float],
        queue_free_bytes: Callable[[], float | None],
    ) -> None:
        """Read these at each scrape."""
        for name, documentation, value in (
            ("checkpoint_messages_waiting", "Messages that wait for the queue to confirm them.", waiting),
            ("checkpoint_messages_waiting_bytes", "Size of the messages that wait for the queue.", waiting_bytes),
            ("checkpoint_messages_waiting_limit", "Messages that may wait for the queue.", lambda: most_waiting),
            ("checkpoint_bodies_arriving_bytes", "Size of what has arrived of unfinished requests.", arriving_bytes),
            ("checkpoint_connections", "Connections of clients that are open.", connections),
            ("checkpoint_connections_limit", "Connections that may be open.", lambda: most_connections),
            ("checkpoint_queue_up", "0 while the queue is unavailable, else 1.", queue_up),
        ):
            Gauge(name, documentation, registry=self.registry).set_function(value)
        ReadGauge(
            "checkpoint_volume_free_bytes",
            "What is free on the volume of the queue, where that is a local file.",
            lambda: None if (free := queue_free_bytes()) is None else {"queue": free},
            registry=self.registry,
            label="volume",
        )


def _reason(refusal: Refusal) -> str:
    """A label's value: `queue_full` for "Queue full"."""
    return refusal.error.lower().replace(" ", "_")
