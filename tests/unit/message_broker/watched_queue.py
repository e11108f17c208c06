"""The broker's queue in tests: in memory, with its calls in view and its faults at the test's word."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from checkpoint.message_queue.memory import MemoryQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checkpoint.message_queue.port import EntryFault, Limits, Message


class WatchedQueue(MemoryQueue):
    """A queue in memory that shows its calls, and delays or fails them as a test says.

    receives, deletes: how much each call asked for or carried, in order.
    most_receives: receives that were under way at once, at most.
    latency: seconds that every call takes.
    receives_cut_off: how many were cancelled.
    most_per_receive: what a receive brings at most, whatever it asks for, as SQS does.
    ends_waits_at_once: whether a receive that finds nothing says so without its wait; on_wait: what it does with the
    seconds that it was let wait.
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
        self.receives_cut_off = 0
        self.latency = 0.0
        self.most_per_receive = 1_000_000
        self.ends_waits_at_once = False
        self.on_wait: Callable[[float], object] = lambda _: None
        self.failing: dict[str, Exception] = {}
        self.delete_faults: EntryFault | None = None

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        self.receives.append(at_most)
        self.waits.append(wait_seconds)
        self.under_way += 1
        self.most_receives = max(self.most_receives, self.under_way)
        try:
            await self._come_and_go("receive")
            at_most = min(at_most, self.most_per_receive)
            if self.ends_waits_at_once:
                self.on_wait(wait_seconds)
                wait_seconds = 0
            return await super().receive(at_most, wait_seconds=wait_seconds, visibility_seconds=visibility_seconds)
        except asyncio.CancelledError:
            self.receives_cut_off += 1
            raise
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
