"""A file and a log that long messages made large give their room back while the services run."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.sqlite import shrinking
from checkpoint.message_queue.sqlite.database import Database
from checkpoint.message_queue.sqlite.queue import SQLiteReceivingQueue, SQLiteSendingQueue
from checkpoint.message_queue.sqlite.shrinking import KEPT_BYTES, KEPT_LOG_BYTES, Shrinking, checkpoint
from contract.queues import select
from contract.test_sqlite_versions import OLD_SCHEMA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from contract.queues import SQLite

LONG = b"x" * 4_000_000
AUTO_VACUUM_INCREMENTAL = 2


class Halves:
    """Both halves, each with its connection, as in two processes."""

    def __init__(self, sender: Database, receiver: Database) -> None:
        self.sending = SQLiteSendingQueue(sender)
        self.receiving = SQLiteReceivingQueue(receiver, max_receives=3)
        self.sender = sender

    async def drain(self) -> None:
        while messages := await self.receiving.receive(256, wait_seconds=0, visibility_seconds=30):
            assert await self.receiving.delete(messages) == [None] * len(messages)

    async def receive_until(self, condition: Callable[[], bool]) -> None:
        """Ask an empty queue for messages, as a broker does that waits for them."""
        async with asyncio.timeout(20):
            while not condition():
                assert await self.receiving.receive(1, wait_seconds=0.1, visibility_seconds=30) == []


@pytest.fixture
async def halves(sqlite: SQLite) -> AsyncIterator[Halves]:
    async with Database(sqlite.path) as sender, Database(sqlite.path) as receiver:
        yield Halves(sender, receiver)


def sizes(path: Path) -> tuple[int, int]:
    """Of the file, and of its log."""
    return path.stat().st_size, path.with_name(f"{path.name}-wal").stat().st_size


async def test_after_a_backlog_of_long_messages_file_and_log_are_short_while_both_halves_are_open(
    sqlite: SQLite, halves: Halves
) -> None:
    await halves.sending.probe()
    with closing(sqlite3.connect(sqlite.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchone()  # no checkpoint empties the log meanwhile
        for _ in range(8):
            await halves.sending.send([LONG])
    assert sizes(sqlite.path)[1] > 4 * KEPT_LOG_BYTES - KEPT_BYTES
    await halves.drain()
    await halves.receive_until(lambda: sizes(sqlite.path)[0] <= 2 * KEPT_BYTES)
    await halves.receive_until(lambda: sizes(sqlite.path)[1] <= KEPT_LOG_BYTES)
    assert await halves.sending.send([LONG]) == [None]


async def test_a_backlog_gives_room_back_while_it_is_worked_off(sqlite: SQLite, halves: Halves) -> None:
    for _ in range(20):
        await halves.sending.send([LONG[:2_000_000]])
    largest = select(sqlite.path, "PRAGMA page_count")[0][0]
    for _ in range(9):
        await halves.receiving.delete(await halves.receiving.receive(2, wait_seconds=0, visibility_seconds=30))
    assert len(sqlite.bodies()) == 2
    assert select(sqlite.path, "PRAGMA page_count")[0][0] < largest


async def test_the_file_of_an_older_program_is_made_one_that_shrinks_once_little_is_in_it(
    sqlite: SQLite, halves: Halves
) -> None:
    with closing(sqlite3.connect(sqlite.path)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.executescript(OLD_SCHEMA)
        with old:
            old.executemany("INSERT INTO messages (body) VALUES (?)", [(LONG,), (LONG,), (b"dead",)])
    messages = []
    while received := await halves.receiving.receive(256, wait_seconds=0, visibility_seconds=30):
        messages += received
    await halves.receiving.delete([message for message in messages if message.body == LONG])
    await halves.receiving.dead_letter(next(message for message in messages if message.body == b"dead"), "because")
    await halves.sending.send([b"kept"])
    [kept] = await halves.receiving.receive(1, wait_seconds=0, visibility_seconds=30)
    await halves.receive_until(lambda: sizes(sqlite.path)[0] <= KEPT_BYTES)

    assert select(sqlite.path, "PRAGMA auto_vacuum") == [(AUTO_VACUUM_INCREMENTAL,)]
    assert sqlite.dead_letters() == [(b"dead", "because")]
    assert await halves.receiving.delete([kept]) == [None]
    await halves.sending.send([b"after"])
    assert select(sqlite.path, "SELECT id, body FROM messages") == [(5, b"after")]  # and no id comes twice


async def test_nothing_is_given_back_while_another_process_writes_and_no_receive_fails_for_it(
    sqlite: SQLite, halves: Halves
) -> None:
    for _ in range(3):
        await halves.sending.send([LONG])
    await halves.drain()
    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await halves.receiving.receive(1, wait_seconds=0.3, visibility_seconds=30) == []
        other.execute("ROLLBACK")
    await halves.receive_until(lambda: sizes(sqlite.path)[0] <= 2 * KEPT_BYTES)


async def test_a_file_that_is_nearly_all_free_gives_it_back_at_once(
    sqlite: SQLite, halves: Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shrinking, "_MANY_FREE_BYTES", KEPT_BYTES)
    for _ in range(3):
        await halves.sending.send([LONG])
    await halves.drain()
    await halves.sending.send([b"kept"])
    [kept] = await halves.receiving.receive(1, wait_seconds=0, visibility_seconds=30)
    assert await halves.receiving.receive(1, wait_seconds=0, visibility_seconds=30) == []
    assert select(sqlite.path, "PRAGMA freelist_count") == [(0,)]
    assert sqlite.bodies() == [b"kept"]
    assert await halves.receiving.delete([kept]) == [None]


class SlowClock:
    """Each look at it takes an eighth of a second."""

    def __init__(self) -> None:
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        self._now += 0.125
        return self._now


async def test_after_a_step_that_holds_the_lock_for_long_there_is_a_pause_and_a_shorter_step(
    sqlite: SQLite, halves: Halves
) -> None:
    for _ in range(3):
        await halves.sending.send([LONG])
    await halves.drain()
    slow = Shrinking(Database(sqlite.path, clock=SlowClock()))
    given_back = []
    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as connection:
        for _ in range(6):
            before = connection.execute("PRAGMA freelist_count").fetchone()[0]
            slow.when_quiet(connection)
            given_back.append(before - connection.execute("PRAGMA freelist_count").fetchone()[0])
    assert given_back == [128, 0, 0, 0, 64, 0]


class FailingConnection(sqlite3.Connection):
    """Its scripts, which shrink the file, fail.

    failing: those of them that do, by a text in them. tried: how often such a one was run.
    """

    error_name = ""
    failing = ""
    tried = 0

    def executescript(self, sql_script: str) -> sqlite3.Cursor:
        if self.failing not in sql_script:
            return super().executescript(sql_script)
        self.tried += 1
        error = sqlite3.OperationalError(sql_script)
        error.sqlite_errorname = self.error_name
        raise error


@pytest.fixture
async def failing(sqlite: SQLite, halves: Halves) -> AsyncIterator[FailingConnection]:
    """On a file that has pages to give back."""
    for _ in range(3):
        await halves.sending.send([LONG])
    await halves.drain()
    with closing(sqlite3.connect(sqlite.path, isolation_level=None, factory=FailingConnection)) as connection:
        yield connection


@pytest.mark.parametrize("name", ["SQLITE_IOERR_WRITE", "SQLITE_READONLY"])
async def test_a_step_that_fails_for_the_files_own_sake_says_so_and_is_not_tried_again_at_once(
    sqlite: SQLite, failing: FailingConnection, name: str
) -> None:
    failing.error_name = name
    shrinking_ = Shrinking(Database(sqlite.path))
    with pytest.raises(sqlite3.OperationalError):
        shrinking_.when_quiet(failing)
    shrinking_.when_quiet(failing)
    shrinking_.after_delete(failing)
    assert failing.tried == 1
    with pytest.raises(sqlite3.OperationalError):
        checkpoint(failing)


@pytest.mark.parametrize(("name", "tries"), [("SQLITE_FULL", 1), ("SQLITE_BUSY", 2), ("SQLITE_BUSY_SNAPSHOT", 2)])
async def test_a_step_waits_for_another_process_and_longer_for_room_and_the_queue_does_not_fail(
    sqlite: SQLite, failing: FailingConnection, name: str, tries: int
) -> None:
    failing.error_name = name
    shrinking_ = Shrinking(Database(sqlite.path))
    shrinking_.when_quiet(failing)
    shrinking_.when_quiet(failing)
    assert failing.tried == tries
    checkpoint(failing)


async def test_a_file_for_whose_copy_there_is_no_place_is_shrunk_by_steps_instead(
    sqlite: SQLite, failing: FailingConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shrinking, "_MANY_FREE_BYTES", KEPT_BYTES)
    failing.failing, failing.error_name = "; VACUUM", "SQLITE_CANTOPEN"
    free = failing.execute("PRAGMA freelist_count").fetchone()[0]
    shrinking_ = Shrinking(Database(sqlite.path))
    for _ in range(2):
        shrinking_.when_quiet(failing)
        before, free = free, failing.execute("PRAGMA freelist_count").fetchone()[0]
        assert free < before
    assert failing.tried == 1
