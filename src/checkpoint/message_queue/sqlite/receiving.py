"""The receiving half of a queue in a SQLite file."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import EntryFault, Message, QueueUnavailableError
from checkpoint.message_queue.sqlite import rows
from checkpoint.message_queue.sqlite.database import transaction
from checkpoint.message_queue.sqlite.sending import LIMITS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from checkpoint.message_queue.sqlite.database import Database

# What a message waits at most; an empty look costs about 0.1 ms, most of it the hop to the thread.
_LOOK_SECONDS: Final = 0.025
_STALE: Final = EntryFault("The receipt is stale.")


class SQLiteReceivingQueue:
    """Hands out first what was never received, then what has been visible for longest.

    max_receives: a message received that often goes to `dead_letters` instead of being received again.
    now: the clock that visibility goes by, in seconds; all processes on the file must agree about it.
    """

    limits = LIMITS

    def __init__(self, database: Database, *, max_receives: int, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._max_receives = max_receives
        self._now = now

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        """As the port says; while it waits, it holds neither the thread nor a transaction."""
        deadline = time.monotonic() + wait_seconds
        while True:
            messages = await self._take(at_most, visibility_seconds)
            remaining = deadline - time.monotonic()
            if messages or remaining <= 0:
                return messages
            await asyncio.sleep(min(_LOOK_SECONDS, remaining))

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        """As the port says."""
        return await self._each(rows.DELETE, [rows.key(message) for message in messages])

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        """As the port says."""
        visible_at = self._now() + visibility_seconds
        return await self._each(rows.HIDE_UNTIL, [(visible_at, *rows.key(message)) for message in messages])

    async def dead_letter(self, message: Message, reason: str) -> None:
        """As the port says, in one transaction; a stale receipt moves nothing, since someone else has it now."""

        def move(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                rows.move_to_dead_letters(connection, rows.key(message), reason, now=self._now())

        await self._database.run(move)

    async def _take(self, at_most: int, visibility_seconds: int) -> list[Message]:
        """What is visible now; where it is cancelled, it hands back what the thread took all the same."""

        def take(connection: sqlite3.Connection) -> list[Message]:
            now = self._now()
            until = now + visibility_seconds
            return rows.take(connection, at_most, now=now, visible_again_at=until, max_receives=self._max_receives)

        taking = asyncio.ensure_future(self._database.run(take))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            with suppress(QueueUnavailableError):
                await self.change_visibility(await taking, 0)
            raise

    async def _each(self, statement: str, values: Sequence[tuple[float | str, ...]]) -> list[EntryFault | None]:
        """Run a statement with each of the values, in one transaction; a fault where it found no row."""

        def run(connection: sqlite3.Connection) -> list[EntryFault | None]:
            with transaction(connection):
                found = [connection.execute(statement, row).rowcount for row in values]
            return [None if count else _STALE for count in found]

        return await self._database.run(run)
