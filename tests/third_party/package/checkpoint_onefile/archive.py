"""An archive in one SQLite file: a row for each object."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from checkpoint.archive.port import ArchiveUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class OneFileStore:
    """Objects that are created and never changed."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:
        rows = await self._run("INSERT OR IGNORE INTO objects VALUES (?, ?, ?) RETURNING 1", name, sha256, body)
        return bool(rows)

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:  # noqa: ARG002  it reads the object
        rows = await self._run("SELECT body FROM objects WHERE name = ?", name)
        return hashlib.sha256(rows[0][0]).hexdigest() if rows else None

    async def _run(self, statement: str, *values: str | bytes) -> list[Any]:
        try:
            return await asyncio.to_thread(self._run_in_thread, statement, values)
        except sqlite3.Error as error:
            raise ArchiveUnavailableError(f"{self._path}: {error}") from None

    def _run_in_thread(self, statement: str, values: tuple[str | bytes, ...]) -> list[Any]:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS objects (name TEXT PRIMARY KEY, sha256 TEXT, body BLOB)")
            return connection.execute(statement, values).fetchall()


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[OneFileStore]:
    """The objects in the file at `onefile:///absolute/path`."""
    parts = urlsplit(url)
    if parts.netloc or not parts.path.startswith("/"):
        raise ValueError("must be onefile:///absolute/path.")
    yield OneFileStore(unquote(parts.path))
