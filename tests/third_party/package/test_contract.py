"""Checkpoint's contract, over both."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from checkpoint.archive.adapters import open_archive
from checkpoint.testing.archive.contract import ArchiveContract
from checkpoint.testing.message_queue.contract import QueueContract
from checkpoint.testing.message_queue.under_test import open_halves

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from checkpoint.archive.archive import Archive
    from checkpoint.testing.message_queue.under_test import Halves


class Queue:
    max_receives = 3

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> AbstractAsyncContextManager[Halves]:
        return open_halves(f"onefile://{self._path}?max_receives={self.max_receives}")

    def open_out_of_reach(self) -> AbstractAsyncContextManager[Halves]:
        return open_halves("onefile:///dev/null/queue.json")

    def bodies(self) -> list[bytes]:
        return [message["body"].encode() for message in self._read()["messages"]]

    def dead_letters(self) -> list[tuple[bytes, str]]:
        return [(body.encode(), reason) for body, reason in self._read()["dead_letters"]]

    def _read(self) -> Any:
        return json.loads(self._path.read_text())


class Place:
    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> AbstractAsyncContextManager[Archive]:
        return open_archive(f"onefile://{self._path}")

    def open_out_of_reach(self) -> AbstractAsyncContextManager[Archive]:
        return open_archive("onefile:///dev/null/archive.db")

    def objects(self) -> dict[str, bytes]:
        with closing(sqlite3.connect(self._path)) as connection:
            return dict(connection.execute("SELECT name, body FROM objects").fetchall())

    def plant(self, name: str, body: bytes) -> None:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS objects (name TEXT PRIMARY KEY, sha256 TEXT, body BLOB)")
            connection.execute("INSERT INTO objects (name, body) VALUES (?, ?)", (name, body))


class TestQueue(QueueContract):
    @pytest.fixture
    def queue(self, tmp_path: Path) -> Queue:
        return Queue(tmp_path / "queue.json")


class TestArchive(ArchiveContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Place(tmp_path / "archive.db")
