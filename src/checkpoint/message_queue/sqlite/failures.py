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
    return _name(error) in _FULL


def is_out_of_reach(error: sqlite3.Error) -> bool:
    """Whether a file could not be opened, or not be written."""
    return _name(error).startswith(_OUT_OF_REACH)


def is_in_use(error: sqlite3.Error) -> bool:
    """Whether another connection was in its way."""
    return _name(error).startswith(_IN_USE)


def _name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "")  # which errors of our own have not
