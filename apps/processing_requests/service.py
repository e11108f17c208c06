"""The intake's composition root: adapters are opened here, handed on as arguments, and closed in reverse order."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
import uvicorn

from checkpoint.background import in_background
from checkpoint.health import Health
from checkpoint.message_queue.by_url import open_sending
from checkpoint.private_port import serve_private_port
from checkpoint.tally import Tally
from processing_requests.body import BodyReader
from processing_requests.metrics import Metrics
from processing_requests.processing_requests import Intake, build_app
from processing_requests.sending import CONDITION, Sending
from processing_requests.tokens import Tokens, keep_fresh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.applications import Starlette

    from processing_requests.settings import IntakeSettings

_log = structlog.get_logger()

# Longer than the 60 s for which AWS's load balancers keep an idle connection, so that it is never this side that
# closes one under a request: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-idle-timeout.html
_KEEP_ALIVE_SECONDS = 75


async def run(settings: IntakeSettings, refetch_tokens: Callable[[], Awaitable[str]] | None) -> None:
    """Serve until SIGTERM or SIGINT; return when every request that came has been answered.

    refetch_tokens: reads the tokens anew, where they come from a parameter store.
    Raises ValueError for a setting that cannot be used, OSError for a port that is taken.
    """
    health, metrics, tokens, tally = Health(untried=[CONDITION]), Metrics(), Tokens(settings.tokens), Tally("answered")
    chores = [tally.report_now_and_then()]
    if refetch_tokens:
        chores.append(keep_fresh(tokens, refetch_tokens, every_seconds=settings.token_refresh_seconds))
    async with open_sending(settings.queue_url) as queue:
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
        with (
            serve_private_port(settings.private_host, settings.private_port, health=health, metrics=metrics.registry),
            _listen(settings.host, settings.port) as public,
        ):
            async with in_background(sending.probe_while_at_fault(), *chores):
                await _serve_http(build_app(intake), public, drain_seconds=settings.drain_seconds)
                await sending.drain()
    _log.info("stopped")


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=2048) as listening:
        _log.info("listening", host=host, port=listening.getsockname()[1])
        yield listening


class _Server(uvicorn.Server):
    """uvicorn with its signals left to this composition root: its own handler ends the process by the signal."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


async def _serve_http(app: Starlette, public: socket.socket, *, drain_seconds: float) -> None:
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(drain_seconds)),
    )
    await _Server(config).serve([public])
