"""Opens the queue in a SQLite file that a `sqlite:` URL names."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from checkpoint.message_queue.sqlite.database import Database
from checkpoint.message_queue.sqlite.queue import SQLiteReceivingQueue, SQLiteSendingQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from checkpoint.clock import Clock

# The broker dead-letters a bad message at once. This limit is for a message that kills the broker each time: it must
# not stop the queue, and a good message must survive a broker that is restarted a few times.
DEFAULT_MAX_RECEIVES: Final = 20


@asynccontextmanager
async def open_sending(url: str) -> AsyncIterator[SQLiteSendingQueue]:
    """The sending half. The file itself is opened, or created, by the first call.

    Raises ValueError for a URL that `Location.read` refuses.
    """
    async with Database(Location.read(url).path) as database:
        yield SQLiteSendingQueue(database)


@asynccontextmanager
async def open_receiving(url: str, *, clock: Clock = time) -> AsyncIterator[SQLiteReceivingQueue]:
    """The receiving half; as `open_sending`."""
    location = Location.read(url)
    async with Database(location.path, clock=clock) as database:
        yield SQLiteReceivingQueue(database, max_receives=location.max_receives)


@dataclass(frozen=True, slots=True)
class Location:
    """What a `sqlite:` URL says.

    path: the queue's file.
    max_receives: a message received that often is dead-lettered instead of being received again.
    """

    path: Path
    max_receives: int = DEFAULT_MAX_RECEIVES

    @classmethod
    def read(cls, url: str) -> Self:
        """Read `sqlite:///relative.db`, `sqlite:////absolute.db`, with or without `?max_receives=20`.

        Raises ValueError, which says what is wrong; the caller names the setting that the URL comes from.
        """
        parts = urlsplit(url)
        if parts.netloc or parts.fragment or not parts.path.strip("/"):
            raise ValueError("must be sqlite:///relative/path.db or sqlite:////absolute/path.db")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        max_receives = options.pop("max_receives", str(DEFAULT_MAX_RECEIVES))
        if options:
            raise ValueError("the one option of a sqlite queue is max_receives")
        if not (max_receives.isascii() and max_receives.isdigit() and int(max_receives)):
            raise ValueError("max_receives must be a whole number, 1 or more")
        return cls(Path(unquote(parts.path[1:])), int(max_receives))
