"""Whether there is room to send: a full queue must leave enough for its messages to be received and deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import QueueFullError

if TYPE_CHECKING:
    import sqlite3

    from checkpoint.message_queue.sqlite.database import Database

# What receiving and deleting may need until a checkpoint gives it back: the write-ahead log up to the checkpoint, 1,000
# pages (https://sqlite.org/wal.html#automatic_checkpoint); and one transaction on the most messages of a call, each on
# a page of its own, with the pages of the indexes and those that split: less than 1,000 pages.
RESERVE_BYTES: Final = 8_388_608

# While there is this much more, it is not asked before each call: two more processes send a message of the most bytes.
_AMPLE_BYTES: Final = 67_108_864
_AMPLE_SECONDS: Final = 0.1
# An e-mail of a few paragraphs. A queue that takes such a one is not full: there is no room for a longer one alone.
SHORT_BYTES: Final = 16_384
# What is sent is written twice until the next checkpoint: to the write-ahead log, and to the file.
_COPIES: Final = 2
# For pages of indexes, those that split and those that are not filled, of the shortest call, in both places.
_PAGES_BYTES: Final = 65_536


@dataclass(slots=True)
class Room:
    """Refuses what would leave less than the reserve, or be more than the queue may hold.

    Once there is no room for a short message either, it refuses all until there is more room by a quarter of the
    reserve, or an eighth of `max_bytes`: a service must not be ready and not ready in turns.

    reserve_bytes: what must be left on the file's volume.
    max_bytes: what the file, without its free pages, and its write-ahead log may have together; None for no limit.
    """

    database: Database
    reserve_bytes: int = RESERVE_BYTES
    max_bytes: int | None = None
    is_full: bool = False
    _ample_bytes: int = 0
    _ample_until: float = 0

    def is_ample(self, payload_bytes: int) -> bool:
        """Whether so many bytes can be sent without a look at what is `left`: there is far more. Raises OSError."""
        if self.is_full:
            return False
        needed = _COPIES * payload_bytes
        now = self.database.clock.monotonic()
        if now >= self._ample_until:
            room = self._volume_room()
            if self.max_bytes is not None:  # with its free pages, which only `left` counts
                room = min(room, self.max_bytes - self.database.file_bytes - self.database.log_bytes)
            self._ample_bytes, self._ample_until = room - _AMPLE_BYTES, now + _AMPLE_SECONDS
        if self._ample_bytes < needed:
            return False
        self._ample_bytes -= needed
        return True

    def left(self, connection: sqlite3.Connection) -> int:
        """How many bytes may be sent; within a transaction, so that no other takes the room.

        Raises QueueFullError where there is no room for a short message, and OSError.
        """
        left = self._volume_room() - _PAGES_BYTES - (self.reserve_bytes // 4 if self.is_full else 0)
        reason = f"{self.reserve_bytes} bytes of its volume are kept for receiving"
        if self.max_bytes is not None:
            most = self.max_bytes - (self.max_bytes // 8 if self.is_full else 0)
            below = most - _PAGES_BYTES - _used_bytes(connection) - self.database.log_bytes
            if below < left:
                left, reason = below, f"its max_bytes are {self.max_bytes}"
        self.is_full = left < _COPIES * SHORT_BYTES
        if self.is_full:
            raise QueueFullError(f"{self.database.path}: is full: {reason}")
        return left // _COPIES

    def _volume_room(self) -> int:
        """What is free beside the reserve, once a checkpoint has copied the write-ahead log to the file."""
        self.database.measure()
        return self.database.free_bytes() - self.reserve_bytes - self.database.log_bytes


def _used_bytes(connection: sqlite3.Connection) -> int:
    """What the file has without its free pages."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    used: int = (pages - free) * size
    return used
