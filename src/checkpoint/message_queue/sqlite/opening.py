"""Opens the halves of a queue in a SQLite file."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from checkpoint.message_queue.sqlite.database import Database
from checkpoint.message_queue.sqlite.location import Location
from checkpoint.message_queue.sqlite.receiving import SQLiteReceivingQueue
from checkpoint.message_queue.sqlite.sending import SQLiteSendingQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def open_sending(url: str) -> AsyncIterator[SQLiteSendingQueue]:
    """Raises ValueError for a URL that `Location.read` cannot read; the file is opened by the first call."""
    async with Database(Location.read(url).path) as database:
        yield SQLiteSendingQueue(database)


@asynccontextmanager
async def open_receiving(url: str) -> AsyncIterator[SQLiteReceivingQueue]:
    """As `open_sending`."""
    location = Location.read(url)
    async with Database(location.path) as database:
        yield SQLiteReceivingQueue(database, max_receives=location.max_receives)
