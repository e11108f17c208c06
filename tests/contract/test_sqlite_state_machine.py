"""The queue in a file, through several connections, does in every sequence of calls what the queue in memory does.

The queue in memory goes by the monotonic clock, and the wall clock of the file's machine stands as it likes.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from checkpoint.message_queue.memory import MemoryAdminQueue, MemoryQueue
from checkpoint.message_queue.sqlite.adapter import open_admin
from checkpoint.message_queue.sqlite.database import Database
from checkpoint.message_queue.sqlite.queue import SQLiteReceivingQueue, SQLiteSendingQueue
from checkpoint.message_queue.sqlite.statements import LONG_BYTES
from contract.manual_clock import ManualClock
from contract.queues import SQLite

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, TypeVar

    from checkpoint.message_queue.admin import AdminQueue, DeadLetter
    from checkpoint.message_queue.port import Message

    _T = TypeVar("_T")

CONNECTIONS = 2
MAX_RECEIVES = 2

connections = st.integers(0, CONNECTIONS - 1)
seconds = st.sampled_from([0, 0, 1, 3])
short = st.text(st.characters(codec="utf-8"), max_size=4).map(str.encode)
long = short.map(lambda body: body + b"x" * LONG_BYTES)
bodies = st.lists(short | long, min_size=1, max_size=3)


class Received(NamedTuple):
    """One message, as it was received from the model and from the file."""

    model: Message
    file: Message


class FileAgainstMemory(RuleBasedStateMachine):
    held: Bundle[Received] = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.model = MemoryQueue(max_receives=MAX_RECEIVES, now=self.clock.monotonic)
        self.runner = asyncio.Runner()
        self.directory = TemporaryDirectory()
        self.path = Path(self.directory.name) / "queue.db"
        self.stack = AsyncExitStack()
        databases = [
            self.run(self.stack.enter_async_context(Database(self.path, clock=self.clock))) for _ in range(CONNECTIONS)
        ]
        self.sending = [SQLiteSendingQueue(database) for database in databases]
        self.receiving = [SQLiteReceivingQueue(database, max_receives=MAX_RECEIVES) for database in databases]
        self.run(self.sending[0].probe())
        self.admins: list[AdminQueue] = [
            MemoryAdminQueue(self.model),
            self.run(self.stack.enter_async_context(open_admin(f"sqlite:///{self.path}", clock=self.clock))),
        ]

    def run(self, call: Coroutine[Any, Any, _T]) -> _T:
        return self.runner.run(call)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        self.directory.cleanup()

    @rule(seconds=seconds)
    def time_passes(self, seconds: int) -> None:
        self.clock.pass_(seconds)

    @rule(wall=st.integers(0, 4_000_000_000))
    def the_wall_clock_is_set(self, wall: int) -> None:
        self.clock.wall = wall

    @rule(by=connections, bodies=bodies)
    def send(self, by: int, bodies: list[bytes]) -> None:
        assert self.run(self.sending[by].send(bodies)) == self.run(self.model.send(bodies))

    @rule(target=held, by=connections, at_most=st.integers(1, 3), seconds=seconds)
    def receive(self, by: int, at_most: int, seconds: int) -> Any:
        model, file = (
            self.run(queue.receive(at_most, wait_seconds=0, visibility_seconds=seconds))
            for queue in (self.model, self.receiving[by])
        )
        assert [(one.body, one.receive_count) for one in file] == [(one.body, one.receive_count) for one in model]
        return multiple(*map(Received, model, file))

    @rule(by=connections, received=st.lists(held, min_size=1, max_size=3))
    def delete(self, by: int, received: list[Received]) -> None:
        model = self.run(self.model.delete([one.model for one in received]))
        assert self.run(self.receiving[by].delete([one.file for one in received])) == model

    @rule(by=connections, received=st.lists(held, min_size=1, max_size=3), seconds=seconds)
    def change_visibility(self, by: int, received: list[Received], seconds: int) -> None:
        model = self.run(self.model.change_visibility([one.model for one in received], seconds))
        assert self.run(self.receiving[by].change_visibility([one.file for one in received], seconds)) == model

    @rule(by=connections, received=held)
    def dead_letter(self, by: int, received: Received) -> None:
        self.run(self.model.dead_letter(received.model, "because"))
        self.run(self.receiving[by].dead_letter(received.file, "because"))

    @rule(places=st.lists(st.integers(0, 3), unique=True), is_redriven=st.booleans())
    def an_operator_moves_dead_letters(self, places: list[int], *, is_redriven: bool) -> None:
        for admin in self.admins:
            letters = self.run(_dead_letters(admin))
            chosen = [letters[place] for place in places if place < len(letters)]
            moved = self.run((admin.redrive if is_redriven else admin.drop)([*chosen, *chosen[:1]]))
            assert [fault is None for fault in moved] == [True] * len(chosen) + [False] * len(chosen[:1])

    @rule()
    def an_operator_sees_the_same(self) -> None:
        model, file = (self.run(_seen(admin)) for admin in self.admins)
        assert file == model

    @invariant()
    def both_hold_the_same(self) -> None:
        file = SQLite(self.path)
        assert file.bodies() == self.model.bodies
        assert file.dead_letters() == [(letter.body, letter.reason) for letter in self.model.dead_letters]


async def _dead_letters(admin: AdminQueue) -> list[DeadLetter]:
    return [letter async for letter in admin.dead_letters()]


async def _seen(admin: AdminQueue) -> list[object]:
    """All but what goes by the wall clock."""
    depth = await admin.depth()
    found = [(one.body, one.receive_count, one.hidden_seconds) async for one in admin.find(lambda _: True)]
    letters = [(letter.body, letter.reason, letter.receive_count) for letter in await _dead_letters(admin)]
    return [depth.waiting, depth.in_flight, depth.dead_letters, found, letters]


TestFileAgainstMemory = FileAgainstMemory.TestCase
TestFileAgainstMemory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
