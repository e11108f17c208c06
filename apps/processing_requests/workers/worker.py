"""The program of one worker; its parent starts it, and nobody else."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
import uvloop

from checkpoint.operations.background import in_background
from checkpoint.operations.health import UNTRIED
from checkpoint.operations.signals import stop_on_signals
from checkpoint.operations.telemetry import configure_logging, log_failure
from checkpoint.settings import SettingsError
from processing_requests.service import open_service
from processing_requests.workers import messages
from processing_requests.workers.accepting import accept_share
from processing_requests.workers.channel import Channel
from processing_requests.workers.connection_counts import ConnectionCounts
from processing_requests.workers.ending import end_after, seconds_to_end

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from processing_requests.http.open_connections import OpenConnections
    from processing_requests.http.server import Accept
    from processing_requests.service import Service
    from processing_requests.settings import IntakeSettings
    from processing_requests.workers.messages import FromWorker, ToWorker

_LOOK_SECONDS: Final = 0.01
# Half of what the parent gives a worker to start, so that a longer QUEUE_TIMEOUT_SECONDS does not have it killed.
_MOST_QUEUE_SECONDS: Final = 30.0

_log = structlog.get_logger()


def main() -> None:
    """Serve until the parent says so, or is gone.

    The arguments are the worker's number, the parent's process ID, and the descriptors of its end of the channel, of
    the listening socket and of the connection counts.
    """
    sys.exit(uvloop.run(_work(*map(int, sys.argv[1:]))))


async def _work(number: int, parent: int, end: int, listening: int, counts: int) -> int:
    """Serve; returns the exit code."""
    stop = stop_on_signals()
    channel: Channel[FromWorker, ToWorker] = await Channel.open(socket.socket(fileno=end), messages.ToWorker)
    begin = await channel.receive()
    if not isinstance(begin, messages.Begin):
        return 0  # the parent is gone
    end_after(parent, seconds=seconds_to_end(begin.settings))
    configure_logging(begin.settings.log_level, begin.settings.log_format, worker=number)
    accept = partial(accept_share, counts=ConnectionCounts(counts), worker=number)
    try:
        await _serve(begin.settings, channel, socket.socket(fileno=listening), stop, accept)
    except SettingsError as error:
        channel.send(messages.CannotStart(str(error)))
        return 1
    except Exception as error:  # noqa: BLE001  the parent starts another worker; the reason is in the log
        log_failure(_log, error)
        return 1
    finally:
        await channel.close()
    return 0


async def _serve(
    settings: IntakeSettings,
    channel: Channel[FromWorker, ToWorker],
    listening: socket.socket,
    stop: asyncio.Event,
    accept: Accept,
) -> None:
    async with open_service(settings) as service:

        @asynccontextmanager
        async def accept_when_tried(connections: OpenConnections, listening: socket.socket) -> AsyncIterator[None]:
            await _queue_tried(service, stop)
            async with accept(connections, listening):
                channel.send(messages.Serving())
                yield

        async with in_background(_answer(service, channel, stop)):
            await service.serve(listening, stop, accept=accept_when_tried)
        channel.send(messages.Served(messages.read(service.metrics.registry)))
    _log.info("stopped")


async def _queue_tried(service: Service, stop: asyncio.Event) -> None:
    """Return when the queue was tried once, or should have answered.

    Until then requests may have to be answered 503, and a worker that is started again must not take them from others
    that know the queue already.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + min(service.settings.queue_timeout_seconds, _MOST_QUEUE_SECONDS)
    # Health tells nobody of its changes, which are few.
    while UNTRIED in service.health.faults.values() and not stop.is_set() and loop.time() < ends:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)


async def _answer(service: Service, channel: Channel[FromWorker, ToWorker], stop: asyncio.Event) -> None:
    """Answer the parent's questions; set `stop` when it is gone."""
    while (message := await channel.receive()) is not None:
        match message:
            case messages.Ask(messages.Question.HEALTH):
                channel.send(messages.HealthAnswer(dict(service.health.faults), dict(service.health.warnings)))
            case messages.Ask(messages.Question.METRICS):
                # On a thread, as the private port of a single process reads them.
                families = await asyncio.to_thread(messages.read, service.metrics.registry)
                channel.send(messages.MetricsAnswer(families))
            case messages.NewTokens(text):
                service.tokens.replace(text)
    _log.warning("parent_lost")
    stop.set()


if __name__ == "__main__":
    main()
