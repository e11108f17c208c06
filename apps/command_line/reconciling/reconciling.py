"""Receipts against an archive and a queue: what has become of each e-mail that was confirmed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from command_line.receipts.table import State
from command_line.reconciling.looking import look_at_each
from command_line.reconciling.queued import QueueTold

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from checkpoint.archive.port import ListedStore
    from checkpoint.clock import Clock
    from command_line.receipts.table import ReceiptTable
    from command_line.reconciling.matching import Matching

# More are looked for by listing the archive again: a call for a thousand objects in place of three for each e-mail.
_FEW: Final = 1_000
_ROUND_SECONDS: Final = 2.0
_AGAIN: Final = (State.MISSING, State.CHANGED, State.UNREADABLE, State.QUEUED, State.DEAD_LETTERED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciling:
    """One reconciliation.

    ask: marks what is on the queue, as `ask_queue`; asked only where something is missing.
    wait_seconds: for how long to wait until what is under way has arrived.
    """

    table: ReceiptTable
    store: ListedStore
    matching: Matching
    ask: Callable[[], Awaitable[QueueTold]]
    clock: Clock
    wait_seconds: float = 0

    async def run(self) -> QueueTold:
        """Return when every receipt is marked, with what the queue said last. Raises ArchiveUnavailableError."""
        until = self.clock.monotonic() + self.wait_seconds
        await self.matching.list_all()
        told = QueueTold()
        while self._is_any_left():
            told = await self.ask()
            # Only now: what was not on the queue before has arrived, or will not.
            await self._look_again()
            under_way = self.table.counts()[State.QUEUED] or (not told.is_searchable and told.on_queue)
            left = until - self.clock.monotonic()
            if not under_way or left <= 0 or not self._is_any_left():
                break
            await asyncio.sleep(min(left, _ROUND_SECONDS))
            for state in _AGAIN:
                self.table.mark_all(before=state, after=State.UNKNOWN)
        return told

    async def _look_again(self) -> None:
        await look_at_each(self.table, self.store, State.CHANGED)
        if self.table.counts()[State.UNKNOWN] > _FEW:
            await self.matching.list_all()
            await look_at_each(self.table, self.store, State.CHANGED)
        if self.table.counts()[State.UNKNOWN] > _FEW:
            self.table.mark_all(before=State.UNKNOWN, after=State.MISSING)
        await look_at_each(self.table, self.store, State.UNKNOWN)

    def _is_any_left(self) -> bool:
        counts = self.table.counts()
        return counts[State.ARCHIVED] < sum(counts.values())
