"""The operator's part of a queue in a SQLite file.

What only reads makes no file, upgrades none, and keeps nobody from writing. Redrive and drop write as the services do:
they bring an older file to the version of this program.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from checkpoint.message_queue.admin import DeadLetter, QueuedMessage
from checkpoint.message_queue.port import EntryFault, QueueFullError
from checkpoint.message_queue.sqlite.database import transaction
from checkpoint.message_queue.sqlite.depth import depth
from checkpoint.message_queue.sqlite.shrinking import checkpoint
from checkpoint.message_queue.sqlite.statements import SEND_TRACED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from checkpoint.message_queue.port import Depth
    from checkpoint.message_queue.sqlite.database import Database
    from checkpoint.message_queue.sqlite.reading import Reader
    from checkpoint.message_queue.sqlite.room import Room

_T = TypeVar("_T")

# A page is read in some milliseconds, and what it brings is held in memory. So is a batch, which holds the write lock.
_PAGE_ROWS: Final = 1_024
_PAGE_BYTES: Final = 4_194_304
_BATCH: Final = 256

_LAST_MESSAGE: Final = "SELECT coalesce(max(id), 0) FROM messages"
# The state of a long message may be apart, as `statements.py` says. The body stands second, for `_page`.
_MESSAGES: Final = """
SELECT messages.id, body, coalesce(long.receive_count, messages.receive_count), sent_at,
    coalesce(long.visible_at, messages.visible_at), coalesce(long.hidden_for, messages.hidden_for)
