"""The file of an older program is carried on, beside that program too; the file of a newer one is left alone."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import time
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.message_queue.sqlite.clock import started_at
from checkpoint.message_queue.sqlite.database import Database, transaction
from checkpoint.message_queue.sqlite.queue import SQLiteSendingQueue
from checkpoint.message_queue.sqlite.schema import VERSION, upgrade
from contract.queues import select

if TYPE_CHECKING:
    from contract.queues import SQLite

VERSION_0 = Path(__file__).with_name("queue_version_0.sql")
RECEIVE_COUNTS = {
    "never received": 0,
    "né 😀, never received": 0,
    "never received, the last": 0,
    "received once, released": 1,
    "received once, in flight": 1,
    "received twice, in flight": 2,
}

# The statements of commit c3731df.
OLD_SCHEMA = """
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
OLD_SEND = "INSERT INTO messages (body) VALUES (?)"
OLD_PROBE = "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1"
OLD_ANY_VISIBLE = "SELECT EXISTS (SELECT 1 FROM messages WHERE visible_at <= ?)"
OLD_VISIBLE = (
    "SELECT id, receipt, receive_count, body FROM messages WHERE visible_at <= ? ORDER BY visible_at, id LIMIT ?"
)
OLD_RECEIVE = "UPDATE messages SET visible_at = ?, receipt = ?, receive_count = receive_count + 1 WHERE id = ?"
OLD_CHANGE_VISIBILITY = "UPDATE messages SET visible_at = ? WHERE id = ? AND receipt = ?"
OLD_DEAD_LETTER = (
    "INSERT INTO dead_letters (dead_at, receive_count, reason, body)"
    " SELECT ?, receive_count, ?, body FROM messages WHERE id = ? AND receipt = ?"
)
OLD_DELETE = "DELETE FROM messages WHERE id = ? AND receipt = ?"


