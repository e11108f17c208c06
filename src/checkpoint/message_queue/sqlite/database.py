"""The queue's file: its time, and one connection on a thread of its own whose commits outlast a power cut."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final, Self, TypeVar

from checkpoint.durable_directories import make_directory, sync_directory
from checkpoint.message_queue.port import QueueFullError, QueueUnavailableError
from checkpoint.message_queue.sqlite.clock import started_at
from checkpoint.message_queue.sqlite.failures import is_full, is_in_use, name_of
from checkpoint.message_queue.sqlite.schema import read_version, upgrade
from checkpoint.message_queue.sqlite.shrinking import KEPT_LOG_BYTES, checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from checkpoint.clock import Clock

_T = TypeVar("_T")

# Longer than any transaction here takes, shorter than a client waits for an answer.
_BUSY_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 0.02
_REPLACED: Final = "the file was replaced while it was in use"


class Database:
    """Runs work on the queue's file. Opens it when it is first needed, and again after an error.

    clock: the machine's; all processes on the file must have the same monotonic clock.
    busy_seconds: how long a call waits for another process's transaction.
    creates: whether a file that is missing is made; otherwise it is a call that failed.
    file_bytes, log_bytes: what the file and its write-ahead log had after the last work, or at `measure`.
    """

    def __init__(
        self, path: Path, *, clock: Clock = time, busy_seconds: float = _BUSY_SECONDS, creates: bool = True
    ) -> None:
        self.clock = clock
        self.path = path
        self.busy_seconds = busy_seconds
        self.file_bytes = 0
        self.log_bytes = 0
        self._creates = creates
        self._started_at = 0.0
        self._files = [path.with_name(f"{path.name}{suffix}") for suffix in ("", "-wal", "-shm")]
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
        what was committed then would be gone with the last process that holds the file open. Raises QueueFullError
        where there was no room.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def queue_time(self) -> float:
        """Seconds since 1970 by the file's own clock, which `clock.py` explains; for work that `run` is doing."""
        return self._started_at + self.clock.monotonic()

    def measure(self) -> None:
        """Ask for the sizes of the file and of its log. Raises OSError."""
        self._inodes()

    def free_bytes(self) -> int:
        """As LocalQueue says."""
        volume = os.statvfs(self.path.parent)
        return volume.f_bavail * volume.f_frsize

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            if self._connection is None:
                # Known before it is opened: it could be replaced before its inode is asked for.
                database = _make_file(self.path) if self._creates else _inode(self.path.stat())
                self._connection, self._started_at = _connect(
                    self.path, database, self.clock, busy_seconds=self.busy_seconds
                )
                self._opened = [database, *self._inodes()[1:]]
            else:
                # After it, the commit may have copied the log there.
                _check_not_emptied(self.path)
            result = do_with_room(self._connection, work)
            # A file that is emptied where it is keeps its inode; one that was opened is never empty by itself.
            moved = self._inodes() != self._opened or not self.file_bytes
        except sqlite3.Error as error:
            self._close()
            if is_full(error):
                raise QueueFullError(f"{self.path}: is full: {error}", code=name_of(error)) from None
            raise QueueUnavailableError(f"{self.path}: {error}", code=name_of(error)) from None
        except OSError as error:
            self._close()
            code = errno.errorcode.get(error.errno or 0, "")
            if error.errno == errno.ENOSPC:
                raise QueueFullError(f"{self.path}: is full: {error.strerror}", code=code) from None
            raise QueueUnavailableError(f"{self.path}: {error.strerror}", code=code) from None
        if moved:
            self._close()
            raise QueueUnavailableError(f"{self.path}: {_REPLACED}")
        return result

    def _inodes(self) -> list[tuple[int, int]]:
        """What the names of the database, its write-ahead log and the log's index stand for now."""
        stats = [file.stat() for file in self._files]
        self.file_bytes, self.log_bytes = stats[0].st_size, stats[1].st_size
        return [_inode(stat) for stat in stats]

    def _close(self) -> None:
        if self._connection is not None:
            close(self._connection, self.path)
            self._connection = None


def close(connection: sqlite3.Connection, path: Path) -> None:
    """Close a connection to the queue's file; where that was emptied where it is, it stays empty.

    The last connection that is closed copies the log to the file, which would be no database ever after:
    https://sqlite.org/wal.html#ckpt. So another one is there meanwhile, which removes what is left of the log.
    """
    with ExitStack() as stack:
        with suppress(OSError, sqlite3.Error):
            if not path.stat().st_size:
                uri = f"{path.absolute().as_uri()}?mode=rw"
                beside = stack.enter_context(closing(sqlite3.connect(uri, uri=True, isolation_level=None)))
                beside.execute("BEGIN")
                beside.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        connection.close()


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


def _make_file(path: Path) -> tuple[int, int]:
    """The inode of the queue's file. Where it is missing, an empty one is made, and directories. Raises OSError."""
    make_directory(path.parent)
    try:
        return _inode(path.stat())
    except FileNotFoundError:
        with path.open("ab") as file:
            return _inode(os.fstat(file.fileno()))


def _inode(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def _connect(
    path: Path, inode: tuple[int, int], clock: Clock, *, busy_seconds: float
) -> tuple[sqlite3.Connection, float]:
    """Open the queue's file, and read when its clock started. Tables that are missing are made.

    inode: of the file that is meant. SQLite opens the log later than the file, by its name: if the file was replaced
    between, it is the log of the new file, which what is committed for the old one would damage.
    Raises sqlite3.Error or OSError.
    """
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    try:
        _write_ahead(connection, busy_seconds=busy_seconds)
        connection.execute("PRAGMA synchronous = FULL")
        # Where there is such a thing (macOS), fsync alone leaves bytes in the drive's cache.
        connection.execute("PRAGMA fullfsync = ON")
        # Some builds write zeros over all that is deleted: as many bytes again in the write-ahead log.
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute(f"PRAGMA journal_size_limit = {KEPT_LOG_BYTES}")

        def prepare(connection: sqlite3.Connection) -> float:
            with transaction(connection):
                _check_in_place(path, inode)
                upgrade(connection)
                return started_at(connection, clock)

        started = do_with_room(connection, prepare)
        sync_directory(path.parent)
    except BaseException:
        close(connection, path)
        raise
    return connection, started


def _check_in_place(path: Path, inode: tuple[int, int]) -> None:
    """Raise sqlite3.OperationalError where a path stands for another file than the one that is meant."""
    if _inode(path.stat()) != inode:
        raise sqlite3.OperationalError(_REPLACED)


def _check_not_emptied(path: Path) -> None:
    """Raise sqlite3.OperationalError where the file has no page any more."""
    if not path.stat().st_size:
        raise sqlite3.OperationalError(_REPLACED)


def do_with_room(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], _T]) -> _T:
    """Do work. Where there is no room for it, do it again after a checkpoint, if possible.

    The log is then used again from its start, which needs no room; only what is longer than the log does.
    """
    try:
        return work(connection)
    except sqlite3.Error as error:
        if not is_full(error):
            raise
        checkpoint(connection)
        return work(connection)


def _write_ahead(connection: sqlite3.Connection, *, busy_seconds: float) -> None:
    """Switch to WAL. SQLite's own waiting does not cover the switch, and several processes may start at once."""
    deadline = time.monotonic() + busy_seconds  # in real time, as SQLite's own waiting
    while True:
        try:
            read_version(connection)  # before anything is changed in the file of a newer program
            if not connection.execute("PRAGMA page_count").fetchone()[0]:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only a new file, which has no page yet
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_in_use(error) or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return
