"""A queue that has no room refuses what is sent, and can always be received from."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.adapters import open_sending
from checkpoint.message_queue.port import QueueFullError
from checkpoint.message_queue.sqlite import queue, room, rows
from checkpoint.message_queue.sqlite.database import Database, transaction
from checkpoint.message_queue.sqlite.queue import LIMITS, SQLiteReceivingQueue, SQLiteSendingQueue
from checkpoint.message_queue.sqlite.room import RESERVE_BYTES, SHORT_BYTES, Room
from checkpoint.message_queue.sqlite.statements import LONG_BYTES
from contract.queues import select

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from checkpoint.message_queue.port import EntryFault, Message
    from contract.queues import SQLite

LONG = b"x" * 2_000_000
LENGTH = 100_000
SHORT = b"short"


class Volume:
    """What `os.statvfs` says.

    free: bytes. asked: how often.
    """

    def __init__(self, free: int) -> None:
        self.free = free
        self.asked = 0

    def statvfs(self, _path: Path) -> os.statvfs_result:
        self.asked += 1
        return os.statvfs_result((1, 1, 0, 0, self.free, 0, 0, 0, 0, 255))


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> Volume:
    volume = Volume(1 << 40)
    monkeypatch.setattr(os, "statvfs", volume.statvfs)
    return volume


async def test_what_would_leave_less_than_the_reserve_is_refused_and_nothing_of_it_is_sent(
    sqlite: SQLite, volume: Volume
) -> None:
    async with sqlite.open() as (sending, receiving):
        volume.free = 2 * RESERVE_BYTES
        await sending.send([b"before"])
        volume.free = RESERVE_BYTES
        for call in (sending.send([SHORT, SHORT]), sending.send([SHORT]), sending.probe()):
            with pytest.raises(QueueFullError, match=rf"queue\.db: is full: {RESERVE_BYTES} bytes of its volume"):
                await call

        assert sqlite.bodies() == [b"before"]
        [message] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
        assert await receiving.delete([message]) == [None]


async def test_it_is_ready_again_only_when_there_is_clearly_more_room(sqlite: SQLite, volume: Volume) -> None:
    async with sqlite.open() as (sending, _):
        volume.free = RESERVE_BYTES
        with pytest.raises(QueueFullError):
            await sending.send([SHORT])
        volume.free += RESERVE_BYTES // 8
        with pytest.raises(QueueFullError):
            await sending.probe()
        volume.free += RESERVE_BYTES // 4
        await sending.probe()
        volume.free -= RESERVE_BYTES // 4
        assert await sending.send([SHORT]) == [None]


async def test_while_there_is_far_more_room_a_send_does_not_ask_for_it(sqlite: SQLite, volume: Volume) -> None:
    async with sqlite.open() as (sending, _):
        await sending.probe()
        volume.asked = 0
        for _ in range(5):
            await sending.send([SHORT])
        assert volume.asked < 5


async def test_a_send_counts_its_own_bytes_in_the_log_and_in_the_file(sqlite: SQLite, volume: Volume) -> None:
    async with sqlite.open() as (sending, _):
        await sending.probe()
        volume.free = RESERVE_BYTES + len(LONG) + 100_000
        assert refused(await sending.send([LONG])) == [True]


async def test_a_message_that_is_too_long_for_what_is_left_is_refused_alone_and_shorter_ones_go_on(
    sqlite: SQLite, volume: Volume
) -> None:
    async with sqlite.open() as (sending, _):
        await sending.probe()
        volume.free = RESERVE_BYTES + len(LONG)
        for _ in range(2):
            assert refused(await sending.send([LONG])) == [True]
            assert await sending.send([SHORT]) == [None]
            await sending.probe()
            assert refused(await sending.send([SHORT, LONG, b"x" * SHORT_BYTES, LONG])) == [False, True, False, True]
        assert sqlite.bodies() == [SHORT, SHORT, b"x" * SHORT_BYTES] * 2


async def test_a_volume_that_has_no_room_for_a_short_message_either_is_full(sqlite: SQLite, volume: Volume) -> None:
    async with sqlite.open() as (sending, _):
        await sending.probe()
        select(sqlite.path, "PRAGMA wal_checkpoint(TRUNCATE)")
        volume.free = RESERVE_BYTES + room._PAGES_BYTES + SHORT_BYTES  # which is needed twice
        for call in (sending.send([LONG]), sending.send([SHORT]), sending.probe()):
            with pytest.raises(QueueFullError):
                await call


async def test_no_reserve_may_be_asked_for(sqlite: SQLite, volume: Volume) -> None:
    async with open_sending(f"sqlite:///{sqlite.path}?reserve_bytes=0") as sending:
        volume.free = 1_000_000
        assert await sending.send([SHORT]) == [None]


def refused(results: list[EntryFault | None]) -> list[bool]:
    """Which messages were refused for want of room."""
    assert all(fault is None or (fault.lacks_room and fault.is_transient) for fault in results)
    return [fault is not None for fault in results]


async def send_on(sending: SQLiteSendingQueue, size: int) -> None:
    """As long as there is room."""
    while await sending.send([b"x" * size]) == [None]:
        pass


async def has_room(sending: SQLiteSendingQueue) -> bool:
    try:
        await sending.probe()
    except QueueFullError:
        return False
    return True


async def test_max_bytes_holds_for_the_file_and_its_log_and_there_is_room_again_when_messages_are_gone(
    sqlite: SQLite,
) -> None:
    most = 16_000_000
    async with sqlite.open() as (_, receiving), Database(sqlite.path) as database:
        sending = SQLiteSendingQueue(database, Room(database, max_bytes=most))
        await send_on(sending, LENGTH)
        with pytest.raises(QueueFullError, match=rf"queue\.db: is full: its max_bytes are {most}"):
            await send_on(sending, SHORT_BYTES)
        assert sum(map(len, sqlite.bodies())) > most / 3
        assert sum(file.stat().st_size for file in sqlite.path.parent.glob("queue.db*")) <= most
        while await has_room(sending):  # what the log gave back is used, too
            with pytest.raises(QueueFullError):
                await send_on(sending, SHORT_BYTES)

        while messages := await receiving.receive(256, wait_seconds=0, visibility_seconds=30):
            assert await receiving.delete(messages) == [None] * len(messages)
        await sending.probe()
        assert await sending.send([b"x" * LENGTH]) == [None]


async def test_several_senders_do_not_take_the_last_room_together(sqlite: SQLite) -> None:
    most = 16_000_000

    async def fill(database: Database) -> None:
        sending = SQLiteSendingQueue(database, Room(database, max_bytes=most))
        await send_on(sending, len(LONG))

    async with Database(sqlite.path) as one, Database(sqlite.path) as other, Database(sqlite.path) as third:
        await asyncio.gather(fill(one), fill(other), fill(third))
        assert sum(file.stat().st_size for file in sqlite.path.parent.glob("queue.db*")) <= most


@pytest.mark.parametrize("act", ["receive", "receive again", "change_visibility", "delete", "dead_letter"])
async def test_what_is_done_with_a_long_message_takes_no_room_for_its_body_again(sqlite: SQLite, act: str) -> None:
    async with sqlite.open() as (sending, receiving), Database(sqlite.path) as database:
        await sending.send([LONG])
        messages: list[Message] = []
        if act != "receive":
            messages = await receiving.receive(1, wait_seconds=0, visibility_seconds=0)
        await database.run(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
        pages = select(sqlite.path, "PRAGMA page_count")

        match act:
            case "change_visibility":
                await receiving.change_visibility(messages, 30)
            case "delete":
                await receiving.delete(messages)
            case "dead_letter":
                await receiving.dead_letter(messages[0], "because")
            case _:
                [message] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
                assert message.body == LONG

        log_bytes = sqlite.path.with_name("queue.db-wal").stat().st_size
        assert log_bytes < (1.1 * len(LONG) if act == "dead_letter" else 100_000)
        assert select(sqlite.path, "PRAGMA page_count") == pages


async def fill_up(sqlite: SQLite) -> tuple[list[bytes], list[Message]]:
    """A file with messages short and long, some of them received: all bodies, and the received messages."""
    bodies = [b"%d" % number + b"x" * size for number in range(20) for size in (10, 131, 1_000, LONG_BYTES, 20_000)]
    bodies += [b"%d " % number + b"x" * 131 for number in range(100)]
    async with sqlite.open() as (sending, receiving):
        await sending.send(bodies)
        return sorted(bodies), await receiving.receive(100, wait_seconds=0, visibility_seconds=300)


@pytest.mark.parametrize("act", ["send", "receive", "change_visibility", "delete", "dead_letter"])
async def test_a_disk_that_is_full_at_any_write_loses_nothing_and_doubles_nothing(sqlite: SQLite, act: str) -> None:
    bodies, held = await fill_up(sqlite)
    template = sqlite.path.read_bytes()
    calls: dict[str, Callable[[SQLiteSendingQueue, SQLiteReceivingQueue], Awaitable[object]]] = {
        "send": lambda sending, _: sending.send([b"sent", LONG]),
        "receive": lambda _, receiving: receiving.receive(100, wait_seconds=0, visibility_seconds=300),
        "change_visibility": lambda _, receiving: receiving.change_visibility(held, 1_000_000),
        "delete": lambda _, receiving: receiving.delete(held[:7]),
        "dead_letter": lambda _, receiving: receiving.dead_letter(held[3], "because"),
    }
    after = {
        "send": sorted([*bodies, b"sent", LONG]),
        "delete": sorted(set(bodies) - {message.body for message in held[:7]}),
        "dead_letter": sorted(set(bodies) - {held[3].body}),
    }.get(act, bodies)
    failures = 0
    for more_pages in (0, 1, 2, 5, 10, 1_000):
        sqlite.path.write_bytes(template)
        async with Database(sqlite.path) as database:
            limit = select(sqlite.path, "PRAGMA page_count")[0][0] + more_pages

            def limit_pages(connection: sqlite3.Connection, limit: int = limit) -> None:
                connection.execute(f"PRAGMA max_page_count = {limit}").fetchone()

            await database.run(limit_pages)
            sending, receiving = SQLiteSendingQueue(database), SQLiteReceivingQueue(database, max_receives=20)
            try:
                await calls[act](sending, receiving)
            except QueueFullError:
                failures += 1
                assert sorted(sqlite.bodies()) == bodies
                assert sqlite.dead_letters() == []
                await calls[act](sending, receiving)  # on a new connection, which has no such limit
            assert sorted(sqlite.bodies()) == after
            assert [body for body, _ in sqlite.dead_letters()] == ([held[3].body] if act == "dead_letter" else [])
        for suffix in ("-wal", "-shm"):
            sqlite.path.with_name(f"queue.db{suffix}").unlink(missing_ok=True)
    assert failures or act in {"change_visibility", "delete", "dead_letter"}


async def test_a_dead_letter_for_which_there_is_no_room_is_hidden_and_others_are_received(
    sqlite: SQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoRoomError(sqlite3.OperationalError):
        sqlite_errorname = "SQLITE_FULL"

    def fail(*_: object, **__: object) -> None:
        raise NoRoomError

    async with sqlite.open() as (sending, receiving):
        await sending.send([LONG])
        for _ in range(sqlite.max_receives):
            assert await receiving.receive(1, wait_seconds=0, visibility_seconds=0)
        await sending.send([SHORT])
        with monkeypatch.context() as patched:
            patched.setattr(rows, "dead_letter", fail)
            [message] = await receiving.receive(10, wait_seconds=0, visibility_seconds=30)
        assert message.body == SHORT
        assert sqlite.dead_letters() == []
        assert sqlite.bodies() == [LONG, SHORT]


@pytest.mark.parametrize("fails_in", ["the work", "the commit"])
async def test_after_a_full_disk_a_long_list_is_not_called_stale_for_what_is_deleted_already(
    sqlite: SQLite, monkeypatch: pytest.MonkeyPatch, fails_in: str
) -> None:
    calls = 0

    class NoRoomError(sqlite3.OperationalError):
        sqlite_errorname = "SQLITE_FULL"

    @contextmanager
    def failing_transaction(connection: sqlite3.Connection) -> Iterator[None]:
        nonlocal calls
        calls += 1
        with transaction(connection):
            if calls == 2 and fails_in == "the work":
                raise NoRoomError
            yield
            if calls == 2:
                raise NoRoomError

    count = 2 * LIMITS.entries + 1
    async with sqlite.open() as (sending, receiving):
        await sending.send([SHORT] * count)
        messages: list[Message] = []
        while received := await receiving.receive(LIMITS.entries, wait_seconds=0, visibility_seconds=30):
            messages += received
        monkeypatch.setattr(queue, "transaction", failing_transaction)
        assert await receiving.delete(messages) == [None] * count
        assert calls == 4
        assert sqlite.bodies() == []


async def test_the_log_is_used_again_where_there_is_no_room_for_a_longer_one(sqlite: SQLite) -> None:
    failures = iter([True, False])
    checkpoints: list[str] = []

    class NoRoomError(sqlite3.OperationalError):
        sqlite_errorname = "SQLITE_FULL"

    def work(_: sqlite3.Connection) -> str:
        if next(failures):
            raise NoRoomError
        return "done"

    async with Database(sqlite.path) as database:
        await SQLiteSendingQueue(database).probe()
        await database.run(lambda connection: connection.set_trace_callback(checkpoints.append))
        assert await database.run(work) == "done"
    assert "PRAGMA wal_checkpoint(PASSIVE);" in checkpoints
