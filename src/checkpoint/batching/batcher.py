"""Calls shared by those who come at the same time: group commit, for anything that takes many at once."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import suppress
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Final, Generic, cast

from checkpoint.batching.entry import Entry, Failure, Item, Outcome, OverloadedError, settle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

# uvloop's clock and timers count whole milliseconds: what is due in less than half of one is due now.
_TICK_SECONDS: Final = 0.0005


class Batcher(Generic[Item, Outcome]):
    """Gives each item the outcome of its own, while items that wait together share one call.

    Without lingering, a caller that is free takes whatever waits: a lone item waits for nobody, a crowd shares calls.
    No task runs while nothing waits, so there is nothing to start; `drain` is for the end. All of it is for one loop.

    call: takes items in the order they came, gives an outcome for each in that order, or raises for all of them.
    entries, payload_bytes: the most that one call carries; the bytes may change, so they are asked for each time.
    calls_at_once: calls that may be under way together.
    linger_seconds: how long an item waits at most for others to fill its call.
    lingers_alone: whether it does so also while no call is under way.
    timeout_seconds: when an item without an outcome gets TimeoutError, counted from its `put`, wherever it is by then.
        A call that is under way goes on, for what it carries may be done all the same.
    waiting_entries, waiting_bytes: the most that may wait or be under way; one more raises OverloadedError. An item
        that timed out counts no longer, so calls that hang hold as much again as they carry, but no more.
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
        lingers_alone: bool = True,
        timeout_seconds: float | None = None,
        waiting_entries: int | None = None,
        waiting_bytes: int | None = None,
        size: Callable[[Item], int] = lambda _: 0,
    ) -> None:
        self._call = call
        self._entries = entries
        self._payload_bytes = payload_bytes
        self._calls_at_once = calls_at_once
        self._linger_seconds = linger_seconds
        self._lingers_alone = lingers_alone
        self._timeout_seconds = math.inf if timeout_seconds is None else timeout_seconds
        self._waiting_entries = math.inf if waiting_entries is None else waiting_entries
        self._waiting_bytes = math.inf if waiting_bytes is None else waiting_bytes
        self._size = size
        self._loop: asyncio.AbstractEventLoop | None = None  # the running one; Python 3.11 asks the kernel each time
        self._line: deque[Entry[Item, Outcome]] = deque()
        self._hurried = 0  # entries in the line that do not linger
        # What the call of each caller carries, but for what timed out.
        self._callers: dict[asyncio.Task[None], deque[Entry[Item, Outcome]]] = {}
        self._free_callers = 0  # those of them that take from the line next, without waiting for anything
        self._lingering: asyncio.TimerHandle | None = None
        self._timeout: asyncio.TimerHandle | None = None  # one, for the oldest item that may be without an outcome
        self.entries_held = 0
        self.bytes_held = 0

    def put(self, item: Item, done: Callable[[Outcome | Failure], None], *, lingers: bool = True) -> None:
        """Get in line. `done` is called once, with the item's outcome or a Failure, and never before this returns.

        lingers: whether the item may wait for others to fill its call; else it goes at once, with those that wait.
        Raises OverloadedError. What `done` raises goes to the loop's exception handler, and harms no other item.
        """
        self._enter(item, done, lingers=lingers)

    async def submit(self, item: Item, *, lingers: bool = True) -> Outcome:
        """Wait for the item's outcome; as `put`. Raises OverloadedError, TimeoutError, or what the call raised.

        A cancelled submit leaves the line; where its call is under way already, that call goes on.
        """
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        entry = self._enter(item, partial(settle, outcome), lingers=lingers)
        try:
            return await outcome
        finally:
            self._leave(entry)

    async def drain(self) -> None:
        """Linger no more; wait until no call is under way and nothing waits."""
        self._linger_seconds = 0
        self._call_when_due()
        while self._callers:
            await asyncio.wait(self._callers)

    def _enter(self, item: Item, done: Callable[[Outcome | Failure], None], *, lingers: bool) -> Entry[Item, Outcome]:
        size = self._size(item)
        if self.entries_held >= self._waiting_entries:
            raise OverloadedError
        # A single item always has a place: else one that is larger than the bound could never go.
        if self.bytes_held and self.bytes_held + size > self._waiting_bytes:
            raise OverloadedError
        if (loop := self._loop) is None:
            loop = self._loop = asyncio.get_running_loop()
        entry: Entry[Item, Outcome] = Entry(item, size, done, loop.time(), lingers)
        self._line.append(entry)
        self.entries_held += 1
        self.bytes_held += size
        if not lingers:
            self._hurried += 1
        if self._timeout is None and self._timeout_seconds < math.inf:
            self._timeout = loop.call_at(entry.put_at + self._timeout_seconds, self._end_overdue)
        if len(self._callers) < self._calls_at_once:
            self._call_when_due()
        return entry

    def _leave(self, entry: Entry[Item, Outcome]) -> None:
        """Nobody waits for it; nothing to do where it has its outcome."""
        if entry.done is None:
            return
        self._end_waiting(entry)
        with suppress(ValueError):  # its call is under way
            self._line.remove(entry)
            self._hurried -= not entry.lingers

    def _end_waiting(self, entry: Entry[Item, Outcome]) -> None:
        entry.done = None
        self.entries_held -= 1
        self.bytes_held -= entry.size

    def _answer(self, entry: Entry[Item, Outcome], outcome: Outcome | Failure) -> None:
        if (done := entry.done) is None:
            return
        self._end_waiting(entry)
        try:
            done(outcome)
        except Exception as error:  # noqa: BLE001  its neighbours have their outcomes all the same
            context = {"message": "Exception in the callback of a Batcher's item", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    def _end_overdue(self) -> None:
        """Time out what waits for too long, in the line and in calls under way. Each is in the order of `put`."""
        loop = asyncio.get_running_loop()
        latest = loop.time() - self._timeout_seconds + _TICK_SECONDS
        overdue: list[Entry[Item, Outcome]] = []
        for entries in (self._line, *self._callers.values()):
            while entries and entries[0].put_at <= latest:
                overdue.append(entries.popleft())
        self._hurried = sum(not entry.lingers for entry in self._line) if self._hurried else 0
        failure = Failure(TimeoutError())
        for entry in overdue:
            self._answer(entry, failure)
        oldest = min((entries[0].put_at for entries in (self._line, *self._callers.values()) if entries), default=None)
        self._timeout = None if oldest is None else loop.call_at(oldest + self._timeout_seconds, self._end_overdue)

    def _due_in(self, *, callers_beside: int) -> float:
        """Seconds until one more caller shall take what the free ones will leave; 0: now, infinite: there is none."""
        left = len(self._line) - self._free_callers * self._entries
        if left <= 0:
            return math.inf
        lingers = self._linger_seconds and (self._lingers_alone or callers_beside)
        if not lingers or self._hurried or left >= self._entries:
            return 0
        due_in = self._line[0].put_at + self._linger_seconds - asyncio.get_running_loop().time()
        return due_in if due_in > _TICK_SECONDS else 0

    def _call_when_due(self) -> None:
        while len(self._callers) < self._calls_at_once:
            due_in = self._due_in(callers_beside=len(self._callers))
            if due_in:
                if self._lingering is None and due_in < math.inf:
                    self._lingering = asyncio.get_running_loop().call_later(due_in, self._end_lingering)
                return
            self._callers[asyncio.create_task(self._call_while_due())] = deque()
            self._free_callers += 1

    def _end_lingering(self) -> None:
        self._lingering = None
        self._call_when_due()

    async def _call_while_due(self) -> None:
        caller = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            while True:
                self._free_callers -= 1
                if self._due_in(callers_beside=len(self._callers) - 1):
                    break
                await self._call_once(caller)
        finally:  # here, in one step with the look at what waits: an item that comes a moment later starts a new caller
            del self._callers[caller]
        self._call_when_due()  # not where it was cancelled: then it is the end

    async def _call_once(self, caller: asyncio.Task[None]) -> None:
        batch = self._next_batch()
        self._callers[caller] = deque(batch)
        self._call_when_due()  # its bytes may have filled the call, so that it leaves more than was thought
        outcomes: Iterable[Outcome | Failure]
        try:
            outcomes = await self._call([entry.item for entry in batch])
            if len(outcomes) != len(batch):
                raise ValueError("a call must give one outcome per item")  # noqa: TRY301  each of them fails by it
        except Exception as error:  # noqa: BLE001  it is raised again, by each submit
            outcomes = repeat(Failure(error))
        except BaseException as error:
            for entry in batch:
                self._answer(entry, Failure(error))  # nobody waits forever, even where this task was cancelled
            raise
        self._free_callers += 1  # so that what an outcome leads to starts no other caller
        for entry, outcome in zip(batch, outcomes, strict=False):
            self._answer(entry, outcome)

    def _next_batch(self) -> list[Entry[Item, Outcome]]:
        batch: list[Entry[Item, Outcome]] = []
        payload = 0
        most = self._payload_bytes() if self._payload_bytes else math.inf
        while self._line and len(batch) < self._entries:
            entry = self._line[0]
            payload += entry.size
            if batch and payload > most:
                break
            batch.append(self._line.popleft())
            self._hurried -= not entry.lingers
        return batch
