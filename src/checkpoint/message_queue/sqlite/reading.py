"""Reads the queue's file and changes nothing: it makes no file, upgrades none, and each read is short."""

from __future__ import annotations

import asyncio
import math
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Final, TypeVar

from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.message_queue.sqlite.clock import known_start
from checkpoint.message_queue.sqlite.database import close
from checkpoint.message_queue.sqlite.failures import is_full, is_out_of_reach
from checkpoint.message_queue.sqlite.schema import read_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from checkpoint.clock import Clock

_T = TypeVar("_T")

_BUSY_SECONDS: Final = 5.0
# What a current file has and an older one may lack: its tables and columns, and what stands for a missing column.
# Views and tables of these names that only this connection sees take the place of the file's:
# https://sqlite.org/lang_naming.html
_COLUMNS: Final = {
    "messages": {"sent_at": "NULL", "hidden_for": "0.0"},
    "dead_letters": {"sent_at": "NULL", "traceparent": "NULL"},
}
_TABLES: Final = {
    "clock": "boot_id, monotonic, started_at",
    "long_messages": "id, visible_at, hidden_for, receipt, receive_count",
}
_HAS_QUEUE: Final = """
SELECT count(*) = 2 FROM sqlite_schema WHERE type = 'table' AND name IN ('messages', 'dead_letters')
"""


class Reader:
    """Does work on the queue's file, each time by a connection of its own, on another thread.

    It works beside the services, whom it neither locks out nor waits for, and without them.
    """

    def __init__(self, path: Path, *, clock: Clock = time) -> None:
        self.clock = clock
        self._path = path

    async def run(self, work: Callable[[sqlite3.Connection, float], _T]) -> _T:
        """Do work; it gets a connection, and the queue's time in seconds since 1970.

        That is infinite where the file was last opened before the machine's start: by then nothing is hidden any more.
        While the work reads rows, the write-ahead log cannot be used again from its start, so it must soon be done.
        Raises QueueUnavailableError, also where there is no such file.
        """
        return await asyncio.to_thread(self._run, work)

    def _run(self, work: Callable[[sqlite3.Connection, float], _T]) -> _T:
        try:
            if not self._path.stat().st_size:
                raise QueueUnavailableError(f"{self._path}: the file is empty, so it is no queue")
            try:
                return self._read("mode=rw", work)
            except sqlite3.Error as error:
                # Without room or the right to make the index of a log, and there is no log: the file is all there is.
                if not (is_full(error) or is_out_of_reach(error)) or self._has_log():
                    raise
                return self._read("mode=ro&immutable=1", work)
        except sqlite3.Error as error:
            raise QueueUnavailableError(f"{self._path}: {error}") from None
        except OSError as error:
            raise QueueUnavailableError(f"{self._path}: {error.strerror}") from None

    def _read(self, how: str, work: Callable[[sqlite3.Connection, float], _T]) -> _T:
        """`mode=rw` makes no file, and unlike `mode=ro` leaves no log behind: https://sqlite.org/wal.html#read_only_databases."""
        uri = f"{self._path.absolute().as_uri()}?{how}"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            read_version(connection)
            if not connection.execute(_HAS_QUEUE).fetchone()[0]:
                raise QueueUnavailableError(f"{self._path}: the file holds no queue")
            _show_as_current(connection)
            connection.execute("PRAGMA query_only = ON")
            started_at = known_start(connection, self.clock)
            now = math.inf if started_at is None else started_at + self.clock.monotonic()
            return work(connection, now)
        finally:
            close(connection, self._path)

    def _has_log(self) -> bool:
        try:
            return os.stat(f"{self._path}-wal").st_size > 0  # noqa: PTH116  a suffix of the whole name
        except FileNotFoundError:
            return False


def _show_as_current(connection: sqlite3.Connection) -> None:
    """Let the statements for a current file read an older one."""
    connection.execute("PRAGMA temp_store = MEMORY")
    for table, columns in _TABLES.items():
        if not _columns(connection, table):
            connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
    for table, defaults in _COLUMNS.items():
        known = _columns(connection, table)
        missing = [f"{value} AS {name}" for name, value in defaults.items() if name not in known]
        if missing:
            connection.execute(f"CREATE TEMP VIEW {table} AS SELECT {', '.join(['*', *missing])} FROM main.{table}")  # noqa: S608  constants


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
