"""What the suite destroys is written down exactly: no message more, and none less."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from chaos.embedded.queue_file import QueueFile
from checkpoint.message_queue.sqlite.schema import upgrade
from conservation.history import identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def make(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        upgrade(connection)


@pytest.fixture
def file(tmp_path: Path) -> QueueFile:
    path = tmp_path / "queue.db"
    make(path)
    return QueueFile(path)


def cut_short(file: QueueFile) -> None:
    with file.cut_short(), pytest.raises(sqlite3.DatabaseError):
        file.bodies("messages")


@pytest.mark.parametrize("destroy", [QueueFile.delete, QueueFile.empty, cut_short])
def test_what_was_in_a_file_is_written_down_when_it_is_destroyed(
    file: QueueFile, destroy: Callable[[QueueFile], None]
) -> None:
    file.put(b"first")
    file.put(b"second")

    destroy(file)

    assert sorted(each.identity for each in file.destroyed) == sorted([identity(b"first"), identity(b"second")])


def test_what_a_backup_brings_back_is_not_destroyed(file: QueueFile, tmp_path: Path) -> None:
    file.put(b"first")

    file.replace()

    assert file.destroyed == []
    assert file.bodies("messages") == [identity(b"first")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["queue.db"]


def test_what_sqlite_finds_wrong_with_a_file_is_told(file: QueueFile, tmp_path: Path) -> None:
    file.put(b"first")
    assert file.damage() == ""
    with closing(sqlite3.connect(tmp_path / "queue.db")) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = sql || ' WHERE id > 1' WHERE name = 'messages_by_visible_at'"
        )

    assert "messages_by_visible_at" in file.damage()
