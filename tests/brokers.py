"""The broker as its composition root builds it, over a queue and a store in memory, with time and chance at hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from checkpoint.archive.archive import Archive
from checkpoint.message_queue.memory import MemoryQueue
from checkpoint.message_queue.port import Limits
from message_broker.service import build
from message_broker.settings import BrokerSettings
from objects import MemoryObjects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from checkpoint.message_queue.port import EntryFault, Message
    from message_broker.service import Service

DEADLINE = 5.0


class ManualClock:
    """Stands still until it is set; far from the clock of any machine, so that a use of that one shows."""

    def __init__(self) -> None:
        self.now = 1e9

    def time(self) -> float:
        return self.now

    monotonic = time


class ShortBackoffs:
    """Gives every backoff the length of a millisecond.

    longest: what each could have been, in seconds.
    """

    def __init__(self) -> None:
        self.longest: list[float] = []

    def uniform(self, _: float, longest: float, /) -> float:
        self.longest.append(longest)
        return 0.001


class WatchedQueue(MemoryQueue):
    """A queue in memory that shows its calls, and delays or fails them as a test says.

    receives, deletes: how much each call asked for or carried, in order.
    most_receives: receives that were under way at once, at most.
    latency: seconds that every call takes.
    failing: what calls of that name raise.
    delete_faults: the fault of every entry of a delete.
    """

    def __init__(self, *, limits: Limits, now: Callable[[], float]) -> None:
        super().__init__(limits=limits, now=now)
        self.receives: list[int] = []
        self.deletes: list[int] = []
        self.waits: list[float] = []
        self.under_way = 0
        self.most_receives = 0
        self.latency = 0.0
        self.failing: dict[str, Exception] = {}
        self.delete_faults: EntryFault | None = None

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        self.receives.append(at_most)
        self.waits.append(wait_seconds)
        self.under_way += 1
        self.most_receives = max(self.most_receives, self.under_way)
        try:
            await self._come_and_go("receive")
            return await super().receive(at_most, wait_seconds=wait_seconds, visibility_seconds=visibility_seconds)
        finally:
            self.under_way -= 1

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        self.deletes.append(len(messages))
        await self._come_and_go("delete")
        if self.delete_faults:
            return [self.delete_faults] * len(messages)
        return await super().delete(messages)

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        await self._come_and_go("change_visibility")
        return await super().change_visibility(messages, visibility_seconds)

    async def dead_letter(self, message: Message, reason: str) -> None:
        await self._come_and_go("dead_letter")
        await super().dead_letter(message, reason)

    async def _come_and_go(self, call: str) -> None:
        await asyncio.sleep(self.latency)
        if call in self.failing:
            raise self.failing[call]


class RunningBroker:
    """A broker, what it stands between, and a look at both."""

    def __init__(self, *, entries: int = 10, calls_at_once: int = 32, **settings: Any) -> None:
        self.clock = ManualClock()
        self.backoffs = ShortBackoffs()
        limits = Limits(entries=entries, payload_bytes=262_144, calls_at_once=calls_at_once)
        self.queue = WatchedQueue(limits=limits, now=self.clock.time)
        self.store = MemoryObjects()
        self.settings = BrokerSettings(**({"slots": 8, "grace_seconds": 5} | settings))
        self.service = self.build()
        self.stop = asyncio.Event()

    def build(self) -> Service:
        """A broker that remembers nothing, over the same queue and store."""
        return build(self.settings, self.queue, Archive(self.store), self.clock, self.backoffs)

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
