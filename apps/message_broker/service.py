"""The broker put together: `build` wires it, `run` opens what it needs and moves messages until it is told to stop."""

from __future__ import annotations

import os
import random as standard_random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from checkpoint.archive.adapters import open_archive
from checkpoint.message_queue.adapters import open_receiving
from checkpoint.message_queue.port import LocalQueue
from checkpoint.operations.background import in_background
from checkpoint.operations.counted_queue import CountedReceivingQueue
from checkpoint.operations.counted_store import CountedStore
from checkpoint.operations.health import Health
from checkpoint.operations.messaging_spans import Destination
from checkpoint.operations.private_port import serve_private_port
from checkpoint.operations.signals import stop_on_signals
from checkpoint.operations.summary import log_summary
from checkpoint.operations.tracing import open_tracing
from checkpoint.operations.volume import Free
from checkpoint.settings import convert_to_settings_error
from message_broker.archive_probe import ArchiveProbe
from message_broker.circuit_breaker import ARCHIVE, QUEUE, CircuitBreaker
from message_broker.fetching import Fetcher
from message_broker.in_flight import InFlight
from message_broker.message_broker import Broker
from message_broker.metrics import Metrics
from message_broker.queue_depth import QueueDepth
from message_broker.slots import Slots
from message_broker.traced import TracedArchive, TracedBroker
from message_broker.visibility import VisibilityTimeouts

if TYPE_CHECKING:
    from asyncio import Event

    from checkpoint.archive.archive import Archive
    from checkpoint.clock import Clock, Random
    from checkpoint.message_queue.port import ReceivingQueue
    from checkpoint.operations.tracing import Tracing
    from message_broker.settings import BrokerSettings

_log = structlog.get_logger()


@dataclass(frozen=True)
class Service:
    """The broker, put together."""

    archive_probe: ArchiveProbe
    fetcher: Fetcher
    broker: Broker
    in_flight: InFlight
    health: Health
    metrics: Metrics
    depth: QueueDepth
    grace_seconds: float

    async def run(self, stop: Event) -> None:
        """Move messages until `stop` is set; return when those in flight have ended or are released."""
        background = [
            self.in_flight.renew_visibility_periodically(),
            self.depth.measure_periodically(),
            self.depth.forget_periodically(),
            log_summary("messages_moved", self.metrics.messages),
        ]
        async with in_background(*background):
            try:
                async with in_background(self._fetch()):
                    await stop.wait()
                    await self.fetcher.stop()
            finally:  # after an unforeseen error, too
                await self.broker.stop(grace_seconds=self.grace_seconds)

    async def _fetch(self) -> None:
        await self.archive_probe.until_available()
        await self.fetcher.fetch()


def build(
    settings: BrokerSettings,
    queue: ReceivingQueue,
    archive: Archive,
    clock: Clock = time,
    random: Random = standard_random,
    *,
    tracing: Tracing | None = None,
) -> Service:
    """Wire the broker around a queue and an archive that are open. Nothing runs yet.

    tracing: None for a broker without traces.
    """
    health = Health(untried=[QUEUE], assumed_healthy=[ARCHIVE], clock=clock)
    metrics = Metrics(clock)
    free_bytes, free_inodes = _free(queue, archive)
    queue = CountedReceivingQueue(queue, metrics.queue_calls)
    archive = archive.through(lambda store: CountedStore(store, metrics.archive_calls))
    slots = Slots(
        settings.slots,
        max_bytes=settings.max_in_flight_bytes,
        most_bytes=lambda count: queue.limits.most_bytes(count),  # noqa: PLW0108  the queue may change its limits
    )
    breaker = CircuitBreaker(
        health=health,
        random=random,
        most_outside_trials=settings.slots - 1,
        most_failing_alone=settings.slots // 4,
        on_retry=metrics.retried,
    )
    in_flight = InFlight(
        queue,
        slots=slots,
        breaker=breaker,
        visibility=VisibilityTimeouts(queue, timeout_seconds=settings.visibility_seconds, clock=clock),
        max_pending_deletes=max(settings.slots, 2 * queue.limits.entries),  # two calls: one fills while one is made
    )
    make_broker: type[Broker] | partial[TracedBroker] = Broker
    if tracing:
        make_broker = partial(TracedBroker, tracing=tracing, destination=Destination.of(settings.queue_url))
        archive = TracedArchive(archive, tracing, urlsplit(settings.archive_url).scheme)
    broker = make_broker(
        archive=archive, in_flight=in_flight, breaker=breaker, health=health, metrics=metrics, clock=clock
    )
    # A quarter of the slots, so that several calls are under way also where there are few.
    batch = min(queue.limits.entries, max(1, settings.slots // 4))
    fetcher = Fetcher(
        queue=queue,
        hand_over=broker.start,
        slots=slots,
        in_flight=in_flight,
        breaker=breaker,
        health=health,
        clock=clock,
        random=random,
        batch=batch,
        most_polls=min(queue.limits.calls_at_once, -(-settings.slots // batch)),
        wait_seconds=settings.wait_seconds,
        visibility_seconds=settings.visibility_seconds,
    )
    depth = QueueDepth(queue=queue, in_flight=in_flight, metrics=metrics, clock=clock)
    metrics.watch(
        in_flight=lambda: in_flight.count,
        in_flight_bytes=lambda: in_flight.payload_bytes,
        slots=settings.slots,
        circuit=lambda: breaker.state,
        archive_up=lambda: health.is_healthy(ARCHIVE),
        queue_up=lambda: health.is_healthy(QUEUE),
        free_bytes=lambda: _read(free_bytes),
        free_inodes=lambda: _read(free_inodes),
        depth=depth,
    )
    archive_probe = ArchiveProbe(archive=archive, health=health, random=random)
    return Service(archive_probe, fetcher, broker, in_flight, health, metrics, depth, settings.grace_seconds)


def _free(queue: ReceivingQueue, archive: Archive) -> tuple[dict[str, Free], dict[str, Free]]:
    """What tells how many bytes and inodes are free for the queue and the archive, where these are local."""
    free_bytes, free_inodes = {}, {}
    if isinstance(queue, LocalQueue):
        free_bytes["queue"] = Free(queue.free_bytes)
    if store := archive.local_store:
        free_bytes["archive"], free_inodes["archive"] = Free(store.free_bytes), Free(store.free_inodes)
    return free_bytes, free_inodes


def _read(free: dict[str, Free]) -> dict[str, float]:
    """What is known of it."""
    return {name: number for name, each in free.items() if (number := each.read()) is not None}


async def run(settings: BrokerSettings) -> None:
    """Move messages until SIGTERM or SIGINT.

    Raises SettingsError for a setting or a port that cannot be used.
    """
    stop = stop_on_signals()
    async with AsyncExitStack() as opened:
        tracing = await opened.enter_async_context(open_tracing("message_broker", os.environ))
        with convert_to_settings_error("ARCHIVE_URL"):
            archive = await opened.enter_async_context(open_archive(settings.archive_url))
        with convert_to_settings_error("QUEUE_URL"):
            queue = await opened.enter_async_context(open_receiving(settings.queue_url))
        service = build(settings, queue, archive, tracing=tracing)
        with convert_to_settings_error():
            port = opened.enter_context(
                serve_private_port(
                    settings.private_host, settings.private_port, service.health, service.metrics.registry
                )
            )
        _log.info("started", private_port=port)
        await service.run(stop)
    _log.info("stopped")
