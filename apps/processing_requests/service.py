"""The intake put together: `build` wires it, `run` opens what it needs and serves until the process is told to stop."""

from __future__ import annotations

import os
import time
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.message_queue.adapters import open_sending
from checkpoint.message_queue.port import LocalQueue
from checkpoint.operations.background import in_background
from checkpoint.operations.counted_queue import CountedSendingQueue
from checkpoint.operations.health import Health
from checkpoint.operations.messaging_spans import Destination
from checkpoint.operations.private_port import serve_private_port
from checkpoint.operations.signals import stop_on_signals
from checkpoint.operations.summary import log_summary
from checkpoint.operations.tracing import open_tracing
from checkpoint.operations.volume import Free
from checkpoint.settings import convert_to_settings_error
from processing_requests.docs.files import documents
from processing_requests.ending import ends_within
from processing_requests.http.bounds import Bounds
from processing_requests.http.open_connections import OpenConnections
from processing_requests.http.routes import Routes
from processing_requests.http.server import accept_all, connection_limit, listen, raise_file_limit, serve_http
from processing_requests.metrics import Metrics
from processing_requests.processing_requests import Intake
from processing_requests.queue_sender import QUEUE, QueueSender
from processing_requests.tokens import Tokens, refresh_periodically
from processing_requests.traced import TracedIntake, TracedQueue, TracedQueueSender

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import SendingQueue
    from checkpoint.operations.tracing import Tracing
    from processing_requests.http.routes import Route
    from processing_requests.http.server import Accept
    from processing_requests.settings import IntakeSettings

    FetchTokens = Callable[[], Awaitable[str]]

# For the queue to close, which waits for the call that it is at.
_CLOSE_SECONDS: Final = 0.5

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """An intake that is wired: nothing of it listens or runs yet."""

    settings: IntakeSettings
    connections: OpenConnections
    health: Health
    metrics: Metrics
    tokens: Tokens
    sender: QueueSender
    intake: Intake

    async def serve(
        self,
        listening: socket.socket,
        stop: asyncio.Event,
        fetch_tokens: FetchTokens | None = None,
        accept: Accept = accept_all,
    ) -> None:
        """Answer requests until `stop` is set; return when every request that came has been answered.

        fetch_tokens: as `in_operation` has it. accept: as `serve_http` has it.
        """
        async with self.in_operation(fetch_tokens):
            await serve_http(self.connections, listening, stop, accept)

    @asynccontextmanager
    async def in_operation(self, fetch_tokens: FetchTokens | None = None) -> AsyncIterator[None]:
        """All of an intake but what listens: while the body runs, `intake` can be given requests.

        Afterwards it waits for the calls to the queue that are under way.

        fetch_tokens: reads the tokens again, where they come from a parameter store; gives them separated by commas.
        """
        background = [
            self.sender.probe_while_unhealthy(),
            self.sender.refresh_limits_periodically(),
            log_summary("requests_answered", self.metrics.requests),
        ]
        if fetch_tokens:
            interval = self.settings.token_refresh_seconds
            background.append(refresh_periodically(self.tokens, fetch_tokens, every_seconds=interval))
        async with in_background(*background):
            yield
            await self.sender.drain()


def build(
    settings: IntakeSettings, queue: SendingQueue, clock: Clock = time, *, tracing: Tracing | None = None
) -> Service:
    """Wire an intake over an open queue, inside the running event loop.

    tracing: None for an intake without traces.
    Raises ValueError where TOKEN holds no token.
    """
    health, metrics, tokens = Health(untried=[QUEUE], clock=clock), Metrics(clock), Tokens(settings.tokens)
    make_sender: type[QueueSender] | partial[TracedQueueSender] = QueueSender
    make_intake: type[Intake] | partial[TracedIntake] = Intake
    sending = queue
    if tracing:
        destination = Destination.of(settings.queue_url)
        sending = TracedQueue(queue, tracing, destination)
        make_sender = partial(TracedQueueSender, tracing=tracing, destination=destination)
        make_intake = partial(TracedIntake, tracing=tracing)
    sender = make_sender(
        queue=CountedSendingQueue(sending, metrics.queue_calls),
        health=health,
        metrics=metrics,
        timeout_seconds=settings.queue_timeout_seconds,
        max_request_bytes=settings.max_request_bytes,
        max_waiting=settings.max_waiting,
        max_waiting_bytes=settings.max_waiting_bytes,
    )
    intake = make_intake(
        tokens=tokens,
        sender=sender,
        metrics=metrics,
        clock=clock,
        clock_skew_seconds=settings.clock_skew_seconds,
        logs_each=settings.log_level == "debug",
    )
    routes: dict[bytes, dict[bytes, Route]] = {b"/process_request": {b"POST": intake}}
    for path, document in documents().items():
        routes[path] = {b"GET": document, b"HEAD": document}
    most_connections = connection_limit(settings.max_connections)
    connections = OpenConnections(
        Routes(routes),
        Bounds(
            head_seconds=settings.header_timeout_seconds,
            body_seconds=settings.body_timeout_seconds,
            answer_seconds=settings.answer_timeout_seconds,
            drain_seconds=settings.drain_seconds,
            connections=most_connections,
            held_bytes=settings.max_waiting_bytes,
        ),
        clock,
        on_given_up=metrics.connections_given_up.inc,
    )
    metrics.watch(
        waiting=lambda: sender.waiting,
        waiting_bytes=lambda: sender.waiting_bytes,
        arriving_bytes=lambda: connections.held_bytes,
        connections=lambda: connections.count,
        most_waiting=settings.max_waiting,
        most_connections=most_connections,
        queue_up=lambda: health.is_healthy(QUEUE),
        queue_free_bytes=Free(queue.free_bytes).read if isinstance(queue, LocalQueue) else lambda: None,
    )
    connections.on_refused = metrics.refused
    return Service(settings, connections, health, metrics, tokens, sender, intake)


@asynccontextmanager
async def open_service(settings: IntakeSettings) -> AsyncIterator[Service]:
    """An intake over the queue that the settings name; after the body the process ends, if the queue does not close.

    Raises SettingsError for a setting that cannot be used.
    """
    raise_file_limit()
    async with open_tracing("processing_requests", os.environ) as tracing:
        with ExitStack() as closing:
            async with AsyncExitStack() as opened:
                with convert_to_settings_error("QUEUE_URL"):
                    queue = await opened.enter_async_context(open_sending(settings.queue_url))
                with convert_to_settings_error():
                    service = build(settings, queue, tracing=tracing)
                yield service
                closing.enter_context(ends_within(_CLOSE_SECONDS))


async def run(settings: IntakeSettings, fetch_tokens: FetchTokens | None) -> None:
    """Serve until SIGTERM or SIGINT; return when every request that came has been answered.

    fetch_tokens: as `Service.serve` has it.
    Raises SettingsError for a setting or a port that cannot be used.
    """
    stop = stop_on_signals()
    async with open_service(settings) as service:
        with ExitStack() as opened:
            with convert_to_settings_error():
                opened.enter_context(
                    serve_private_port(
                        settings.private_host, settings.private_port, service.health, service.metrics.registry
                    )
                )
                listening = opened.enter_context(listen(settings.host, settings.port))
            await service.serve(listening, stop, fetch_tokens)
    _log.info("stopped")
