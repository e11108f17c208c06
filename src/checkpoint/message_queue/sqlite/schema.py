"""The tables of a queue in a SQLite file, and a connection on which a commit outlasts a power cut."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Final

from checkpoint.durable_directories import make_directory, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

# AUTOINCREMENT: a receipt names an id, which must never come to name another message.
# The defaults let one statement put dead letters back: INSERT INTO messages (body) SELECT body FROM dead_letters.
_SCHEMA: Final = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    visible_at REAL NOT NULL DEFAULT 0,
    receive_count INTEGER NOT NULL DEFAULT 0,
    receipt INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS messages_by_visible_at ON messages (visible_at);
CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dead_at REAL NOT NULL,
    receive_count INTEGER NOT NULL,
    reason TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
COMMIT;
"""
_RETRY_SECONDS: Final = 0.02


def connect(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Open the queue's file; create it, its directories and its tables where they are missing.

    busy_seconds: how long a call waits for another process's transaction.
    Raises sqlite3.Error or OSError.
    """
    make_directory(path.parent)
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    try:
        _write_ahead(connection, deadline=time.monotonic() + busy_seconds)
        connection.execute("PRAGMA synchronous = FULL")
        # Where there is such a thing (macOS), fsync alone leaves bytes in the drive's cache.
        connection.execute("PRAGMA fullfsync = ON")
        connection.executescript(_SCHEMA)
        sync_directory(path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection, *, deadline: float) -> None:
    """Switch to WAL. SQLite's own waiting does not cover the switch, and several processes may start at once."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return
