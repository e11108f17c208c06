"""The operator's part of a queue in a file: it looks without leaving a trace, and redrives within the queue's room."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checkpoint.message_queue.port import Depth, QueueUnavailableError
from checkpoint.message_queue.sqlite.adapter import open_admin, open_receiving
from checkpoint.message_queue.sqlite.database import Database
from checkpoint.message_queue.sqlite.queue import SQLiteReceivingQueue
from checkpoint.message_queue.sqlite.room import RESERVE_BYTES
from checkpoint.message_queue.sqlite.schema import VERSION
from contract.manual_clock import ManualClock
from contract.queues import select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from checkpoint.message_queue.admin import AdminQueue, DeadLetter
    from checkpoint.message_queue.sqlite.admin import SQLiteAdminQueue
    from contract.queues import SQLite

VERSION_0 = Path(__file__).with_name("queue_version_0.sql")
LETTER = "INSERT INTO dead_letters (dead_at, receive_count, reason, body) VALUES (1e9, 1, 'bad', ?)"


@pytest.fixture
async def admin(sqlite: SQLite) -> AsyncIterator[SQLiteAdminQueue]:
    async with open_admin(sqlite.url) as admin:
        yield admin


async def make(sqlite: SQLite, *letters: bytes) -> None:
    """A file with dead letters, that nobody has open."""
    async with sqlite.open() as (sending, _):
        await sending.probe()
    with closing(sqlite3.connect(sqlite.path)) as connection, connection:
        connection.executemany(LETTER, [(letter,) for letter in letters])


async def listed(admin: AdminQueue) -> list[DeadLetter]:
    return [letter async for letter in admin.dead_letters()]


async def find(admin: AdminQueue) -> list[bytes]:
    return [message.body async for message in admin.find(lambda _: True)]


async def look(admin: AdminQueue) -> None:
    """Every question."""
    await admin.depth()
    await find(admin)
    await listed(admin)


def files(sqlite: SQLite) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sqlite.path.parent.iterdir()}


@pytest.mark.parametrize("below", ["", "directory/below"])
async def test_a_wrong_path_is_no_empty_queue_and_nothing_is_made_there(tmp_path: Path, below: str) -> None:
    calls: list[Callable[[SQLiteAdminQueue], Any]] = [
        lambda admin: admin.depth(),
        find,
        listed,
        lambda admin: admin.redrive([]),
        lambda admin: admin.drop([]),
    ]
    for call in calls:
        async with open_admin(f"sqlite:///{tmp_path / below / 'wrong.db'}") as admin:
            with pytest.raises(QueueUnavailableError, match=r"wrong\.db: No such file or directory"):
                await call(admin)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "is empty"), (b"some other file" * 1_000, "not a database"), (None, "no queue")]
)
async def test_a_file_that_is_no_queue_stays_as_it_is(
    sqlite: SQLite, admin: SQLiteAdminQueue, content: bytes | None, reason: str
) -> None:
    if content is None:
        with closing(sqlite3.connect(sqlite.path)) as connection:
            connection.execute("CREATE TABLE messages (id)")
    else:
        sqlite.path.write_bytes(content)
    before = files(sqlite)

    for call in (admin.depth(), find(admin), listed(admin), admin.redrive([]), admin.drop([])):
        with pytest.raises(QueueUnavailableError, match=reason):
            await call

    assert files(sqlite) == before


async def test_a_look_leaves_the_file_as_it_was_and_no_other_file(sqlite: SQLite, admin: SQLiteAdminQueue) -> None:
    await make(sqlite, b"bad")
    before = files(sqlite)

    await look(admin)

    assert files(sqlite) == before
    assert list(before) == ["queue.db"]


async def test_an_older_file_is_read_as_it_is_and_a_redrive_carries_it_on(
    sqlite: SQLite, admin: SQLiteAdminQueue
) -> None:
    with closing(sqlite3.connect(sqlite.path)) as connection:
        connection.executescript(VERSION_0.read_text(encoding="utf-8"))
    before = files(sqlite)

    depth = await admin.depth()
    letters = await listed(admin)

    # What an older program had in flight, this one may receive.
    assert (depth.waiting, depth.in_flight, depth.oldest_seconds, depth.dead_letters) == (6, 0, None, 2)
    assert len(await find(admin)) == 6
    assert [(letter.receive_count, letter.sent_at) for letter in letters] == [(3, None), (1, None)]
    assert files(sqlite) == before

    assert await admin.redrive(letters) == [None, None]
    assert select(sqlite.path, "PRAGMA user_version") == [(VERSION,)]
    assert len(sqlite.bodies()) == 8


async def test_the_file_of_a_newer_program_is_left_alone(sqlite: SQLite, admin: SQLiteAdminQueue) -> None:
    await make(sqlite, b"bad")
    with closing(sqlite3.connect(sqlite.path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    for call in (admin.depth(), find(admin), listed(admin), admin.redrive([]), admin.drop([])):
        with pytest.raises(QueueUnavailableError, match="run a newer Checkpoint"):
            await call


async def test_a_look_waits_for_no_writer_and_keeps_none_waiting(sqlite: SQLite, admin: SQLiteAdminQueue) -> None:
    await make(sqlite, b"bad", b"bad too")
    async with sqlite.open() as (sending, _):
        await sending.send([b"first", b"second"])
        with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            await look(admin)
            writer.execute("ROLLBACK")

        for some in (admin.find(lambda _: True), admin.dead_letters()):
            async for _ in some:  # in the middle of it the log can be used again from its start
                await sending.send([b"another"])
                with closing(sqlite3.connect(sqlite.path, timeout=0)) as other:
                    assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


async def test_after_the_machine_started_again_nothing_is_in_flight(sqlite: SQLite) -> None:
    clock = ManualClock()
    async with sqlite.open() as (sending, _):
        await sending.send([b"received", b"x" * 10_000])
    async with Database(sqlite.path, clock=clock) as database:
        receiving = SQLiteReceivingQueue(database, max_receives=3)
        assert len(await receiving.receive(9, wait_seconds=0, visibility_seconds=30)) == 2
        for seconds, hidden in ((0, 30), (29, 1), (1, 0)):
            clock.pass_(seconds)
            async with open_admin(sqlite.url, clock=clock) as admin:
                assert (await admin.depth())[:2] == ((0, 2) if hidden else (2, 0))
                assert [message.hidden_seconds async for message in admin.find(lambda _: True)] == [hidden] * 2
        await receiving.receive(9, wait_seconds=0, visibility_seconds=30)

    clock.uptime = 5
    async with open_admin(sqlite.url, clock=clock) as admin:
        assert (await admin.depth())[:2] == (2, 0)
        assert [message.hidden_seconds async for message in admin.find(lambda _: True)] == [0, 0]


async def test_a_receiver_at_its_first_start_tells_the_depth_of_an_empty_queue(sqlite: SQLite) -> None:
    async with open_receiving(sqlite.url) as receiving:
        assert await receiving.depth() == Depth(0, 0, None, 0)


async def test_many_and_long_ones_come_in_pages_one_after_the_other(sqlite: SQLite, admin: SQLiteAdminQueue) -> None:
    letters = [b"%d" % number for number in range(2_500)] + [bytes([number]) * 3_000_000 for number in range(4)]
    await make(sqlite, *letters)

    assert [letter.body for letter in await listed(admin)] == letters


async def test_a_long_dead_letter_is_redriven_into_the_pages_that_it_has(
    sqlite: SQLite, admin: SQLiteAdminQueue
) -> None:
    await make(sqlite, *[b"x" * 5_000_000] * 3)
    size = sqlite.path.stat().st_size

    assert await admin.redrive(await listed(admin)) == [None] * 3

    async with Database(sqlite.path) as database:
        await database.run(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
    assert sqlite.path.stat().st_size < size + 100_000
    assert [len(body) for body in sqlite.bodies()] == [5_000_000] * 3


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes that are free on the volume, for a test to set."""
    free = [1 << 40]
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((1, 1, 0, 0, free[0], 0, 0, 0, 0, 255)))
    return free


