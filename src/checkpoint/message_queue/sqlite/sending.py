"""The sending half of a queue in a SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import EntryFault, Limits
from checkpoint.message_queue.sqlite.database import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from checkpoint.message_queue.sqlite.database import Database

# Measured on two cores: 256 small bodies commit in 1 ms, 4 MiB in 16 ms. Larger calls gain little, and hold the lock.
LIMITS: Final = Limits(entries=256, payload_bytes=4_194_304)


class SQLiteSendingQueue:
    """Commits every call in one transaction, on the disk before it is confirmed.

    What is sent is visible at once, whatever any clock says: one that is set back must not hide it.
    """

    limits = LIMITS

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """As the port says; here all bodies of a call become durable or none."""

        def insert(connection: sqlite3.Connection) -> None:
            rows = [(body,) for body in bodies]
            with transaction(connection):
                connection.executemany("INSERT INTO messages (body) VALUES (?)", rows)

        await self._database.run(insert)
        return [None] * len(bodies)

    async def probe(self) -> None:
        """Commit a row of a table of its own: a full disk or a lost file shows by nothing less."""

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(
                    "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1"
                )

        await self._database.run(write)
