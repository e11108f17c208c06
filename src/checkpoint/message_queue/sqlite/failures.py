"""What an error of SQLite means for the work that failed: https://sqlite.org/rescode.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

# The second is the index of the write-ahead log, for which there is no room.
_FULL: Final = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
# No right to make or write what a read needs besides the file: the log and its index.
_OUT_OF_REACH: Final = ("SQLITE_CANTOPEN", "SQLITE_READONLY")  # and the extended codes that begin so
_IN_USE: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")  # and the extended codes that begin so


def is_full(error: sqlite3.Error) -> bool:
    """Whether there was no room for what failed."""
    return name_of(error) in _FULL


def is_out_of_reach(error: sqlite3.Error) -> bool:
    """Whether a file could not be opened, or not be written."""
    return name_of(error).startswith(_OUT_OF_REACH)


def is_in_use(error: sqlite3.Error) -> bool:
    """Whether another connection was in its way."""
    return name_of(error).startswith(_IN_USE)


def name_of(error: sqlite3.Error) -> str:
    """The name of its result code, such as SQLITE_BUSY; empty for an error that is not SQLite's own."""
    return getattr(error, "sqlite_errorname", "")  # which errors of our own have not
