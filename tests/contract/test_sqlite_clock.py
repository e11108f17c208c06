"""No message is hidden for longer than it was hidden for, whatever any clock does."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from checkpoint.message_queue.sqlite import clock as sqlite_clock
from checkpoint.message_queue.sqlite.database import Database
from checkpoint.message_queue.sqlite.queue import SQLiteReceivingQueue, SQLiteSendingQueue
from contract.manual_clock import ManualClock
from contract.queues import select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from typing import Any, TypeVar

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import Message
    from contract.queues import SQLite

    _T = TypeVar("_T")

DAYS = 86_400
PROCESSES = 2

processes = st.integers(0, PROCESSES - 1)
walls = st.one_of(st.integers(0, 4_000_000_000), st.integers(1_700_000_000 - 100, 1_700_000_000 + 100))
uptimes = st.one_of(st.integers(0, 100 * DAYS), st.integers(900, 1_100))
seconds = st.integers(0, 40)


@asynccontextmanager
async def opened(path: Path, clock: Clock) -> AsyncIterator[SQLiteReceivingQueue]:
    """The receiving half as a process has it that has the file open already."""
    async with Database(path, clock=clock) as database:
        await database.run(lambda _: None)
        yield SQLiteReceivingQueue(database, max_receives=1_000_000)


async def send(path: Path, *bodies: bytes) -> None:
    async with Database(path) as database:
        await SQLiteSendingQueue(database).send(bodies)


async def look(receiving: SQLiteReceivingQueue, *, hide: int) -> list[Message]:
    return await receiving.receive(256, wait_seconds=0, visibility_seconds=hide)


def start_the_machine_again(path: Path, clock: ManualClock, *, wall: int, uptime: int) -> None:
    """What a start changes, or a copy of the file to another machine; no process may have the file open."""
    clock.wall, clock.uptime = wall, uptime
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE clock SET boot_id = 'of the start before'")


async def test_a_clock_set_back_two_days_after_a_kill_hides_nothing_for_longer(sqlite: SQLite) -> None:
    clock = ManualClock()
    await send(sqlite.path, b"held when it was killed")
    async with opened(sqlite.path, clock) as killed:
        await look(killed, hide=30)
    clock.wall -= 2 * DAYS

    async with opened(sqlite.path, clock) as receiving:
        clock.pass_(29)
        assert await look(receiving, hide=30) == []
        clock.pass_(1)
        assert len(await look(receiving, hide=30)) == 1


async def test_a_clock_set_forward_ends_no_hiding_early(sqlite: SQLite) -> None:
    clock = ManualClock()
    await send(sqlite.path, b"in work")
    async with opened(sqlite.path, clock) as one:
        await look(one, hide=30)
        clock.wall += 2 * DAYS
        async with opened(sqlite.path, clock) as other:
            assert await look(other, hide=30) == []


@pytest.mark.parametrize("days", [-2, 0, 2])
async def test_what_was_in_flight_when_the_machine_went_down_is_received_at_once(sqlite: SQLite, days: int) -> None:
    clock = ManualClock()
    await send(sqlite.path, b"in flight")
    async with opened(sqlite.path, clock) as receiving:
        await look(receiving, hide=30)
    start_the_machine_again(sqlite.path, clock, wall=clock.wall + days * DAYS, uptime=2_000)

    async with opened(sqlite.path, clock) as receiving:
        assert len(await look(receiving, hide=30)) == 1
        assert await look(receiving, hide=30) == []


async def test_a_start_shows_without_a_boot_id_by_a_monotonic_clock_that_is_behind(
    sqlite: SQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_clock, "_BOOT_ID", Path("/there is none"))
    clock = ManualClock(uptime=1_000)
    await send(sqlite.path, b"in flight")
    async with opened(sqlite.path, clock) as receiving:
        await look(receiving, hide=30)

    clock.uptime = 5
    async with opened(sqlite.path, clock) as receiving:
        assert len(await look(receiving, hide=30)) == 1


async def test_times_in_the_file_are_close_to_the_wall_clocks(sqlite: SQLite) -> None:
    before = time.time()
    async with sqlite.open() as (sending, receiving):
        await sending.send([b"now"])
        await receiving.receive(1, wait_seconds=0, visibility_seconds=30)

    [(visible_at, hidden_for)] = select(sqlite.path, "SELECT visible_at, hidden_for FROM messages")
    assert before - 1 <= visible_at - 30 <= time.time() + 1
    assert hidden_for == 30


async def test_processes_that_start_at_once_agree_about_the_time(sqlite: SQLite) -> None:
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(Database(sqlite.path)) for _ in range(8)]
        await asyncio.gather(*(SQLiteSendingQueue(database).probe() for database in databases))

        times = [await database.run(lambda _, own=database: own._started_at) for database in databases]  # type: ignore[misc]

    assert len(set(times)) == 1


class AnyClock(RuleBasedStateMachine):
    """Processes on one machine, which is started again now and then, while its wall clock stands as it likes.

    left: for each body, the seconds for which it may still be hidden.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.left: dict[bytes, int] = {b"a": 0, b"b": 0}
        self.held: dict[bytes, Message] = {}
        self.runner = asyncio.Runner()
        self.directory = TemporaryDirectory()
        self.path = Path(self.directory.name) / "queue.db"
        self.run(send(self.path, *self.left))
        start_the_machine_again(self.path, self.clock, wall=self.clock.wall, uptime=self.clock.uptime)
        self.open()

    def run(self, call: Coroutine[Any, Any, _T]) -> _T:
        return self.runner.run(call)

    def open(self) -> None:
        self.stacks = [AsyncExitStack() for _ in range(PROCESSES)]
        self.receiving = [self.run(stack.enter_async_context(opened(self.path, self.clock))) for stack in self.stacks]

    def close(self) -> None:
        for stack in self.stacks:
            self.run(stack.aclose())

    def teardown(self) -> None:
        self.close()
        self.runner.close()
        self.directory.cleanup()

    @rule(seconds=seconds)
    def time_passes(self, seconds: int) -> None:
        self.clock.pass_(seconds)
        self.left = {body: left - seconds for body, left in self.left.items()}

    @rule(wall=walls)
    def the_wall_clock_is_set(self, wall: int) -> None:
        self.clock.wall = wall

    @rule(by=processes)
    def a_process_is_killed_and_started(self, by: int) -> None:
        self.run(self.stacks[by].aclose())
        self.receiving[by] = self.run(self.stacks[by].enter_async_context(opened(self.path, self.clock)))

    @rule(wall=walls, uptime=uptimes)
    def the_machine_is_started_again(self, wall: int, uptime: int) -> None:
        self.close()
        start_the_machine_again(self.path, self.clock, wall=wall, uptime=uptime)
        self.open()
        self.left = dict.fromkeys(self.left, 0)

    @rule(by=processes, hide=seconds)
    def receive(self, by: int, hide: int) -> None:
        messages = self.run(look(self.receiving[by], hide=hide))
        assert {message.body for message in messages} == {body for body, left in self.left.items() if left <= 0}
        for message in messages:
            self.left[message.body] = hide
            self.held[message.body] = message

    @rule(by=processes, body=st.sampled_from([b"a", b"b"]), hide=seconds)
    def change_visibility(self, by: int, body: bytes, hide: int) -> None:
        if body in self.held:
            assert self.run(self.receiving[by].change_visibility([self.held[body]], hide)) == [None]
            self.left[body] = hide


