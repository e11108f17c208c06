"""A broker over a queue and a store in memory, both at the test's word."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from checkpoint.archive.archive import Archive
from checkpoint.message_queue.memory import MemoryQueue
from checkpoint.operations.health import Health
from checkpoint.operations.tally import Tally
from message_broker.leases import Leases
from message_broker.message_broker import DELETING, Broker
from message_broker.metrics import Metrics
from message_broker.patience import ARCHIVING, PatientArchive
from message_broker.receiving import RECEIVING, Receiver
from message_broker.slots import Slots
from objects import MemoryObjects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DEADLINE = 5.0
VISIBILITY = 30


class Bench:
    """A broker and all around it."""

    def __init__(self, *, slots: int = 8) -> None:
        self.clock = 1e9  # far from the clock of any machine: a use of that one shows
        self.queue = MemoryQueue(now=lambda: self.clock)
        self.store = MemoryObjects()
        self.health = Health(untried=[RECEIVING], assumed_healthy=[ARCHIVING, DELETING])
        self.slots = Slots(slots)
        self.metrics = Metrics()
        self.leases = Leases(self.queue, visibility_seconds=VISIBILITY, now=lambda: self.clock)
        self.delays: list[int] = []
        self.stopping = False
        archive = PatientArchive(Archive(self.store), health=self.health, delay=self.delay)
        self.receiver = Receiver(
            self.queue,
            archive,
            slots=self.slots,
            leases=self.leases,
            health=self.health,
            wait_seconds=20,
            visibility_seconds=VISIBILITY,
            delay=self.delay,
        )
        self.broker = Broker(
            self.queue,
            archive,
            receiver=self.receiver,
            slots=self.slots,
            leases=self.leases,
            health=self.health,
            metrics=self.metrics,
            tally=Tally("moved"),
        )

    def delay(self, attempt: int) -> float:
        self.delays.append(attempt)
        return 0.001

    @asynccontextmanager
    async def running(self, *, receivers: int = 1, grace_seconds: float = 0) -> AsyncIterator[None]:
        """Receive while the body runs, then stop as the service does."""
        tasks = [asyncio.create_task(self.broker.consume(only_in_crowds=number > 0)) for number in range(receivers)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            self.stopping = True
            await self.broker.finish(grace_seconds=grace_seconds)
        assert all(outcome is None or isinstance(outcome, asyncio.CancelledError) for outcome in outcomes), outcomes

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait on a condition, with a deadline."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110  the condition is a look at memory, which tells nobody
                await asyncio.sleep(0.001)

    def visible(self) -> int:
        """Messages that another receiver would get now."""
        return sum(stored.visible_at <= self.clock for stored in self.queue._stored)