async def test_a_queue_without_room_takes_no_dead_letter_back_and_loses_none(
    sqlite: SQLite, admin: SQLiteAdminQueue, free: list[int]
) -> None:
    await make(sqlite, b"short", b"x" * 1_000_000, b"short too")
    letters = await listed(admin)

    free[0] = RESERVE_BYTES
    faults = await admin.redrive(letters)
    assert all(fault and fault.lacks_room and fault.is_transient and "is full" in fault.reason for fault in faults)
    assert (sqlite.bodies(), len(sqlite.dead_letters())) == ([], 3)

    free[0] = RESERVE_BYTES + RESERVE_BYTES // 4 + 1_000_000  # each byte that is sent takes two of the last
    first, long, last = await admin.redrive(letters)
    assert (first, last) == (None, None)
    assert long is not None
    assert long.lacks_room
    assert sqlite.bodies() == [b"short", b"short too"]
    assert [len(body) for body, _ in sqlite.dead_letters()] == [1_000_000]

    assert await admin.drop(await listed(admin)) == [None]


async def test_room_that_the_log_can_give_back_is_used_for_a_redrive(
    sqlite: SQLite, admin: SQLiteAdminQueue, free: list[int]
) -> None:
    await make(sqlite, b"bad")
    async with sqlite.open() as (sending, _):
        await sending.send([b"x" * 2_000_000])  # which is in the log
        free[0] = RESERVE_BYTES + 1_000_000

        assert await admin.redrive(await listed(admin)) == [None]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "disk"
    directory.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk is a mount, which this user may not make")
    try:
        yield directory
    finally:
        subprocess.run(["/bin/umount", "--lazy", directory], check=True)


def make_it_take_nothing_more(disk: Path, way: str) -> None:
    if way == "read-only":
        subprocess.run(["/bin/mount", "-o", "remount,ro", disk], check=True)
        return
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4_096))


@pytest.mark.parametrize("way", ["full", "read-only"])
async def test_a_queue_on_a_disk_that_takes_nothing_more_can_be_looked_at(disk: Path, way: str) -> None:
    path = disk / "queue.db"
    async with Database(path) as database:
        await database.run(lambda connection: connection.execute(LETTER, (b"bad",)).fetchone())
    await asyncio.to_thread(make_it_take_nothing_more, disk, way)

    async with open_admin(f"sqlite:///{path}") as admin:
        assert (await admin.depth()).dead_letters == 1
        assert [letter.body for letter in await listed(admin)] == [b"bad"]
        assert await find(admin) == []