FROM messages LEFT JOIN long_messages AS long ON messages.visible_at = 1 AND long.id = messages.id
WHERE messages.id > ? AND messages.id <= ? ORDER BY messages.id LIMIT ?
"""
_LAST_DEAD_LETTER: Final = "SELECT coalesce(max(id), 0) FROM dead_letters"
_DEAD_LETTERS: Final = """
SELECT id, body, reason, receive_count, sent_at, dead_at, '', traceparent
FROM dead_letters WHERE id > ? AND id <= ? ORDER BY id LIMIT ?
"""
_LENGTH: Final = "SELECT length(body) FROM dead_letters WHERE id = ?"
_SENT: Final = "SELECT body, traceparent FROM dead_letters WHERE id = ?"
_DROP: Final = "DELETE FROM dead_letters WHERE id = ?"

_GONE: Final = EntryFault("It is no longer in the dead-letter queue.")
_NO_ROOM: Final = EntryFault("The queue has no room for a message of its length.", is_transient=True, lacks_room=True)


class SQLiteAdminQueue:
    """Reads by `reader`, and writes by `database`, which must make no file; `room` is what sending has, too."""

    is_searchable = True

    def __init__(self, reader: Reader, database: Database, room: Room) -> None:
        self._reader = reader
        self._database = database
        self._room = room

    async def depth(self) -> Depth:
        """As MeasuredQueue says."""
        return await depth(self._reader)

    async def find(self, matches: Callable[[bytes], bool]) -> AsyncIterator[QueuedMessage]:
        """As the port says: of what is there when it begins, in the order of sending. Calls `matches` on a thread."""

        def page(connection: sqlite3.Connection, now: float, after: int, last: int) -> tuple[int, list[QueuedMessage]]:
            rows = list(_page(connection.execute(_MESSAGES, (after, last, _PAGE_ROWS))))
            found = [
                QueuedMessage(body, receive_count, sent_at, _hidden_seconds(now, visible_at, hidden_for))
                for _, body, receive_count, sent_at, visible_at, hidden_for in rows
                if matches(body)
            ]
            return rows[-1][0] if rows else last, found

        async for message in self._pages(_LAST_MESSAGE, page):
            yield message

    async def dead_letters(self) -> AsyncIterator[DeadLetter]:
        """As the port says: those that are there when it begins, the first one first."""

        def page(connection: sqlite3.Connection, _: float, after: int, last: int) -> tuple[int, list[DeadLetter]]:
            rows = list(_page(connection.execute(_DEAD_LETTERS, (after, last, _PAGE_ROWS))))
            return rows[-1][0] if rows else last, [DeadLetter(str(id_), *row) for id_, *row in rows]

        async for letter in self._pages(_LAST_DEAD_LETTER, page):
            yield letter

    async def redrive(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        """As the port says; some together in a transaction, so that each is in one place or in the other.

        It is a new message: sent now, and never received. So does AWS: a redriven message has a new time of sending.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
        """
        return await self._in_batches(dead_letters, self._redrive_with_room)

    async def drop(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        """As the port says; in transactions as `redrive`."""
        return await self._in_batches(dead_letters, self._drop)

    async def release(self, dead_letters: Sequence[DeadLetter]) -> None:
        """As the port says: there is nothing to do."""

    async def _pages(self, last_statement: str, page: Callable[..., tuple[int, list[_T]]]) -> AsyncIterator[_T]:
        """What `page` gives of the rows after an id up to the last one; and the id up to which it has come."""
        after = 0
        last = await self._reader.run(lambda connection, _: connection.execute(last_statement).fetchone()[0])
        while after < last:
            after, found = await self._reader.run(partial(page, after=after, last=last))
            for each in found:
                yield each

    async def _in_batches(
        self,
        dead_letters: Sequence[DeadLetter],
        work: Callable[..., list[EntryFault | None]],
    ) -> list[EntryFault | None]:
        """What `work` says of as many as it has done, and again of the rest."""
        await self._reader.run(lambda _, __: None)  # it must be a queue's file: `Database` would make it one
        ids = [letter.id for letter in dead_letters]
        faults: list[EntryFault | None] = []
        while len(faults) < len(ids):
            batch = ids[len(faults) : len(faults) + _BATCH]
            try:
                faults += await self._database.run(partial(work, ids=batch))
            except QueueFullError as error:
                faults += [EntryFault(str(error), is_transient=True, lacks_room=True)] * len(batch)
        return faults

    def _redrive_with_room(self, connection: sqlite3.Connection, ids: Sequence[str]) -> list[EntryFault | None]:
        """What the log gives back by a checkpoint is used before it is said that there is no room."""
        was_full = self._room.is_full
        try:
            return self._redrive(connection, ids)
        except QueueFullError:
            if was_full:
                raise
        self._room.is_full = False
        checkpoint(connection)
        return self._redrive(connection, ids)

    def _redrive(self, connection: sqlite3.Connection, ids: Sequence[str]) -> list[EntryFault | None]:
        """Those whose bodies one transaction may have. A body is deleted before it is written into the pages it had."""
        faults: list[EntryFault | None] = []
        now = self._database.clock.time()
        total = 0
        with transaction(connection):
            left = self._room.left(connection)
            for id_ in ids:
                [length] = connection.execute(_LENGTH, (id_,)).fetchone() or [None]
                if length is None:
                    faults.append(_GONE)
                elif total + length > left:
                    faults.append(_NO_ROOM)
                elif total and total + length > _PAGE_BYTES:
                    break
                else:
                    total += length
                    sent = connection.execute(_SENT, (id_,)).fetchone()
                    connection.execute(_DROP, (id_,))
                    connection.execute(SEND_TRACED, (now, *sent))
                    faults.append(None)
        return faults

    def _drop(self, connection: sqlite3.Connection, ids: Sequence[str]) -> list[EntryFault | None]:
        with transaction(connection):
            return [None if connection.execute(_DROP, (id_,)).rowcount else _GONE for id_ in ids]


def _page(rows: sqlite3.Cursor) -> Iterator[Any]:
    """Rows until their bodies have as many bytes as a page; the read ends with it."""
    total = 0
    for row in rows:
        yield row
        total += len(row[1])
        if total >= _PAGE_BYTES:
            break
    rows.close()


def _hidden_seconds(now: float, visible_at: float, hidden_for: float) -> float:
    return visible_at - now if visible_at - hidden_for <= now < visible_at else 0.0
