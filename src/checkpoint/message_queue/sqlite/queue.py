"""The two halves of a queue in a SQLite file: a row of `messages` for each message."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import EntryFault, Limits, Message, QueueFullError, QueueUnavailableError
from checkpoint.message_queue.sqlite import rows
from checkpoint.message_queue.sqlite.database import do_with_room, transaction
from checkpoint.message_queue.sqlite.depth import depth
from checkpoint.message_queue.sqlite.failures import is_full
from checkpoint.message_queue.sqlite.reading import Reader
from checkpoint.message_queue.sqlite.room import Room
from checkpoint.message_queue.sqlite.rows import Key
from checkpoint.message_queue.sqlite.shrinking import Shrinking, checkpoint
from checkpoint.message_queue.sqlite.statements import PROBE, insertion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checkpoint.message_queue.port import Depth
    from checkpoint.message_queue.sqlite.database import Database
    from checkpoint.message_queue.sqlite.rows import Visible

# bench/sqlite_queue.py shows what calls of this size cost. Larger ones gain little, and hold the lock for longer.
LIMITS: Final = Limits(entries=256, payload_bytes=4_194_304, message_bytes=16_777_216, depth_seconds=5)
# With thousands of clients a turn of the event loop takes long, and brings as many e-mails; only one call is made per
# turn. So many short e-mails hold the lock for less time than `payload_bytes` of long ones, as the same bench shows.
SENDING_LIMITS: Final = replace(LIMITS, entries=4_096)

# How long a message may wait at most for a receiver that waits for it. Most of what an empty look costs is the hop to
# the thread.
_LOOK_SECONDS: Final = 0.025
# For a dead letter whose body is longer than what is free.
_NO_ROOM_SECONDS: Final = 60
_STALE: Final = EntryFault("The receipt is stale.")
_NO_ROOM: Final = EntryFault("There is no room for a message of its length.", is_transient=True, lacks_room=True)


class SQLiteSendingQueue:
    """Commits every call in one transaction, on the disk before it is confirmed.

    What is sent is visible at once, whatever any clock says: one that is set back must not hide it.

    room: refuses what would fill the disk, or be more than the queue may hold.
    """

    limits = SENDING_LIMITS

    def __init__(self, database: Database, room: Room | None = None) -> None:
        self._database = database
        self._room = room or Room(database)

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """As the port says; in one transaction: what has room becomes durable together, or none of it."""
        return await self._database.run(partial(self._send, bodies=bodies))

    async def send_traced(self, bodies: Sequence[bytes], traceparents: Sequence[str | None]) -> list[EntryFault | None]:
        """As the port says; what has room for its body has room for its traceparent."""
        return await self._database.run(partial(self._send, bodies=bodies, traceparents=traceparents))

    def _send(
        self, connection: sqlite3.Connection, bodies: Sequence[bytes], traceparents: Sequence[str | None] | None = None
    ) -> list[EntryFault | None]:
        """On the database's thread. One statement is a transaction: https://sqlite.org/lang_transaction.html.

        The thread gives up Python's lock for each statement that it runs, and beside a busy event loop it waits long
        to get it back. It must not hold the file's lock meanwhile.
        """
        sending = insertion(bodies, self._database.clock.time(), traceparents)
        payload_bytes = sum(map(len, bodies))
        if self._room.is_ample(payload_bytes):
            connection.execute(*sending)
            return [None] * len(bodies)
        was_full = self._room.is_full
        try:
            with transaction(connection):
                if payload_bytes <= self._room.left(connection):
                    connection.execute(*sending)
                    return [None] * len(bodies)
        except QueueFullError:
            if was_full:
                raise
            self._room.is_full = False
        checkpoint(connection)  # what the log gives back is used before clients are told
        return self._send_what_fits(connection, bodies, traceparents)

    def _send_what_fits(
        self, connection: sqlite3.Connection, bodies: Sequence[bytes], traceparents: Sequence[str | None] | None
    ) -> list[EntryFault | None]:
        """The shortest first: one that is too long now must not keep its neighbours from going through."""
        results: list[EntryFault | None] = [_NO_ROOM] * len(bodies)
        with transaction(connection):
            left = self._room.left(connection)
            for index in sorted(range(len(bodies)), key=lambda index: len(bodies[index])):
                left -= len(bodies[index])
                if left < 0:
                    break
                results[index] = None
            fitting = [index for index, fault in enumerate(results) if fault is None]
            if fitting:
                traced = None if traceparents is None else [traceparents[index] for index in fitting]
                sent_at = self._database.clock.time()
                connection.execute(*insertion([bodies[index] for index in fitting], sent_at, traced))
        return results

    async def probe(self) -> None:
        """Commit a row of a table of its own: a full disk or a lost file shows by nothing less."""

        def write(connection: sqlite3.Connection) -> None:
            if self._room.is_full:
                checkpoint(connection)
            with transaction(connection):
                self._room.left(connection)
                connection.execute(PROBE)

        await self._database.run(write)

    def free_bytes(self) -> int:
        """As LocalQueue says."""
        return self._database.free_bytes()


class SQLiteReceivingQueue:
    """Receives first what was never received, then what has been visible for longest.

    A receive brings `LIMITS.payload_bytes` of bodies at most, or one message that is longer.
    max_receives: a message received that often goes to `dead_letters` instead of being received again.
    """

    limits = LIMITS

    def __init__(self, database: Database, *, max_receives: int) -> None:
        self._database = database
        self._max_receives = max_receives
        self._reader = Reader(database.path, clock=database.clock)
        self._shrinking = Shrinking(database)

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        """As the port says; while it waits, it holds neither the thread nor a transaction."""
        clock = self._database.clock
        deadline = clock.monotonic() + wait_seconds
        while True:
            messages = await self._look(at_most, visibility_seconds)
            remaining = deadline - clock.monotonic()
            if messages or remaining <= 0:
                return messages
            await asyncio.sleep(min(_LOOK_SECONDS, remaining))

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        """As the port says."""

        def delete(connection: sqlite3.Connection, keys: list[Key]) -> list[bool]:
            return rows.delete(connection, keys)

        return await self._for_each(messages, delete, self._shrinking.after_delete)

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        """As the port says."""

        def hide(connection: sqlite3.Connection, keys: list[Key]) -> list[bool]:
            return rows.hide(connection, keys, now=self._database.queue_time(), seconds=visibility_seconds)

        return await self._for_each(messages, hide)

    async def dead_letter(self, message: Message, reason: str) -> None:
        """As the port says, in one transaction. By a stale receipt nothing moves: another receiver has it now."""
        await self._database.run(partial(self._dead_letter, key=Key.read(message.receipt), reason=reason))

    async def depth(self) -> Depth:
        """As MeasuredQueue says; it reads beside the other calls, which go on meanwhile."""
        if not self._database.file_bytes:  # a first start, where it may be asked before the first receive
            await self._database.run(lambda _: None)
        return await depth(self._reader)

    def free_bytes(self) -> int:
        """As LocalQueue says."""
        return self._database.free_bytes()

    async def _look(self, at_most: int, visibility_seconds: int) -> list[Message]:
        """What is visible now. Where it is cancelled, it releases what the thread received all the same."""
        look = partial(self._receive, at_most=at_most, visibility_seconds=visibility_seconds)
        looking = asyncio.ensure_future(self._database.run(look))
        try:
            return await asyncio.shield(looking)
        except asyncio.CancelledError:
            with suppress(QueueUnavailableError):
                await self.change_visibility(await looking, 0)
            raise

    def _receive(self, connection: sqlite3.Connection, at_most: int, visibility_seconds: int) -> list[Message]:
        """On the database's thread. Where nothing is visible, it neither locks nor writes, but for `Shrinking`."""
        if not rows.any_visible(connection, self._database.queue_time()):
            self._shrinking.when_quiet(connection)
            return []
        while True:
            with transaction(connection):
                now = self._database.queue_time()
                found = rows.visible(connection, now, at_most=at_most, payload_bytes=self.limits.payload_bytes)
                spent = [row for row in found if row.receive_count >= self._max_receives]
                if not spent:
                    # Random, and not the receive count: in a file that was replaced, ids and counts begin anew.
                    receipt = secrets.randbits(63)
                    return rows.receive(connection, found, receipt=receipt, now=now, seconds=visibility_seconds)
            for row in spent:
                self._end_spent(connection, row)

    def _end_spent(self, connection: sqlite3.Connection, row: Visible) -> None:
        """Dead-letter a message; hide it where there is no room for that, so that others are received meanwhile."""
        reason = f"It was received {row.receive_count} times and never deleted."
        try:
            do_with_room(connection, partial(self._dead_letter, key=row.key, reason=reason))
        except sqlite3.Error as error:
            if not is_full(error):
                raise
            with transaction(connection):
                rows.hide(connection, [row.key], now=self._database.queue_time(), seconds=_NO_ROOM_SECONDS)

    def _dead_letter(self, connection: sqlite3.Connection, key: Key, reason: str) -> None:
        with transaction(connection):
            rows.dead_letter(connection, key, reason, dead_at=self._database.clock.time())

    async def _for_each(
        self,
        messages: Sequence[Message],
        work: Callable[[sqlite3.Connection, list[Key]], list[bool]],
        afterwards: Callable[[sqlite3.Connection], None] = lambda _: None,
    ) -> list[EntryFault | None]:
        """Do work for the messages, in transactions of as many as one call has at most: each needs room in the log."""
        keys = [Key.read(message.receipt) for message in messages]
        found: list[bool] = []  # of what is committed: where the disk was full, `run` goes on from there

        def run(connection: sqlite3.Connection) -> list[EntryFault | None]:
            for start in range(len(found), len(keys) or 1, self.limits.entries):
                with transaction(connection):
                    done = work(connection, keys[start : start + self.limits.entries])
                found.extend(done)
            afterwards(connection)
            return [None if each else _STALE for each in found]

        return await self._database.run(run)
