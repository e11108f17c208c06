"""One connection to the queue's file, on a thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self, TypeVar

from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.message_queue.sqlite.schema import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_T = TypeVar("_T")

# Longer than any transaction here takes, shorter than a client waits for an answer.
BUSY_SECONDS: Final = 5.0


class Database:
    """Runs work on the queue's file; opens it when it is first needed, and anew after an error.

    busy_seconds: how long a call waits for another process's transaction.
    """

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._files = [path.with_name(f"{path.name}{suffix}") for suffix in ("", "-wal", "-shm")]
        self._busy_seconds = busy_seconds
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        self._connection: sqlite3.Connection | None = None
        self._opened: list[tuple[int, int]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.shield(asyncio.wrap_future(self._thread.submit(self._close)))
        finally:
            self._thread.shutdown()

    async def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do work on the connection's thread; it opens its own transactions, by `transaction`.

        Raises QueueUnavailableError where it failed, or where the file is no longer the one that its path names:
        what was committed then would be gone with the last process that holds the file open.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            if self._connection is None:
                self._connection = connect(self._path, busy_seconds=self._busy_seconds)
                self._opened = self._inodes()
            result = work(self._connection)
            moved = self._inodes() != self._opened
        except sqlite3.Error as error:
            self._close()
            raise QueueUnavailableError(f"QUEUE_URL: {self._path}: {error}") from None
        except OSError as error:
            self._close()
            raise QueueUnavailableError(f"QUEUE_URL: {self._path}: {error.strerror}") from None
        if moved:
            self._close()
            raise QueueUnavailableError(f"QUEUE_URL: {self._path}: the file was replaced while it was in use")
        return result

    def _inodes(self) -> list[tuple[int, int]]:
        """What the names of the database, its write-ahead log and the log's index stand for now."""
        return [(stat.st_dev, stat.st_ino) for stat in (file.stat() for file in self._files)]

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the file's one write lock; commit at the end, or roll everything back where something is raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