class OldProgram:
    """What the program of commit c3731df does with a file, without its waiting."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.executescript(OLD_SCHEMA)
        self.receipt = 0

    def receive(self, *, hide_seconds: float) -> dict[bytes, tuple[int, int]]:
        """The ids and receipts of all that is visible, by body."""
        now = time.time()
        if not self.connection.execute(OLD_ANY_VISIBLE, (now,)).fetchone()[0]:
            return {}
        received = {}
        for id_, _, _, body in self.connection.execute(OLD_VISIBLE, (now, 256)).fetchall():
            self.receipt += 1
            self.connection.execute(OLD_RECEIVE, (now + hide_seconds, self.receipt, id_))
            received[body] = (id_, self.receipt)
        return received


def make(sqlite: SQLite) -> None:
    """The fixture, as a file."""
    with closing(sqlite3.connect(sqlite.path)) as connection:
        connection.executescript(VERSION_0.read_text())


def receive_counts(path: Path, statement: str = "SELECT body, receive_count FROM messages") -> dict[str, int]:
    """By the subject of each e-mail."""
    return {json.loads(body)["email_subject"]: count for body, count in select(path, statement)}


async def test_each_message_of_an_old_file_is_received_once_and_its_receives_are_still_counted(sqlite: SQLite) -> None:
    make(sqlite)
    bodies = sorted(sqlite.bodies())

    async with sqlite.open() as (_, receiving):
        received = await receiving.receive(256, wait_seconds=0, visibility_seconds=30)
        assert await receiving.receive(256, wait_seconds=0, visibility_seconds=30) == []

        assert sorted(message.body for message in received) == bodies
        assert receive_counts(sqlite.path) == {name: count + 1 for name, count in RECEIVE_COUNTS.items()}
        assert await receiving.delete(received) == [None] * len(bodies)


async def test_the_dead_letters_and_the_probe_of_an_old_file_are_kept(sqlite: SQLite) -> None:
    make(sqlite)
    async with sqlite.open() as (sending, _):
        await sending.probe()

    dead = receive_counts(sqlite.path, "SELECT body, receive_count FROM dead_letters")
    assert dead == {"received too often": 3, "bad": 1}
    assert select(sqlite.path, "SELECT sent_at FROM dead_letters") == [(None,), (None,)]
    assert select(sqlite.path, "SELECT count FROM probe") == [(3,)]


async def test_what_an_old_program_hid_for_long_is_received(sqlite: SQLite) -> None:
    make(sqlite)
    with closing(sqlite3.connect(sqlite.path)) as connection, connection:
        connection.execute("UPDATE messages SET visible_at = ?", (time.time() + 2 * 86_400,))

    async with sqlite.open() as (_, receiving):
        received = await receiving.receive(256, wait_seconds=0, visibility_seconds=30)

    assert len(received) == len(RECEIVE_COUNTS)


async def test_an_old_file_and_a_new_one_end_up_alike(sqlite: SQLite) -> None:
    def describe(path: Path) -> list[Any]:
        tables = ("messages", "dead_letters", "probe", "clock", "long_messages")
        columns = [select(path, f"PRAGMA table_xinfo({table})") for table in tables]
        return [*columns, select(path, "SELECT name, tbl_name FROM sqlite_schema ORDER BY name"), version(path)]

    make(sqlite)
    new = sqlite.path.with_name("new.db")
    for path in (sqlite.path, new):
        async with Database(path) as database:
            await SQLiteSendingQueue(database).probe()

    assert describe(sqlite.path) == describe(new)
    assert version(new) == VERSION


async def test_what_a_program_of_version_2_has_in_flight_is_carried_on(sqlite: SQLite) -> None:
    bodies = sorted([b"short", b"x" * 3_990, b"x" * 100_000, b"waits", b"y" * 100_000])
    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        with transaction(connection):
            upgrade(connection, to=2)
            started_at(connection, time)
        connection.executemany("INSERT INTO messages (sent_at, body) VALUES (7, ?)", [(body,) for body in bodies])
        in_flight = "visible_at = 5, hidden_for = 1, receipt = 9, receive_count = 1"
        connection.execute(f"UPDATE messages SET {in_flight} WHERE length(body) IN (5, 3990)")  # noqa: S608  a constant
        connection.execute("UPDATE messages SET visible_at = 1 WHERE body = ?", (b"x" * 100_000,))
        connection.execute(
            "INSERT INTO long_messages (id, visible_at, hidden_for, receipt, receive_count)"
            " SELECT id, 5, 1, 9, 1 FROM messages WHERE visible_at = 1"
        )

    async with sqlite.open() as (_, receiving):
        received = await receiving.receive(256, wait_seconds=0, visibility_seconds=30)

        assert sorted(message.body for message in received) == bodies
        assert {(message.sent_at, message.traceparent) for message in received} == {(7, None)}
        assert sorted(message.receive_count for message in received) == [1, 2, 2, 2, 2]
        assert await receiving.delete(received) == [None] * 5
    assert version(sqlite.path) == VERSION


async def test_several_processes_may_open_an_old_file_at_once(sqlite: SQLite) -> None:
    make(sqlite)
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(Database(sqlite.path)) for _ in range(8)]
        await asyncio.gather(*(SQLiteSendingQueue(database).probe() for database in databases))

    assert receive_counts(sqlite.path) == RECEIVE_COUNTS
    assert select(sqlite.path, "SELECT count FROM probe") == [(10,)]


async def test_an_upgrade_that_is_killed_at_any_statement_is_made_by_the_next_process(sqlite: SQLite) -> None:
    make(sqlite)
    killed: list[Path] = []

    def keep_what_a_kill_would_leave(_statement: str) -> None:
        killed.append(sqlite.path.with_name(f"killed-{len(killed)}.db"))
        shutil.copy(sqlite.path, killed[-1])
        shutil.copy(f"{sqlite.path}-wal", f"{killed[-1]}-wal")

    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM messages")  # from here on there is a write-ahead log
        connection.set_trace_callback(keep_what_a_kill_would_leave)
        with transaction(connection):
            upgrade(connection)
            started_at(connection, time)
        connection.set_trace_callback(None)
        keep_what_a_kill_would_leave("after it")

    assert len(killed) > 10
    assert [version(path) for path in killed] == [0] * (len(killed) - 1) + [VERSION]
    for path in killed:
        async with Database(path) as database:
            await SQLiteSendingQueue(database).probe()
        assert version(path) == VERSION
        assert receive_counts(path) == RECEIVE_COUNTS


async def test_an_old_program_works_on_beside_a_new_one(sqlite: SQLite) -> None:
    make(sqlite)
    old = OldProgram(sqlite.path)
    with closing(old.connection):
        async with sqlite.open() as (sending, receiving):
            await receiving.delete(await receiving.receive(256, wait_seconds=0, visibility_seconds=30))
            assert old.receive(hide_seconds=30) == {}

            await sending.send([b"by the new"])
            old.connection.execute(OLD_SEND, (b"by the old",))
            old.connection.execute(OLD_PROBE)
            received = await receiving.receive(256, wait_seconds=0, visibility_seconds=30)

            assert sorted(message.body for message in received) == [b"by the new", b"by the old"]
            assert old.receive(hide_seconds=30) == {}
            assert await receiving.change_visibility(received, 0) == [None, None]
            held = old.receive(hide_seconds=0)
            assert old.connection.execute(OLD_CHANGE_VISIBILITY, (0, *held[b"by the new"])).rowcount == 1
            assert old.connection.execute(OLD_DELETE, held[b"by the new"]).rowcount == 1
            old.connection.execute(OLD_DEAD_LETTER, (time.time(), "because", *held[b"by the old"]))
            assert old.connection.execute(OLD_DELETE, held[b"by the old"]).rowcount == 1
            assert await receiving.receive(256, wait_seconds=0, visibility_seconds=30) == []

    assert sqlite.dead_letters()[-1] == (b"by the old", "because")


async def test_an_old_program_carries_on_the_file_of_a_new_one(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, receiving):
        await sending.send([b"held", b"released"])
        messages = await receiving.receive(256, wait_seconds=0, visibility_seconds=30)
        await receiving.change_visibility([message for message in messages if message.body == b"released"], 0)

    old = OldProgram(sqlite.path)
    with closing(old.connection):
        assert list(old.receive(hide_seconds=30)) == [b"released"]

    assert version(sqlite.path) == VERSION


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_the_file_of_a_newer_program_is_refused_and_left_as_it_is(sqlite: SQLite, journal: str) -> None:
    with closing(sqlite3.connect(sqlite.path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE messages (body TEXT)")
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = sqlite.path.read_bytes()

    async with sqlite.open() as (sending, receiving):
        for call in (sending.probe(), receiving.receive(1, wait_seconds=0, visibility_seconds=30)):
            with pytest.raises(QueueUnavailableError) as caught:
                await call
            assert str(caught.value) == (
                f"{sqlite.path}: the file has version {VERSION + 1}, and this program knows versions up to {VERSION}:"
                " run a newer Checkpoint"
            )

    assert sqlite.path.read_bytes() == before


def version(path: Path) -> int:
    """The file's `user_version`."""
    [(found,)] = select(path, "PRAGMA user_version")
    number: int = found
    return number
