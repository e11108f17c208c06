"""Opens the queue in a SQLite file that a `sqlite:` URL names."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from checkpoint.message_queue.sqlite.admin import SQLiteAdminQueue
from checkpoint.message_queue.sqlite.database import Database
from checkpoint.message_queue.sqlite.inspection import inspect_file
from checkpoint.message_queue.sqlite.queue import SQLiteReceivingQueue, SQLiteSendingQueue
from checkpoint.message_queue.sqlite.reading import Reader
from checkpoint.message_queue.sqlite.room import RESERVE_BYTES, Room

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from checkpoint.clock import Clock

# The broker dead-letters a bad message at once. This limit is for a message that kills the broker each time: it must
# not stop the queue, and a good message must survive a broker that is restarted a few times.
DEFAULT_MAX_RECEIVES: Final = 20

# The least that each option of the URL may be. max_bytes: twice the longest message, which stands in the write-ahead
# log and in the file, and as much again.
_LEAST: Final = {"max_receives": 1, "reserve_bytes": 0, "max_bytes": 67_108_864}


@asynccontextmanager
async def open_sending(url: str) -> AsyncIterator[SQLiteSendingQueue]:
    """The sending half. The file itself is opened, or created, by the first call.

    Raises ValueError for a URL that `Location.read` refuses.
    """
    location = Location.read(url)
    async with Database(location.path) as database:
        room = Room(database, reserve_bytes=location.reserve_bytes, max_bytes=location.max_bytes)
        yield SQLiteSendingQueue(database, room)


@asynccontextmanager
async def open_receiving(url: str, *, clock: Clock = time) -> AsyncIterator[SQLiteReceivingQueue]:
    """The receiving half; as `open_sending`."""
    location = Location.read(url)
    async with Database(location.path, clock=clock) as database:
        yield SQLiteReceivingQueue(database, max_receives=location.max_receives)


@asynccontextmanager
async def open_admin(url: str, *, clock: Clock = time) -> AsyncIterator[SQLiteAdminQueue]:
    """The operator's part. A file that is not there is never made. Raises as `open_sending`."""
    location = Location.read(url)
    async with Database(location.path, clock=clock, creates=False) as database:
        room = Room(database, reserve_bytes=location.reserve_bytes, max_bytes=location.max_bytes)
        yield SQLiteAdminQueue(Reader(location.path, clock=clock), database, room)


async def inspect_sending(url: str) -> str:
    """Whether messages could be sent: see `QueueAdapter`."""
    location = Location.read(url)
    return await asyncio.to_thread(inspect_file, location.path, reserve_bytes=location.reserve_bytes)


async def inspect_receiving(url: str) -> str:
    """Whether messages could be received, for which the reserve is there: see `QueueAdapter`."""
    return await asyncio.to_thread(inspect_file, Location.read(url).path, reserve_bytes=0)


@dataclass(frozen=True, slots=True)
class Location:
    """What a `sqlite:` URL says.

    path: the queue's file.
    max_receives: a message received that often is dead-lettered instead of being received again.
    reserve_bytes: what sending leaves free on the file's volume, for receiving.
    max_bytes: what the file and its write-ahead log may have before sending is refused; None for no limit.
    """

    path: Path
    max_receives: int = DEFAULT_MAX_RECEIVES
    reserve_bytes: int = RESERVE_BYTES
    max_bytes: int | None = None

    @classmethod
    def read(cls, url: str) -> Self:
        """Read `sqlite:///relative.db`, `sqlite:////absolute.db`, with or without `?max_receives=20&max_bytes=…`.

        Raises ValueError, which says what is wrong; the caller names the setting that the URL comes from.
        """
        parts = urlsplit(url)
        if parts.netloc or parts.fragment or not parts.path.strip("/"):
            raise ValueError("must be sqlite:///relative/path.db or sqlite:////absolute/path.db")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if not options.keys() <= _LEAST.keys():
            raise ValueError("the options of a sqlite queue are max_receives, reserve_bytes and max_bytes")
        numbers: dict[str, int] = {}
        for name, text in options.items():
            if not (text.isascii() and text.isdigit() and int(text) >= _LEAST[name]):
                raise ValueError(f"{name} must be a whole number, {_LEAST[name]} or more")
            numbers[name] = int(text)
        return cls(Path(unquote(parts.path[1:])), **numbers)
