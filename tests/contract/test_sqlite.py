"""What only a queue in a file does: it is created, lost, replaced, locked, full; and it must stay fast."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.adapters import open_sending
from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.message_queue.sqlite import statements
from checkpoint.message_queue.sqlite.adapter import open_receiving
from checkpoint.message_queue.sqlite.database import Database, transaction
from checkpoint.message_queue.sqlite.queue import LIMITS, SENDING_LIMITS, SQLiteReceivingQueue, SQLiteSendingQueue
from checkpoint.message_queue.sqlite.room import Room
from contract.manual_clock import ManualClock
from contract.queues import select

if TYPE_CHECKING:
    from contract.queues import SQLite

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_the_directories_of_a_relative_path_are_made_and_on_the_disk(
    sqlite: SQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    fsync = os.fsync

    def remember(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    directory = sqlite.path.parent
    monkeypatch.chdir(directory)
    monkeypatch.setattr(os, "fsync", remember)

    async with open_sending("sqlite:///data/deeper/queue%201.db") as sending:
        await sending.send([b"durable"])

    changed = (directory, directory / "data", directory / "data" / "deeper")
    assert {path.stat().st_ino for path in changed} <= synced
    assert (directory / "data" / "deeper" / "queue 1.db").exists()


async def test_every_commit_is_on_the_disk_before_it_is_confirmed(sqlite: SQLite) -> None:
    def read(connection: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "fullfsync")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    async with Database(sqlite.path) as database:
        pragmas = await database.run(read)

    assert pragmas == ["wal", 2, 1]  # 2 is FULL: https://sqlite.org/pragma.html#pragma_synchronous


@pytest.mark.parametrize("lost", ["*", "", "-wal", "-shm"])
async def test_what_went_into_a_file_that_is_gone_is_not_confirmed(sqlite: SQLite, lost: str) -> None:
    async with sqlite.open() as (sending, _):
        await sending.send([b"lost with the file"])
        for file in sqlite.path.parent.glob(f"queue.db{lost}"):
            file.unlink()

        with pytest.raises(QueueUnavailableError, match=r"queue\.db: "):
            await sending.send([b"not confirmed"])

        assert await sending.send([b"confirmed"]) == [None]
    assert b"confirmed" in sqlite.bodies()


async def test_a_file_put_in_the_place_of_the_one_in_use_loses_nothing(sqlite: SQLite) -> None:
    async with sqlite.open() as (old, old_receiving):
        await old.send([b"old"])
        await old_receiving.receive(10, wait_seconds=0, visibility_seconds=30)
        for file in sqlite.path.parent.glob("queue.db*"):
            file.rename(file.with_name(f"moved-{file.name}"))
        async with sqlite.open() as (new, _):
            await new.send([b"new"])

            with pytest.raises(QueueUnavailableError, match="replaced"):
                await old.probe()
            with pytest.raises(QueueUnavailableError, match="replaced"):
                await old_receiving.receive(10, wait_seconds=0, visibility_seconds=30)
            await old.send([b"newer"])

        assert sqlite.bodies() == [b"new", b"newer"]


async def test_a_lock_held_for_too_long_is_an_outage_that_ends_with_it(sqlite: SQLite) -> None:
    async with Database(sqlite.path, busy_seconds=0.05) as database:
        sending = SQLiteSendingQueue(database)
        await sending.probe()
        with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(QueueUnavailableError, match="database is locked"):
                await sending.send([b"not confirmed"])
            with pytest.raises(QueueUnavailableError, match="database is locked"):
                await sending.probe()
            other.execute("ROLLBACK")

        assert await sending.send([b"after"]) == [None]
    assert sqlite.bodies() == [b"after"]


async def test_a_full_disk_is_an_outage_and_none_of_the_call_is_sent(sqlite: SQLite) -> None:
    async with Database(sqlite.path) as database:
        sending = SQLiteSendingQueue(database)
        await sending.send([b"before"])
        await database.run(lambda connection: connection.execute("PRAGMA max_page_count = 1"))

        with pytest.raises(QueueUnavailableError, match="full") as caught:
            await sending.send([b"small", b"secret" * 10_000])

        assert "secret" not in str(caught.value)
        assert sqlite.bodies() == [b"before"]
        assert await sending.send([b"after" * 10_000]) == [None]  # on a new connection, which has no such limit
    assert sqlite.bodies() == [b"before", b"after" * 10_000]


async def test_the_bodies_of_a_call_stay_apart_and_in_order_whatever_they_are(sqlite: SQLite) -> None:
    bodies = [b"", b'{"1":2}', b"\x00\xff\x00", "ü😀".encode(), b"", b"12", b"x" * 300_000, b""]
    async with sqlite.open() as (sending, receiving):
        assert await sending.send(bodies) == [None] * len(bodies)
        assert await sending.send([b"", b""]) == [None, None]
        assert await sending.send([b""]) == [None]
        assert await sending.send([]) == []
        received = await receiving.receive(20, wait_seconds=0, visibility_seconds=30)

    assert sqlite.bodies() == [message.body for message in received] == [*bodies, b"", b"", b""]


@pytest.mark.parametrize("count", [1, 2, SENDING_LIMITS.entries])
async def test_a_call_is_one_statement_so_it_waits_for_no_busy_event_loop_in_the_midst(
    sqlite: SQLite, count: int
) -> None:
    statements: list[str] = []
    async with Database(sqlite.path) as database:
        sending = SQLiteSendingQueue(database)
        await sending.probe()
        await database.run(lambda connection: connection.set_trace_callback(statements.append))
        await sending.send([b"body"] * count)

    assert len(statements) == 1
    assert len(sqlite.bodies()) == count


async def test_work_that_fails_halfway_leaves_nothing_behind(sqlite: SQLite) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            connection.execute("INSERT INTO messages (body) VALUES (x'00')")
            raise ZeroDivisionError

    async with Database(sqlite.path) as database:
        with pytest.raises(ZeroDivisionError):
            await database.run(fail)
        assert await SQLiteSendingQueue(database).send([b"after"]) == [None]
    assert sqlite.bodies() == [b"after"]


async def test_a_file_that_is_no_database_is_said_to_be_so(sqlite: SQLite) -> None:
    sqlite.path.write_text("The quick brown fox jumps over the lazy dog. " * 100)
    async with sqlite.open() as (sending, _):
        with pytest.raises(QueueUnavailableError, match="file is not a database"):
            await sending.send([b"secret"])


async def test_a_probe_commits(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, _):
        await sending.probe()
        await sending.probe()

    with closing(sqlite3.connect(sqlite.path)) as connection:
        assert connection.execute("SELECT * FROM probe").fetchall() == [(1, 2)]


async def test_closing_waits_for_what_is_under_way(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, _):
        sends = [asyncio.create_task(sending.send([f"{number}".encode()])) for number in range(20)]
        await asyncio.sleep(0)

    assert await asyncio.gather(*sends) == [[None]] * 20
    assert len(sqlite.bodies()) == 20


async def test_what_a_cancelled_receive_took_all_the_same_is_released_at_once(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, receiving):
        await sending.send([b"released"])
        await receiving.delete([])
        with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            receive = asyncio.create_task(receiving.receive(1, wait_seconds=0, visibility_seconds=60))
            await asyncio.sleep(0.1)  # by now its thread waits for the lock
            receive.cancel()
            other.execute("ROLLBACK")
        with pytest.raises(asyncio.CancelledError):
            await receive

        [message] = await receiving.receive(1, wait_seconds=0, visibility_seconds=60)

    assert message.body == b"released"


async def test_an_empty_look_takes_no_lock(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, receiving):
        await sending.probe()
        await receiving.delete([])
        with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await receiving.receive(10, wait_seconds=0, visibility_seconds=30) == []
            other.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (statements.ANY_VISIBLE, 1),
        (statements.VISIBLE, 2),
        (statements.LONG_BODIES, 1),
        (statements.RECEIVE, 5),
        (statements.SET_APART, 1),
        (statements.HIDE, 4),
        (statements.HIDE_LONG, 4),
        (statements.DEAD_LETTER, 4),
        (statements.LONG, 2),
        (statements.DELETE, 2),
        (statements.DELETE_LONG, 2),
        (statements.DELETE_BODY, 1),
        (statements.RELEASE, 1),
        (statements.RELEASE_LONG, 1),
    ],
)
async def test_no_statement_reads_or_sorts_the_whole_table(sqlite: SQLite, statement: str, values: int) -> None:
    def explain(connection: sqlite3.Connection) -> list[str]:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", (0,) * values)]

    async with Database(sqlite.path) as database:
        plan = await database.run(explain)

    assert any(re.match(r"SEARCH (long_)?messages USING", step) for step in plan)
    assert not any(re.match(r"SCAN (long_)?messages", step) or "TEMP B-TREE" in step for step in plan), plan


async def test_a_receive_brings_no_more_bytes_than_the_limits_say(sqlite: SQLite) -> None:
    size = LIMITS.payload_bytes // 3 + 1
    async with sqlite.open() as (sending, receiving):
        for _ in range(5):
            await sending.send([b"x" * size])

        received = [await receiving.receive(10, wait_seconds=0, visibility_seconds=30) for _ in range(4)]

    assert [len(messages) for messages in received] == [2, 2, 1, 0]


async def test_a_message_longer_than_any_that_may_be_sent_is_received_alone(sqlite: SQLite) -> None:
    assert LIMITS.message_bytes
    async with sqlite.open() as (sending, receiving):
        await sending.send([b"before it"])
        with closing(sqlite3.connect(sqlite.path)) as other, other:
            other.execute("INSERT INTO messages (body) VALUES (zeroblob(?))", (LIMITS.message_bytes + 1,))
        await sending.send([b"behind it", b"behind it"])

        received = [await receiving.receive(10, wait_seconds=0, visibility_seconds=30) for _ in range(4)]
        [long] = received[1]
        await receiving.dead_letter(long, "It is too long.")

    assert [len(messages) for messages in received] == [1, 1, 2, 0]
    assert [(len(body), reason) for body, reason in sqlite.dead_letters()] == [(len(long.body), "It is too long.")]


async def test_the_file_says_when_each_message_was_sent(sqlite: SQLite) -> None:
    clock = ManualClock(wall=1_693_561_101)
    async with Database(sqlite.path, clock=clock) as database:
        sending, receiving = SQLiteSendingQueue(database), SQLiteReceivingQueue(database, max_receives=1)
        await sending.send([b"dead-lettered", b"received too often"])
        clock.pass_(60)
        await sending.send([b"waits"])
        [one, _] = await receiving.receive(2, wait_seconds=0, visibility_seconds=0)
        await receiving.dead_letter(one, "because")
        await receiving.receive(2, wait_seconds=0, visibility_seconds=0)

    moments = "SELECT datetime(sent_at, 'unixepoch') FROM"
    assert select(sqlite.path, f"{moments} messages") == [("2023-09-01 09:39:21",)]
    assert select(sqlite.path, f"{moments} dead_letters") == [("2023-09-01 09:38:21",)] * 2
    assert select(sqlite.path, "SELECT DISTINCT dead_at FROM dead_letters") == [(clock.wall,)]


@pytest.mark.parametrize("size", [10, statements.LONG_BYTES, 100_000])
async def test_a_message_tells_when_it_was_sent_and_its_traceparent_whatever_its_length(
    sqlite: SQLite, size: int
) -> None:
    clock = ManualClock(wall=1_693_561_101)
    async with Database(sqlite.path, clock=clock) as database:
        sending, receiving = SQLiteSendingQueue(database), SQLiteReceivingQueue(database, max_receives=3)
        await sending.send_traced([b"x" * size, b"short"], [TRACEPARENT, None])
        for _ in range(2):
            clock.pass_(60)
            messages = await receiving.receive(2, wait_seconds=0, visibility_seconds=0)
            told = {len(message.body): (message.sent_at, message.traceparent) for message in messages}
            assert told == {size: (1_693_561_101, TRACEPARENT), 5: (1_693_561_101, None)}


@pytest.mark.parametrize("size", [10, 100_000])
async def test_a_dead_letter_keeps_its_traceparent(sqlite: SQLite, size: int) -> None:
    async with sqlite.open() as (_, receiving), Database(sqlite.path) as database:
        await SQLiteSendingQueue(database).send_traced([b"x" * size], [TRACEPARENT])
        [message] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
        await receiving.dead_letter(message, "because")

    assert select(sqlite.path, "SELECT traceparent, length(body) FROM dead_letters") == [(TRACEPARENT, size)]


async def test_where_not_all_of_a_call_fits_what_is_sent_keeps_its_own_traceparent(sqlite: SQLite) -> None:
    sizes = (1_000_000, 10, 1_000_001, 20)
    async with Database(sqlite.path) as database:
        sending = SQLiteSendingQueue(database, Room(database, max_bytes=200_000))

        faults = await sending.send_traced([b"x" * size for size in sizes], [f"{size}" for size in sizes])

    assert [fault is None for fault in faults] == [False, True, False, True]
    assert select(sqlite.path, "SELECT length(body), traceparent FROM messages ORDER BY 1") == [(10, "10"), (20, "20")]


async def test_a_traceparent_written_by_hand_is_dropped_where_it_is_none(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, receiving):
        await sending.send([b"x"])
        with closing(sqlite3.connect(sqlite.path)) as other, other:
            other.execute("UPDATE messages SET traceparent = 'none'")
        [message] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
    assert message.traceparent is None


async def test_a_short_message_has_no_overflow_page_with_a_traceparent_either(sqlite: SQLite) -> None:
    async with Database(sqlite.path) as database:
        sending, receiving = SQLiteSendingQueue(database), SQLiteReceivingQueue(database, max_receives=3)
        await sending.send([b"made"])
        [(before,)] = select(sqlite.path, "PRAGMA page_count")
        await sending.send_traced([b"x" * statements.LONG_BYTES] * 20, [TRACEPARENT] * 20)
        await receiving.receive(256, wait_seconds=0, visibility_seconds=30)
        [(after,)] = select(sqlite.path, "PRAGMA page_count")

    assert after - before <= 20 + 2  # pages of the table's tree and of its index that split


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO messages (body) SELECT body FROM dead_letters",
        "INSERT INTO messages (sent_at, body) SELECT sent_at, body FROM dead_letters",
    ],
)
async def test_dead_letters_are_redriven_by_one_statement(sqlite: SQLite, statement: str) -> None:
    async with sqlite.open() as (sending, receiving):
        await sending.send([b"redriven"])
        [message] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
        await receiving.dead_letter(message, "because")
        with closing(sqlite3.connect(sqlite.path)) as other, other:
            other.execute(statement)

        [again] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)

    assert (again.body, again.receive_count) == (b"redriven", 1)


class OddClock:
    """Says 1970, and that an hour has passed since it was last asked."""

    def __init__(self) -> None:
        self.hours = count(step=3_600.0)

    def time(self) -> float:
        return 0

    def monotonic(self) -> float:
        return next(self.hours)


async def test_a_clock_that_is_set_back_hides_nothing_that_was_sent(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, _), open_receiving(sqlite.url, clock=OddClock()) as receiving:
        await sending.send([b"sent today"])
        [message] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
        assert message.body == b"sent today"


async def test_a_wait_goes_by_the_clock_that_is_given(sqlite: SQLite) -> None:
    async with asyncio.timeout(10), open_receiving(sqlite.url, clock=OddClock()) as receiving:
        assert await receiving.receive(1, wait_seconds=3_600, visibility_seconds=30) == []


async def test_a_receipt_of_a_file_that_was_replaced_deletes_nothing_of_the_new_one(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, receiving):
        await sending.send([b"old"])
        [old] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
    for file in sqlite.path.parent.glob(f"{sqlite.path.name}*"):
        file.unlink()
    async with sqlite.open() as (sending, receiving):
        await sending.send([b"new"])
        [new] = await receiving.receive(1, wait_seconds=0, visibility_seconds=30)
        assert await receiving.delete([old]) != [None]
        assert await receiving.delete([new]) == [None]
