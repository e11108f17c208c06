"""What the intake counts, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

from checkpoint.operations.metrics import new_registry
from processing_requests.answers import STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable


class Metrics:
    """The metrics of one intake, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = new_registry("processing_requests")
        self.requests = Counter(
            "checkpoint_requests",
            "Requests to POST /process_request that were answered, by HTTP status.",
            ["status"],
            registry=self.registry,
        )
        self.answered = {status: self.requests.labels(status) for status in STATUSES}
        self.request_duration = Histogram(
            "checkpoint_request_duration_seconds",
            "Time from the headers of a request to POST /process_request to its answer.",
            registry=self.registry,
        )
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
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000),
            registry=self.registry,
        )
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

    def watch(
        self,
        *,
        waiting: Callable[[], float],
        waiting_bytes: Callable[[], float],
        arriving_bytes: Callable[[], float],
        connections: Callable[[], float],
    ) -> None:
        """Read these at each scrape."""
        for name, documentation, value in (
            ("checkpoint_messages_waiting", "Messages that wait for the queue to confirm them.", waiting),
            ("checkpoint_messages_waiting_bytes", "Size of the messages that wait for the queue.", waiting_bytes),
            ("checkpoint_bodies_arriving_bytes", "Size of what has arrived of unfinished requests.", arriving_bytes),
            ("checkpoint_connections", "Connections of clients that are open.", connections),
        ):
            Gauge(name, documentation, registry=self.registry).set_function(value)
