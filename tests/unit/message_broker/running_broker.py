"""The broker as its composition root builds it, over a queue and a store in memory, with time and chance at hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from checkpoint.archive.archive import Archive
from checkpoint.message_queue.port import Limits
from clocks import ManualClock
from message_broker.service import build
from message_broker.settings import BrokerSettings
from objects import MemoryObjects
from unit.message_broker.watched_queue import WatchedQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from checkpoint.operations.tracing import Tracing
    from message_broker.service import Service

DEADLINE = 5.0


class ShortBackoffs:
    """Gives every backoff the length of a millisecond.

    first: the lengths of the next ones, where a test wants them longer. longest: what each could have been. In seconds.
    """

    def __init__(self) -> None:
        self.first: list[float] = []
        self.longest: list[float] = []

    def uniform(self, _: float, longest: float, /) -> float:
        self.longest.append(longest)
        return self.first.pop(0) if self.first else 0.001


class RunningBroker:
    """A broker, what it stands between, and a look at both."""

    def __init__(
        self,
        *,
        entries: int = 10,
        calls_at_once: int = 32,
        depth_seconds: float = 60,
        tracing: Tracing | None = None,
        **settings: Any,
    ) -> None:
        self.clock = ManualClock()
        self.backoffs = ShortBackoffs()
        limits = Limits(
            entries=entries,
            payload_bytes=262_144,
            message_bytes=262_144,
            calls_at_once=calls_at_once,
            depth_seconds=depth_seconds,
        )
        self.queue = WatchedQueue(limits=limits, now=self.clock.time)
        self.store = MemoryObjects()
        self.settings = BrokerSettings(**({"slots": 8, "grace_seconds": 5} | settings))
        self.tracing = tracing
        self.service = self.build()
        self.stop = asyncio.Event()

    def build(self) -> Service:
        """A broker that remembers nothing, over the same queue and store."""
        archive = Archive(self.store)
        return build(self.settings, self.queue, archive, self.clock, self.backoffs, tracing=self.tracing)

    @property
    def faults(self) -> dict[str, str]:
        return dict(self.service.health.faults)

    @property
    def in_flight(self) -> int:
        return self.service.in_flight.count

    def counted(self, outcome: str) -> float | None:
        """Messages that ended so."""
        return self.service.metrics.registry.get_sample_value("checkpoint_messages_total", {"outcome": outcome})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run while the body runs, then stop as the service does."""
        run = asyncio.create_task(self.service.run(self.stop))
        try:
            yield
        finally:
            self.stop.set()
            await run

    async def drained(self) -> None:
        """Wait until the queue is empty and every message has ended."""
        await self.until(lambda: not self.queue.bodies and not self.in_flight)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait on a condition, with a deadline."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110  the condition is a look at memory, which tells nobody
                await asyncio.sleep(0.001)

    def visible(self) -> int:
        """Messages that another receiver would get now."""
        return sum(stored.visible_at <= self.clock.now for stored in self.queue._stored)