TestAnyClock = AnyClock.TestCase
TestAnyClock.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@settings(max_examples=40, deadline=None)
@given(
    hiding=st.builds(ManualClock, wall=walls, uptime=uptimes),
    looking=st.builds(ManualClock, wall=walls, uptime=uptimes),
    hide=st.integers(1, 40),
    first=st.sampled_from(["hiding", "looking"]),
    steps=st.lists(st.integers(1, 3 * DAYS), max_size=5),
)
async def test_processes_whose_clocks_differ_hide_nothing_from_each_other_for_longer(
    hiding: ManualClock, looking: ManualClock, hide: int, first: str, steps: list[int]
) -> None:
    """As where libfaketime is under one of them, or each has a time namespace of its own."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "queue.db"
        await send(path, b"hidden")
        start_the_machine_again(path, ManualClock(), wall=0, uptime=0)
        async with AsyncExitStack() as stack:
            clocks = {"hiding": hiding, "looking": looking}
            order = sorted(clocks, key=lambda name: name != first)
            queues = {name: await stack.enter_async_context(opened(path, clocks[name])) for name in order}
            assert len(await look(queues["hiding"], hide=hide)) == 1

            hidden_at: list[int] = []
            for seconds in (0, *steps, 1, 1, hide, hide):
                looking.pass_(seconds)
                if await look(queues["looking"], hide=0):
                    break
                hidden_at.append(looking.uptime)

        assert not hidden_at or hidden_at[-1] - hidden_at[0] < hide
