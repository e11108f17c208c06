"""The intake's composition root: adapters are opened here, handed on as arguments, and closed in reverse order."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from checkpoint.message_queue.adapters import open_sending
from checkpoint.operations.background import in_background
from checkpoint.operations.health import Health
from checkpoint.operations.private_port import serve_private_port
from checkpoint.operations.signals import stop_on_signals
from checkpoint.operations.tally import Tally
from checkpoint.settings import convert_to_settings_error
from processing_requests.body import BodyReader
from processing_requests.http_server import listen, serve_http
from processing_requests.metrics import Metrics
from processing_requests.processing_requests import Intake, build_app
from processing_requests.sending import SENDING, Sending
from processing_requests.tokens import Tokens, keep_fresh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from processing_requests.settings import IntakeSettings

_log = structlog.get_logger()


async def run(settings: IntakeSettings, refetch_tokens: Callable[[], Awaitable[str]] | None) -> None:
    """Serve until SIGTERM or SIGINT; return when every request that came has been answered.

    refetch_tokens: reads the tokens anew, where they come from a parameter store.
    Raises SettingsError for a setting or a port that cannot be used.
    """
    stop = stop_on_signals()
    health, metrics, tally = Health(untried=[SENDING]), Metrics(), Tally("answered")
    async with AsyncExitStack() as opened:
        with convert_to_settings_error():
            tokens = Tokens(settings.tokens)
            queue = await opened.enter_async_context(open_sending(settings.queue_url))
            opened.enter_context(
                serve_private_port(settings.private_host, settings.private_port, health, metrics.registry)
            )
            public = opened.enter_context(listen(settings.host, settings.port))
        sending = Sending(
            queue,
            health=health,
            metrics=metrics,
            timeout_seconds=settings.queue_timeout_seconds,
            max_waiting=settings.max_waiting,
            max_waiting_bytes=settings.max_waiting_bytes,
        )
        bodies = BodyReader(
            max_bytes=settings.max_request_bytes,
            max_bytes_held=settings.max_waiting_bytes,
            timeout_seconds=settings.body_timeout_seconds,
        )
        intake = Intake(
            tokens=tokens,
            bodies=bodies,
            sending=sending,
            metrics=metrics,
            tally=tally,
            clock_skew_seconds=settings.clock_skew_seconds,
        )
        chores = [sending.probe_while_at_fault(), tally.report_now_and_then()]
        if refetch_tokens:
            chores.append(keep_fresh(tokens, refetch_tokens, every_seconds=settings.token_refresh_seconds))
        async with in_background(*chores):
            await serve_http(
                build_app(intake),
                public,
                stop=stop,
                header_timeout_seconds=settings.header_timeout_seconds,
                drain_seconds=settings.drain_seconds,
            )
            await sending.drain()
    _log.info("stopped")
