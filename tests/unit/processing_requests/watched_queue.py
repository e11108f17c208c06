"""A fake of the queue."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from checkpoint.message_queue.memory import MemoryQueue
from checkpoint.message_queue.port import EntryFault, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence


class WatchedQueue:
    """A queue in memory that shows each call, and fails or waits where a test wants it to.

    calls: the bodies of each call, one that failed too. traceparents: of each call that has them.
    probes: how many there were.
    flowing: clear it, and calls wait for it.
    refused: bodies that the queue refuses, each alone, with `fault`.
    unavailable: a text makes every call fail with QueueUnavailableError of that text; None ends the outage.
    error: what a send raises that is no outage.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.calls: list[list[bytes]] = []
        self.traceparents: list[list[str | None]] = []
        self.probes = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.refused: set[bytes] = set()
        self.fault = EntryFault("It is bad.")
        self.error: Exception | None = None
        self._memory = MemoryQueue(limits=limits)

    @property
    def bodies(self) -> list[bytes]:
        """What is on the queue, in the order of sending."""
        return self._memory.bodies

    @property
    def unavailable(self) -> str | None:
        return self._memory.unavailable

    @unavailable.setter
    def unavailable(self, reason: str | None) -> None:
        self._memory.unavailable = reason

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        self.calls.append(list(bodies))
        await self.flowing.wait()
        if self.error:
            raise self.error
        await self._memory.send([body for body in bodies if body not in self.refused])
        return [self.fault if body in self.refused else None for body in bodies]

    async def send_traced(self, bodies: Sequence[bytes], traceparents: Sequence[str | None]) -> list[EntryFault | None]:
        self.traceparents.append(list(traceparents))
        return await self.send(bodies)

    async def probe(self) -> None:
        self.probes += 1
        await self._memory.probe()
