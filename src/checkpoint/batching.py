"""Calls shared by those who come at the same time: group commit, for anything that takes many at once."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class OverloadedError(Exception):
    """More is waiting than the bound allows."""


class Batcher(Generic[Item, Outcome]):
    """Gives each caller the outcome of its own item, while items that wait together share one call.

    Without lingering, a caller that is free takes whatever waits: a lone item waits for nobody, a crowd shares calls.
    Nothing runs while nothing waits, so there is nothing to start; `drain` is for the end.

    call: takes items in the order they came, gives an outcome for each in that order, or raises for all of them.
    entries, payload_bytes: the most that one call carries; the bytes may change, so they are asked for each time.
    calls_at_once: calls that may be under way together.
    linger_seconds: how long an item waits at most for others to fill its call.
    waiting_entries, waiting_bytes: the most that may wait or be under way; one more raises OverloadedError.
    size: an item's bytes, as the called side counts them.
    """

    def __init__(
        self,
        call: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]],
        *,
        entries: int,
        payload_bytes: Callable[[], int] | None = None,
        calls_at_once: int = 1,
        linger_seconds: float = 0,
        waiting_entries: int | None = None,
        waiting_bytes: int | None = None,
        size: Callable[[Item], int] = lambda _: 0,
    ) -> None:
        self._call = call
        self._entries = entries
        self._payload_bytes = payload_bytes
        self._calls_at_once = calls_at_once
        self._linger_seconds = linger_seconds
        self._waiting_entries = waiting_entries
        self._waiting_bytes = waiting_bytes
        self._size = size
        self._waiting: OrderedDict[asyncio.Future[Outcome], tuple[Item, float]] = OrderedDict()
        self._callers: set[asyncio.Task[None]] = set()
        self._lingering: asyncio.TimerHandle | None = None
        self.entries_held = 0
        self.bytes_held = 0

    async def submit(self, item: Item, *, lingers: bool = True) -> Outcome:
        """Wait for the item's outcome. Raises OverloadedError at once, or what the call raised.

        lingers: whether it may wait for others to fill its call; else it goes at once, with those that wait already.
        A cancelled submit leaves the line; where its call is under way already, that call goes on.
        """
        size = self._size(item)
        self._take_place(size)
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Outcome] = loop.create_future()
        self._waiting[outcome] = item, loop.time() if lingers else -math.inf
        if not lingers:
            self._waiting.move_to_end(outcome, last=False)
        self._call_when_due()
        try:
            return await outcome
        finally:
            self._waiting.pop(outcome, None)
            self.entries_held -= 1
            self.bytes_held -= size

    async def drain(self) -> None:
        """Linger no more; wait until no call is under way and nothing waits."""
        self._linger_seconds = 0
        self._call_when_due()
        while self._callers:
            await asyncio.wait(self._callers)

    def _take_place(self, size: int) -> None:
        if self._waiting_entries is not None and self.entries_held >= self._waiting_entries:
            raise OverloadedError
        # A single item always has a place: else one that is larger than the bound could never go.
        if self._waiting_bytes is not None and self.bytes_held and self.bytes_held + size > self._waiting_bytes:
            raise OverloadedError
        self.entries_held += 1
        self.bytes_held += size

    def _due_in(self) -> float:
        """Seconds until the next call; 0 or less: now."""
        if not self._waiting:
            return math.inf
        if not self._linger_seconds or len(self._waiting) >= self._entries:
            return 0
        _, oldest = next(iter(self._waiting.values()))
        return oldest + self._linger_seconds - asyncio.get_running_loop().time()

    def _call_when_due(self) -> None:
        due_in = self._due_in()
        if due_in <= 0:
            if len(self._callers) < self._calls_at_once:
                self._callers.add(asyncio.create_task(self._call_while_due()))
        elif self._lingering is None and self._waiting:
            self._lingering = asyncio.get_running_loop().call_later(due_in, self._end_lingering)

    def _end_lingering(self) -> None:
        self._lingering = None
        self._call_when_due()

    async def _call_while_due(self) -> None:
        try:
            while self._due_in() <= 0:
                await self._call_once()
        finally:  # here, in one step with the look at what waits: an item that comes a moment later starts a new caller
            self._callers.discard(cast("asyncio.Task[None]", asyncio.current_task()))
        self._call_when_due()  # not where it was cancelled: then it is the end

    async def _call_once(self) -> None:
        outcomes, items = self._next_batch()
        try:
            for outcome, value in zip(outcomes, await self._call(items), strict=True):
                if not outcome.done():
                    outcome.set_result(value)
        except Exception as error:  # noqa: BLE001  it is raised again, by each submit
            for outcome in outcomes:
                if not outcome.done():
                    outcome.set_exception(error)
        finally:
            for outcome in outcomes:
                outcome.cancel()  # nobody waits forever, even where this task was cancelled

    def _next_batch(self) -> tuple[list[asyncio.Future[Outcome]], list[Item]]:
        outcomes: list[asyncio.Future[Outcome]] = []
        items: list[Item] = []
        payload = 0
        most = self._payload_bytes() if self._payload_bytes else math.inf
        while self._waiting and len(items) < self._entries:
            outcome, (item, _) = next(iter(self._waiting.items()))
            payload += self._size(item)
            if items and payload > most:
                break
            del self._waiting[outcome]
            outcomes.append(outcome)
            items.append(item)
        return outcomes, items
