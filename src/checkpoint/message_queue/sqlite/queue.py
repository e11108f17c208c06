"""The two halves of a queue in a SQLite file: a row of `messages` for each message."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import EntryFault, Limits, Message, QueueUnavailableError
from checkpoint.message_queue.sqlite.database import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from checkpoint.message_queue.sqlite.database import Database

# bench/sqlite_queue.py shows what calls of this size cost. Larger ones gain little, and hold the lock for longer.
LIMITS: Final = Limits(entries=256, payload_bytes=4_194_304, message_bytes=16_777_216)
# With thousands of clients a turn of the event loop takes long, and brings as many e-mails; only one call is made per
# turn. So many short e-mails hold the lock for less time than `payload_bytes` of long ones, as the same bench shows.
SENDING_LIMITS: Final = replace(LIMITS, entries=4_096)

SEND: Final = "INSERT INTO messages (sent_at, body) VALUES (?, ?)"
# ?2: all bodies, one behind the other. ?3: where each of them begins, from 1, and its length, as one JSON object.
# substr gives NULL where there is not a single byte to take from.
SEND_ALL: Final = """
INSERT INTO messages (sent_at, body)
SELECT ?1, coalesce(substr(?2, key, value), x'') FROM json_each(?3)
"""
PROBE: Final = "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1"
# A message is hidden where visible_at - hidden_for <= now < visible_at. So what was received in the future, by a clock
# that stood later than this one stands now, is visible.
ANY_VISIBLE: Final = """
SELECT EXISTS (SELECT 1 FROM messages WHERE visible_at <= ?1) OR EXISTS (
    SELECT 1 FROM messages INDEXED BY messages_by_hidden_at WHERE visible_at > 0 AND visible_at - hidden_for > ?1
)
"""
VISIBLE: Final = """
SELECT * FROM (
    SELECT id, receipt, receive_count, body FROM messages
    WHERE visible_at <= ?1 ORDER BY visible_at, id LIMIT ?2
)
UNION ALL
SELECT id, receipt, receive_count, body FROM messages INDEXED BY messages_by_hidden_at
WHERE visible_at > 0 AND visible_at - hidden_for > ?1
LIMIT ?2
"""
RECEIVE: Final = (
    "UPDATE messages SET visible_at = ?, hidden_for = ?, receipt = ?, receive_count = receive_count + 1 WHERE id = ?"
)
CHANGE_VISIBILITY: Final = "UPDATE messages SET visible_at = ?, hidden_for = ? WHERE id = ? AND receipt = ?"
DEAD_LETTER: Final = """
INSERT INTO dead_letters (sent_at, dead_at, receive_count, reason, body)
SELECT sent_at, ?, receive_count, ?, body FROM messages WHERE id = ? AND receipt = ?
"""
DELETE: Final = "DELETE FROM messages WHERE id = ? AND receipt = ?"

# How long a message may wait at most for a receiver that waits for it. Most of what an empty look costs is the hop to
# the thread.
_LOOK_SECONDS: Final = 0.025
_STALE: Final = EntryFault("The receipt is stale.")


class SQLiteSendingQueue:
    """Commits every call in one transaction, on the disk before it is confirmed.

    What is sent is visible at once, whatever any clock says: one that is set back must not hide it.
    """

    limits = SENDING_LIMITS

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """As the port says; here all bodies of a call become durable or none."""
        await self._database.run(partial(self._insert, bodies=bodies))
        return [None] * len(bodies)

    def _insert(self, connection: sqlite3.Connection, bodies: Sequence[bytes]) -> None:
        """On the database's thread. One statement is a transaction: https://sqlite.org/lang_transaction.html.

        The thread gives up Python's lock for each statement that it runs, and beside a busy event loop it waits long
        to get it back. It must not hold the file's lock meanwhile.
        """
        sent_at = self._database.clock.time()
        if len(bodies) == 1:  # which may be long, so it is not copied
            connection.execute(SEND, (sent_at, bodies[0]))
            return
        lengths = [len(body) for body in bodies]
        places = zip(accumulate(lengths, initial=1), lengths, strict=False)  # and where the next one would begin
        layout = ",".join([f'"{start}":{length}' for start, length in places])
        connection.execute(SEND_ALL, (sent_at, b"".join(bodies), f"{{{layout}}}"))

    async def probe(self) -> None:
        """Commit a row of a table of its own: a full disk or a lost file shows by nothing less."""

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(PROBE)

        await self._database.run(write)


class SQLiteReceivingQueue:
    """Receives first what was never received, then what has been visible for longest.

    A receive brings `LIMITS.payload_bytes` of bodies at most, or one message that is longer.
    max_receives: a message received that often goes to `dead_letters` instead of being received again.
    """

    limits = LIMITS

    def __init__(self, database: Database, *, max_receives: int) -> None:
        self._database = database
        self._max_receives = max_receives

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
        return await self._for_each(messages, DELETE, tuple)

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        """As the port says."""

        def values() -> tuple[float, float]:
            return self._database.queue_time() + visibility_seconds, visibility_seconds

        return await self._for_each(messages, CHANGE_VISIBILITY, values)

    async def dead_letter(self, message: Message, reason: str) -> None:
        """As the port says, in one transaction. By a stale receipt nothing moves: another receiver has it now."""

        def move(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                self._dead_letter(connection, _key(message), reason)

        await self._database.run(move)

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
        """On the database's thread. Where nothing is visible, it neither locks nor writes."""
        if not connection.execute(ANY_VISIBLE, (self._database.queue_time(),)).fetchone()[0]:
            return []
        with transaction(connection):
            now = self._database.queue_time()
            rows = _visible(connection, now, at_most)
            while spent := [row for row in rows if row[2] >= self._max_receives]:
                for id_, receipt, count, _ in spent:
                    self._dead_letter(connection, (id_, receipt), f"It was received {count} times and never deleted.")
                rows = _visible(connection, now, at_most)
            # Random, and not the receive count: in a file that was replaced, ids and counts begin anew.
            new_receipt = secrets.randbits(63)
            received = [(now + visibility_seconds, visibility_seconds, new_receipt, id_) for id_, *_ in rows]
            connection.executemany(RECEIVE, received)
        return [Message(body, f"{id_}:{new_receipt}", count + 1) for id_, _, count, body in rows]

    def _dead_letter(self, connection: sqlite3.Connection, key: tuple[int, int] | tuple[str, str], reason: str) -> None:
        """Within a transaction of the caller's; moves nothing where no row has that id and receipt."""
        connection.execute(DEAD_LETTER, (self._database.clock.time(), reason, *key))
        connection.execute(DELETE, key)

    async def _for_each(
        self, messages: Sequence[Message], statement: str, values: Callable[[], tuple[float, ...]]
    ) -> list[EntryFault | None]:
        """Run a statement for each message; values: gives what it takes before the row's id and receipt."""

        def run(connection: sqlite3.Connection) -> list[EntryFault | None]:
            with transaction(connection):
                first, cursor = values(), connection.cursor()
                found = [cursor.execute(statement, (*first, *_key(message))).rowcount for message in messages]
            return [None if count else _STALE for count in found]

        return await self._database.run(run)


def _key(message: Message) -> tuple[str, str]:
    """The row's id and receipt; SQLite compares them with numbers, and refuses no text."""
    id_, _, receipt = message.receipt.partition(":")
    return id_, receipt


def _visible(connection: sqlite3.Connection, now: float, at_most: int) -> list[tuple[int, int, int, bytes]]:
    """Id, receipt, receive count and body of the messages to receive next, as many as one receive may bring.

    It reads row by row and stops, so that at most one body is read that is not among them.
    """
    rows: list[tuple[int, int, int, bytes]] = []
    total = 0
    with closing(connection.execute(VISIBLE, (now, at_most))) as cursor:
        for row in cursor:
            total += len(row[3])
            if rows and total > LIMITS.payload_bytes:
                break
            rows.append(row)
    return rows
