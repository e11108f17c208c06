"""The intake as several processes: the parent of the workers, which has the ports and takes no request itself."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import structlog

from checkpoint.operations.background import in_background
from checkpoint.operations.private_port import serve_readings
from checkpoint.operations.signals import stop_on_signals
from checkpoint.settings import convert_to_settings_error
from processing_requests.http.server import listen
from processing_requests.tokens import Tokens, refresh_periodically
from processing_requests.workers.child import Child
from processing_requests.workers.children import Children, WorkersGivenUpError
from processing_requests.workers.connection_counts import ConnectionCounts
from processing_requests.workers.ending import seconds_to_end
from processing_requests.workers.metrics import ParentMetrics
from processing_requests.workers.readings import ReadingsOfAll

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from processing_requests.settings import IntakeSettings

_log = structlog.get_logger()


async def run_workers(settings: IntakeSettings, count: int, fetch_tokens: Callable[[], Awaitable[str]] | None) -> bool:
    """Serve with `count` workers until SIGTERM or SIGINT; return when every request that came has been answered.

    fetch_tokens: as `Service.serve` has it; the parent reads them, so that all workers change them at the same time.
    Returns whether all has ended well: False where workers were given up, or one failed or had to be killed at the end.
    Raises SettingsError for a setting or a port that cannot be used.
    """
    stop = stop_on_signals()
    patience = seconds_to_end(settings)
    with ExitStack() as opened:
        counts = opened.enter_context(closing(ConnectionCounts.create(count)))
        metrics = ParentMetrics()
        children = Children(settings, count, lambda number: Child(number, listening, counts), metrics)
        metrics.watch(serving=lambda: len(children.serving))
        with convert_to_settings_error():
            tokens = _TokensOfAll(settings.tokens, children)
            readings = ReadingsOfAll(asyncio.get_running_loop(), children, metrics.registry)
            opened.enter_context(serve_readings(settings.private_host, settings.private_port, readings))
            listening = opened.enter_context(listen(settings.host, settings.port))
        background = [children.keep_running(number) for number in children.numbers]
        if fetch_tokens:
            background.append(refresh_periodically(tokens, fetch_tokens, every_seconds=settings.token_refresh_seconds))
        try:
            async with in_background(*background):
                await stop.wait()
                listening.close()
                has_ended_well = await children.stop(within=patience)
        except WorkersGivenUpError:
            _log.error("workers_given_up")
            return False
        finally:
            await children.end(within=patience)
    _log.info("stopped")
    return has_ended_well


class _TokensOfAll(Tokens):
    """The valid tokens; when they are replaced, every worker gets them."""

    def __init__(self, text: str, children: Children) -> None:
        self._children = children
        super().__init__(text)

    def replace(self, text: str) -> None:
        super().replace(text)
        self._children.share_tokens(text)
