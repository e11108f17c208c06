"""The intake put together: `build` wires it, `run` opens what it needs and serves until the process is told to stop."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from checkpoint.message_queue.adapters import open_sending
from checkpoint.operations.background import in_background
from checkpoint.operations.health import Health
from checkpoint.operations.private_port import serve_private_port
from checkpoint.operations.signals import stop_on_signals
from checkpoint.operations.summary import log_summary
from checkpoint.settings import convert_to_settings_error
from processing_requests.body import BodyReader
from processing_requests.http_server import listen, serve_http
from processing_requests.metrics import Metrics
from processing_requests.processing_requests import Intake, build_app
from processing_requests.queue_sender import QUEUE, QueueSender
from processing_requests.tokens import Tokens, refresh_periodically

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.applications import Starlette

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import SendingQueue
    from processing_requests.settings import IntakeSettings

    FetchTokens = Callable[[], Awaitable[str]]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """An intake that is wired: nothing of it listens or runs yet."""

    settings: IntakeSettings
    app: Starlette
    health: Health
    metrics: Metrics
    tokens: Tokens
    sender: QueueSender

    async def serve(
        self, listening: socket.socket, stop: asyncio.Event, fetch_tokens: FetchTokens | None = None
    ) -> None:
        """Answer requests until `stop` is set; return when every request that came has been answered.

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
            await serve_http(
                self.app,
                listening,
                stop=stop,
                header_timeout_seconds=self.settings.header_timeout_seconds,
                drain_seconds=self.settings.drain_seconds,
            )
            await self.sender.drain()


def build(settings: IntakeSettings, queue: SendingQueue, clock: Clock = time) -> Service:
    """Wire an intake over an open queue. Raises ValueError where TOKEN holds no token."""
    health, metrics, tokens = Health(untried=[QUEUE], clock=clock), Metrics(), Tokens(settings.tokens)
    bodies = BodyReader(
        max_bytes_held=settings.max_waiting_bytes,
        timeout_seconds=settings.body_timeout_seconds,
    )
    sender = QueueSender(
        queue=queue,
        health=health,
        metrics=metrics,
        timeout_seconds=settings.queue_timeout_seconds,
        max_request_bytes=settings.max_request_bytes,
        max_waiting=settings.max_waiting,
        max_waiting_bytes=settings.max_waiting_bytes,
    )
    metrics.watch(
        waiting=lambda: sender.waiting,
        waiting_bytes=lambda: sender.waiting_bytes,
        arriving_bytes=lambda: bodies.bytes_held,
    )
    intake = Intake(
        tokens=tokens,
        bodies=bodies,
        sender=sender,
        metrics=metrics,
        clock=clock,
        clock_skew_seconds=settings.clock_skew_seconds,
    )
    return Service(settings, build_app(intake), health, metrics, tokens, sender)


@asynccontextmanager
async def open_service(settings: IntakeSettings) -> AsyncIterator[Service]:
    """An intake over the queue that the settings name. Raises SettingsError for a setting that cannot be used."""
    async with AsyncExitStack() as opened:
        with convert_to_settings_error("QUEUE_URL"):
            queue = await opened.enter_async_context(open_sending(settings.queue_url))
        with convert_to_settings_error():
            service = build(settings, queue)
        yield service


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
