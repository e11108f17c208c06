"""The models keep to the ports, and do what their faults say."""

from __future__ import annotations

import asyncio
from collections import Counter
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any, cast

import pytest

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from checkpoint.message_queue.port import QueueUnavailableError
from simulation.loop import ProcessLoop
from simulation.plan import Fault
from simulation.programs import limits
from simulation.queue_model import QueueModel, QueueOfProcess
from simulation.scheduler import Scheduler
from simulation.service_model import Surroundings, Window
from simulation.store_model import StoreModel, StoreOfProcess
from simulation.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from simulation.process import Process


class Caller:
    """A process that makes calls to both services, one after another."""

    def __init__(self) -> None:
        self.name = "caller"
        self.is_paused = False
        self.busy_until = 0.0
        self.scheduler = Scheduler(Random(1))
        self.scheduler.processes = [self]
        self.loop = ProcessLoop("caller", self.scheduler, Random(1), lambda _: None)  # type: ignore[abstract]
        around = Surroundings(self.scheduler, Random(1), Counter(), Trace(lambda: 0.0, None))
        process = cast("Process", self)
        self.queue_model = QueueModel(around, max_receives=3)
        self.queue = QueueOfProcess(self.queue_model, process, limits(10, 1, 0), knows_limits=True)
        self.store_model = StoreModel(around, says_others=True)
        self.store = StoreOfProcess(self.store_model, process)

    def run_round(self, now: float) -> None:
        self.loop.run_round(now)

    def run(self, program: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(program)
        self.loop.next_at = 0.0
        self.scheduler.run(self.scheduler.now + 10_000, unless=task.done)
        task.result()

    def suffer(self, kind: str, target: str = "", share: float = 1.0) -> None:
        service = self.queue_model if kind.startswith("queue") else self.store_model
        service.windows.append(Window(Fault(kind, 0, 0, target, share=share)))


@pytest.fixture
def caller() -> Caller:
    return Caller()


def _sha256(body: bytes) -> str:
    return sha256(body).hexdigest()


def test_a_message_is_hidden_then_comes_again_and_makes_its_receipt_stale(caller: Caller) -> None:
    queue = caller.queue

    async def program() -> None:
        assert await queue.send([b"a"]) == [None]
        (first,) = await queue.receive(10, wait_seconds=1, visibility_seconds=30)
        assert await queue.receive(10, wait_seconds=20, visibility_seconds=30) == []
        (second,) = await queue.receive(10, wait_seconds=20, visibility_seconds=30)
        assert (first.receive_count, second.receive_count) == (1, 2)
        await queue.delete([first])
        assert len(caller.queue_model.stored) == 1
        assert await queue.delete([second]) == [None]
        assert not caller.queue_model.stored

    caller.run(program())


def test_a_message_is_dead_lettered_when_it_was_received_too_often(caller: Caller) -> None:
    async def program() -> None:
        await caller.queue.send([b"a"])
        for _ in range(3):
            (message,) = await caller.queue.receive(1, wait_seconds=1, visibility_seconds=30)
            await caller.queue.change_visibility([message], 0)
        assert await caller.queue.receive(1, wait_seconds=1, visibility_seconds=30) == []
        assert [letter.body for letter in caller.queue_model.dead_letters] == [b"a"]

    caller.run(program())


def test_what_an_outage_refuses_is_not_done(caller: Caller) -> None:
    caller.suffer("queue_outage")

    async def program() -> None:
        with pytest.raises(QueueUnavailableError):
            await caller.queue.send([b"a"])
        assert not caller.queue_model.stored

    caller.run(program())


def test_a_lost_answer_leaves_what_was_done(caller: Caller) -> None:
    caller.suffer("store_lost_answers")

    async def program() -> None:
        with pytest.raises(ArchiveUnavailableError):
            await caller.store.create("n", b"a", sha256=_sha256(b"a"))
        assert caller.store_model.objects == {"n": b"a"}

    caller.run(program())


def test_a_call_that_hangs_ends_at_its_deadline(caller: Caller) -> None:
    caller.suffer("queue_hangs")

    async def program() -> None:
        with pytest.raises(QueueUnavailableError, match="no answer within 10 s"):
            await caller.queue.probe()
        assert caller.scheduler.now == 10

    caller.run(program())


def test_nothing_is_overwritten(caller: Caller) -> None:
    async def program() -> None:
        assert await caller.store.create("n", b"a", sha256=_sha256(b"a"))
        assert not await caller.store.create("n", b"b", sha256=_sha256(b"b"))
        assert caller.store_model.objects == {"n": b"a"}
        assert await caller.store.holder("n", b"b", sha256=_sha256(b"b")) == _sha256(b"a")
        assert await caller.store.holder("m", b"b", sha256=_sha256(b"b")) is None

    caller.run(program())


def test_a_name_is_taken_while_its_first_put_is_under_way(caller: Caller) -> None:
    caller.suffer("store_slow_puts")

    async def program() -> None:
        first = asyncio.ensure_future(caller.store.create("n", b"a", sha256=_sha256(b"a")))
        await asyncio.sleep(0.2)
        assert not await caller.store.create("n", b"b", sha256=_sha256(b"b"))
        assert await caller.store.holder("n", b"b", sha256=_sha256(b"b")) is None
        await asyncio.wait([first])
        first.exception()

    caller.run(program())


def test_no_two_looks_of_one_put_are_wrong(caller: Caller) -> None:
    caller.suffer("store_wrong_reads")

    async def program() -> None:
        await caller.store.create("n", b"a", sha256=_sha256(b"a"))
        looks = [await caller.store.holder("n", b"a", sha256=_sha256(b"a")) for _ in range(20)]
        assert all(look == _sha256(b"a") for look in looks[1::2])
        assert all(look != _sha256(b"a") for look in looks[::2])

    caller.run(program())


def test_one_name_alone_fails_or_cannot_be_read(caller: Caller) -> None:
    async def program() -> None:
        names = [f"sqs_message_{timestream}.json" for timestream in (1, 2, 3)]
        for name in names:
            await caller.store.create(name, b"a", sha256=_sha256(b"a"))
        caller.suffer("store_failing_name", "1")
        caller.suffer("store_unreadable_name", "2")
        with pytest.raises(ArchiveUnavailableError):
            await caller.store.create(names[0], b"a", sha256=_sha256(b"a"))
        with pytest.raises(ObjectUnreadableError):
            await caller.store.holder(names[1], b"a", sha256=_sha256(b"a"))
        assert await caller.store.holder(names[2], b"a", sha256=_sha256(b"a")) == _sha256(b"a")

    caller.run(program())
