"""Gives the room that deleted messages had back to the volume, in steps that hold the write lock for a short time."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.sqlite.failures import is_full, is_in_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checkpoint.message_queue.sqlite.database import Database

# Less is kept for what is sent next: to give a page back and take a new one costs more than to use it again.
KEPT_BYTES: Final = 4_194_304
# The write-ahead log is used again from its start after each checkpoint. It is cut where a long transaction, or a
# reader that held a checkpoint up, made it longer than the automatic checkpoints leave it.
KEPT_LOG_BYTES: Final = 8_388_608
# So few that a step holds the write lock for a short time. To give a page back, SQLite searches the list
# of all free pages for it. So where that list is long and in no order, a page takes milliseconds: there are fewer in a
# step then, and a pause after it.
_STEP_PAGES: Final = 128
_STEP_SECONDS: Final = 0.05
_PAUSE: Final = 4  # times as long as the step took
# With more free pages than this, writing anew what little is in use holds the lock for less time than all the steps.
_MANY_FREE_BYTES: Final = 67_108_864
_STEPS_PER_DELETE: Final = 2
_QUIET_SECONDS: Final = 0.2
_RETRY_SECONDS: Final = 10.0
_INCREMENTAL: Final = 2  # https://sqlite.org/pragma.html#pragma_auto_vacuum


@dataclass(slots=True)
class Shrinking:
    """Made by the receiving half, for it is the one that frees pages; on the database's thread."""

    database: Database
    _looks_at: float = 0
    _steps_at: float = 0
    _rewrites_at: float = 0
    _step_pages: int = _STEP_PAGES

    def after_delete(self, connection: sqlite3.Connection) -> None:
        """Some steps where three quarters of the file are free: a backlog gives back while it is worked off.

        With less free, more pages that are in use would have to be moved for each one that is given back.
        """
        for _ in range(_STEPS_PER_DELETE):
            if self.database.clock.monotonic() < self._steps_at:
                return
            pages, free, size = _pages(connection)
            if free * size <= KEPT_BYTES or 4 * free <= 3 * pages or not self._step(connection):
                return

    def when_quiet(self, connection: sqlite3.Connection) -> None:
        """One step where nothing is there to be received, and a checkpoint after the last one."""
        now = self.database.clock.monotonic()
        if now < max(self._looks_at, self._steps_at):
            return
        pages, free, size = _pages(connection)
        if free * size > KEPT_BYTES:
            has_little = (pages - free) * size <= KEPT_BYTES
            if has_little and free * size > _MANY_FREE_BYTES and self._rewrite(connection):
                pages -= free
            elif self._step(connection):
                return
            elif has_little and self._rewrite(connection):
                pages -= free
            else:
                self._looks_at = now + _RETRY_SECONDS
                return
        if self.database.log_bytes > KEPT_LOG_BYTES or self.database.file_bytes > pages * size + KEPT_BYTES:
            self._looks_at = now + _RETRY_SECONDS  # if it fails
            checkpoint(connection)
        self._looks_at = now + _QUIET_SECONDS

    def _step(self, connection: sqlite3.Connection) -> bool:
        """Whether the file can be shrunk by steps. Where another process writes, or the disk is full, it waits.

        Raises sqlite3.Error; then there is none for a while, so that the queue can be used meanwhile.
        """
        if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
            return False
        clock = self.database.clock
        began = clock.monotonic()
        try:
            with without_waiting(connection):
                # A script runs without Python's lock from start to end; otherwise a step would give a row per page.
                connection.executescript(f"PRAGMA incremental_vacuum({self._step_pages})")
        except sqlite3.Error as error:
            if is_in_use(error):
                return True
            self._steps_at = clock.monotonic() + _RETRY_SECONDS
            if is_full(error):
                return True
            raise
        ended = clock.monotonic()
        if ended - began > _STEP_SECONDS:
            self._step_pages = max(1, self._step_pages // 2)
            self._steps_at = ended + _PAUSE * (ended - began)
        else:
            self._step_pages = min(_STEP_PAGES, 2 * self._step_pages)
        return True

    def _rewrite(self, connection: sqlite3.Connection) -> bool:
        """Write anew what little is left. The file can be shrunk by steps from then on, also one of an older program.

        https://sqlite.org/pragma.html#pragma_auto_vacuum
        It needs a temporary file, which there may be no place for, so no error of it is one of the queue's file.
        """
        if self.database.clock.monotonic() < self._rewrites_at:
            return False
        try:
            with without_waiting(connection):
                connection.executescript("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
        except sqlite3.OperationalError as error:
            if not is_in_use(error):
                self._rewrites_at = self.database.clock.monotonic() + _RETRY_SECONDS
            return False
        return True


def checkpoint(connection: sqlite3.Connection) -> None:
    """Copy the write-ahead log to the file and cut both to what they need, if no other process is in its way now.

    First without the write lock, so that little is left to do with it. https://sqlite.org/pragma.html#pragma_wal_checkpoint

    Raises sqlite3.Error, but not where the disk is full.
    """
    try:
        with without_waiting(connection):
            connection.executescript("PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        if not is_in_use(error) and not is_full(error):
            raise


@contextmanager
def without_waiting(connection: sqlite3.Connection) -> Iterator[None]:
    """Fail at once where another process has the lock."""
    [milliseconds] = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


def _pages(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """How many the file has, how many of them are free, and the bytes of one."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return pages, free, size
