"""The embedded default: a directory, and not one setting."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from e2e.marked import md5
from e2e.worlds import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class OneMachine:
    """A World below a directory, in which the services are started.

    queue: the queue's file, where it is not the default.
    """

    is_searchable = True

    def __init__(self, directory: Path, *, queue: Path | None = None) -> None:
        self.environment: dict[str, str] = {"QUEUE_URL": f"sqlite:///{queue}"} if queue else {}
        self.cuttable: Mapping[str, str] = {}
        self._data = directory / "data"
        self._archive = self._data / "archive"
        self._queue = queue or self._data / "queue.db"

    def limit_receives(self, count: int) -> None:
        self.environment["QUEUE_URL"] = f"sqlite:///data/queue.db?max_receives={count}"

    def put(self, body: bytes) -> None:
        with closing(sqlite3.connect(self._queue)) as connection, connection:
            connection.execute("INSERT INTO messages (body) VALUES (?)", (body,))

    def waiting(self) -> int:
        return len(self._select("SELECT 1 FROM messages"))

    def dead_letters(self) -> list[DeadLetter]:
        return [DeadLetter(*row) for row in self._select("SELECT body, reason FROM dead_letters")]

    def bury(self, body: bytes, reason: str) -> None:
        with closing(sqlite3.connect(self._queue)) as connection, connection:
            connection.execute(
                "INSERT INTO dead_letters (dead_at, receive_count, reason, body) VALUES (?, 20, ?, ?)",
                (time.time(), reason, body),
            )

    def objects(self) -> dict[str, str]:
        if not self._archive.is_dir():
            return {}
        return {path.name: md5(path.read_bytes()) for path in self._archive.iterdir() if path.is_file()}

    def read(self, name: str) -> bytes:
        return (self._archive / name).read_bytes()

    def plant(self, name: str, content: bytes) -> None:
        self._archive.mkdir(exist_ok=True)
        (self._archive / name).write_bytes(content)

    def remove(self, name: str) -> None:
        (self._archive / name).unlink()

    @contextmanager
    def archive_away(self) -> Iterator[None]:
        with _replaced_by_a_file(self._archive):
            yield

    @contextmanager
    def queue_away(self) -> Iterator[None]:
        with _replaced_by_a_file(self._data):
            yield

    def _select(self, statement: str) -> list[Any]:
        with closing(sqlite3.connect(self._queue)) as connection:
            return connection.execute(statement).fetchall()


@contextmanager
def _replaced_by_a_file(directory: Path) -> Iterator[None]:
    """An outage that holds for root too, whom no permission stops."""
    aside = directory.with_name(f"{directory.name}-aside")
    directory.rename(aside)
    directory.touch()
    try:
        yield
    finally:
        directory.unlink()
        aside.rename(directory)
