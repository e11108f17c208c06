"""The queue's file, read and destroyed past Checkpoint's adapter."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from conservation.history import Destroyed, identity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_BUSY_SECONDS: Final = 10.0
_OPEN_SECONDS: Final = 2.0
# So that other messages are in the file by then.
_AGE_SECONDS: Final = 0.2
_PAGE_BYTES: Final = 4_096


class QueueFile:
    """destroyed: the messages whose only copy was in a file when it was destroyed.

    dead_letters: the SHA-256 of each dead letter in files that were destroyed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.RLock()
        self.destroyed: list[Destroyed] = []
        self.dead_letters: list[str] = []

    def put(self, body: bytes) -> None:
        """Insert a message. Raises OSError or sqlite3.Error, also where it is there all the same."""
        with self._turn, closing(self._connect()) as connection, connection:
            connection.execute("INSERT INTO messages (body) VALUES (?)", (body,))

    def bodies(self, table: str) -> list[str]:
        """The SHA-256 of each body in a table."""
        with self._turn, closing(self._connect()) as connection:
            return _digests(connection, table)

    def damage(self) -> str:
        """What SQLite finds wrong with the file; empty where nothing is.

        https://sqlite.org/pragma.html#pragma_integrity_check
        """
        try:
            with self._turn, closing(self._connect()) as connection:
                found = [line for (line,) in connection.execute("PRAGMA integrity_check")]
        except sqlite3.Error as error:
            return str(error)
        return "" if found == ["ok"] else "; ".join(found)

    def delete(self) -> None:
        """Remove the file, as somebody does who takes it for rubbish."""
        with self._locked():
            self._remove()

    def empty(self) -> None:
        """Cut it to nothing where it is, as a shell's `>` does."""
        with self._turn, closing(self._connect()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with self._locked():
                os.truncate(self._path, 0)

    def replace(self) -> None:
        """Put an older state of the file in its place, as somebody does who restores a backup."""
        with self._turn, self._backup() as (backup, comes_back):
            time.sleep(_AGE_SECONDS)
            with self._locked(comes_back=comes_back):
                self._remove(but_file=True)
                backup.replace(self._path)

    @contextmanager
    def cut_short(self) -> Iterator[None]:
        """Put half of a copy in its place, as somebody does whose disk was full. At the end it is taken away."""
        with self._turn:
            with self._backup() as (backup, _):
                pages = backup.stat().st_size // _PAGE_BYTES
                os.truncate(backup, pages // 2 * _PAGE_BYTES)
                with self._locked():
                    self._remove(but_file=True)
                    backup.replace(self._path)
            try:
                yield
            finally:
                self._remove()

    @contextmanager
    def _backup(self) -> Iterator[tuple[Path, set[str]]]:
        """A copy, and the SHA-256 of each message in it."""
        backup = self._path.with_name("backup.db")
        backup.unlink(missing_ok=True)
        try:
            with closing(self._connect()) as connection:
                connection.execute("VACUUM INTO ?", (str(backup),))
            with closing(sqlite3.connect(backup)) as copied:
                messages = set(_digests(copied, "messages"))
            yield backup, messages
        finally:
            backup.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, *, comes_back: Collection[str] = ()) -> Iterator[None]:
        """Keep everybody from confirming anything while the body destroys the file; first take down what is in it."""
        with self._turn, closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            messages, dead = _digests(connection, "messages"), _digests(connection, "dead_letters")
            yield
            at = time.monotonic()
            self.destroyed += [Destroyed(each, at) for each in messages if each not in comes_back]
            self.dead_letters += dead
            # Not by a rollback, which would look for what is no longer there.

    def _connect(self) -> sqlite3.Connection:
        deadline = time.monotonic() + _OPEN_SECONDS
        while True:
            try:
                connection = sqlite3.connect(
                    f"file:{self._path}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
                )
                connection.execute("SELECT 1 FROM messages")
            except sqlite3.Error:  # it is being made; or a service that hangs keeps it locked, and then this waits once
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return connection

    def _remove(self, *, but_file: bool = False) -> None:
        for suffix in ("-wal", "-shm", *([] if but_file else [""])):
            self._path.with_name(f"{self._path.name}{suffix}").unlink(missing_ok=True)


def _digests(connection: sqlite3.Connection, table: str) -> list[str]:
    rows: list[Any] = connection.execute(f"SELECT body FROM {table}").fetchall()  # noqa: S608  a constant
    return [identity(body) for (body,) in rows]
