"""A queue's file that is emptied or replaced at a bad moment: nothing is confirmed that went into the old one."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.port import QueueUnavailableError
from checkpoint.message_queue.sqlite.reading import Reader
from checkpoint.message_queue.sqlite.schema import upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.queues import SQLite


async def test_what_went_into_a_file_that_was_emptied_is_not_confirmed(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, _):
        await sending.send([b"lost with the file"])
        os.truncate(sqlite.path, 0)

        with pytest.raises(QueueUnavailableError, match=r"queue\.db: "):
            await sending.send([b"not confirmed"])

        assert await sending.send([b"confirmed"]) == [None]
    assert b"confirmed" in sqlite.bodies()


# The longer one fills the log so far that its commit copies the log to the file, which then is not empty any more.
@pytest.mark.parametrize("body", [b"not confirmed", bytes(5_000_000)], ids=["short", "long"])
async def test_a_file_that_was_emptied_is_used_again_although_one_process_alone_has_it_open(
    sqlite: SQLite, body: bytes
) -> None:
    async with sqlite.open() as (sending, _):
        await sending.send([b"lost with the file"])
        with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as beside:
            beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await sending.send([b"lost with the log"])
        os.truncate(sqlite.path, 0)

        with pytest.raises(QueueUnavailableError, match=r"queue\.db: "):
            await sending.send([body])

        assert await sending.send([b"confirmed"]) == [None]
    assert sqlite.bodies() == [b"confirmed"]


async def test_a_file_that_is_emptied_while_it_is_opened_is_used_again(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, _):
        await sending.send([b"lost with the file"])
    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as holding:
        holding.execute("DELETE FROM messages")
        holding.execute("BEGIN IMMEDIATE")
        async with sqlite.open() as (sending, _):
            sent = asyncio.create_task(sending.send([b"not confirmed"]))
            await _opened_twice(Path(f"{sqlite.path}-wal"))  # so far an opening comes before it waits
            os.truncate(sqlite.path, 0)
            holding.close()

            with pytest.raises(QueueUnavailableError, match=r"queue\.db: "):
                await sent

            assert await sending.send([b"confirmed"]) == [None]
    assert sqlite.bodies() == [b"confirmed"]


async def test_a_file_that_is_emptied_while_it_is_only_read_is_used_again(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, _):
        await sending.send([b"lost with the file"])
    service = sqlite3.connect(sqlite.path, isolation_level=None, check_same_thread=False)
    service.execute("DELETE FROM messages")

    def read(connection: sqlite3.Connection, _: float) -> None:
        connection.execute("SELECT count(*) FROM messages").fetchone()
        os.truncate(sqlite.path, 0)
        service.close()

    await Reader(sqlite.path).run(read)

    async with sqlite.open() as (sending, _):
        assert await sending.send([b"confirmed"]) == [None]
    assert sqlite.bodies() == [b"confirmed"]


async def test_a_file_that_is_replaced_while_it_is_opened_leaves_the_log_of_the_new_one_alone(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, _):
        await sending.send([b"in the old file"])
    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as holding:
        holding.execute("PRAGMA locking_mode = EXCLUSIVE")
        holding.execute("SELECT count(*) FROM messages").fetchone()
        async with sqlite.open() as (sending, _):
            sent = asyncio.create_task(sending.send([b"too late for the old file"]))
            await _opened_twice(sqlite.path)  # and not its log, which SQLite opens once it gets a lock
            with _replaced(sqlite.path):
                holding.close()

                with pytest.raises(QueueUnavailableError, match="replaced"):
                    await sent

                assert not Path(f"{sqlite.path}-wal").stat().st_size
                await sending.send([b"in the new file"])

    assert sqlite.bodies() == [b"in the new file"]


async def test_what_went_into_a_file_that_was_replaced_while_it_was_opened_is_not_confirmed(sqlite: SQLite) -> None:
    async with sqlite.open() as (sending, _):
        await sending.send([b"in the old file"])
    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as holding:
        holding.execute("BEGIN IMMEDIATE")
        async with sqlite.open() as (sending, _):
            sent = asyncio.create_task(sending.send([b"too late for the old file"]))
            await _opened_twice(Path(f"{sqlite.path}-wal"))  # so far an opening comes before it waits
            with _replaced(sqlite.path):
                holding.execute("ROLLBACK")

                with pytest.raises(QueueUnavailableError, match="replaced"):
                    await sent
                await sending.send([b"in the new file"])

    assert sqlite.bodies() == [b"in the new file"]


async def _opened_twice(path: Path) -> None:
    """Wait until this process has a file open a second time."""
    async with asyncio.timeout(10):
        while [os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()].count(str(path)) < 2:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.001)


@contextmanager
def _replaced(path: Path) -> Iterator[None]:
    """By a new file, which another process uses already."""
    new = path.with_name("new.db")
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        upgrade(connection)
    for suffix in ("-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    new.replace(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM messages").fetchone()
        yield
