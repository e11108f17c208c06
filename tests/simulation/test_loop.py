from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from simulation.loop import ProcessLoop, silenced
from simulation.scheduler import Scheduler, SpinningError

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Bare:
    """A process without a program of its own."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self.name = name
        self.is_paused = False
        self.busy_until = 0.0
        self.errors: list[dict[str, Any]] = []
        self.loop = ProcessLoop(name, scheduler, Random(1), self.errors.append)  # type: ignore[abstract]

    def run_round(self, now: float) -> None:
        self.loop.run_round(now)

    def begin(self, program: Coroutine[Any, Any, None]) -> None:
        self.task = self.loop.create_task(program)


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler(Random(7))


def _processes(scheduler: Scheduler, count: int) -> list[Bare]:
    processes = [Bare(scheduler, f"process-{number}") for number in range(count)]
    scheduler.processes = processes
    return processes


def test_time_goes_by_where_nothing_else_is_to_do(scheduler: Scheduler) -> None:
    (process,) = _processes(scheduler, 1)
    times = []

    async def program() -> None:
        for _ in range(3):
            await asyncio.sleep(3600)
            times.append(scheduler.now)

    process.begin(program())
    scheduler.run(1e6)
    assert times == [3600, 7200, 10800]


def test_what_is_in_line_runs_first_in_first_out(scheduler: Scheduler) -> None:
    (process,) = _processes(scheduler, 1)
    ran: list[int] = []
    for number in range(50):
        process.loop.call_soon(ran.append, number)
    scheduler.run(1)
    assert ran == list(range(50))


def test_a_timeout_ends_a_wait(scheduler: Scheduler) -> None:
    (process,) = _processes(scheduler, 1)

    async def program() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        assert scheduler.now == 5

    process.begin(program())
    scheduler.run(10)
    process.task.result()


def test_the_seed_decides_whose_turn_it_is(scheduler: Scheduler) -> None:
    orders = set()
    for seed in range(10):
        scheduler = Scheduler(Random(seed))
        order: list[str] = []

        async def program(name: str, order: list[str]) -> None:
            for _ in range(5):
                order.append(name)
                await asyncio.sleep(0)

        for process in _processes(scheduler, 2):
            process.begin(program(process.name, order))
        scheduler.run(1)
        orders.add(tuple(order))
    assert len(orders) > 5


def test_a_process_that_has_ended_runs_nothing_more(scheduler: Scheduler) -> None:
    (process,) = _processes(scheduler, 1)
    ran = []

    async def program() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ran.append("finally")
            process.begin(program())  # it must not start

    process.begin(program())
    scheduler.run(5)
    process.loop.end()
    process.loop.call_soon(ran.append, "soon")
    process.loop.deliver(ran.append, "delivered")
    scheduler.run(100)
    assert ran == []
    with silenced():
        process.loop.bury()
    assert ran == ["finally"]  # only now, when nobody can hear it
    scheduler.run(1_000)
    assert ran == ["finally"]


def test_a_paused_process_wakes_up_late(scheduler: Scheduler) -> None:
    (process,) = _processes(scheduler, 1)
    woke_at = []

    async def program() -> None:
        await asyncio.sleep(10)
        woke_at.append(scheduler.now)

    process.begin(program())
    scheduler.run(5)
    process.is_paused = True
    scheduler.run(50)
    assert not woke_at
    process.is_paused = False
    scheduler.run(100)
    assert woke_at == [50]


def test_a_process_that_never_waits_is_found(scheduler: Scheduler) -> None:
    (process,) = _processes(scheduler, 1)

    async def program() -> None:
        while True:  # noqa: ASYNC110  that is the fault
            await asyncio.sleep(0)

    process.begin(program())
    with pytest.raises(SpinningError, match="process-0"):
        scheduler.run(1)
    process.loop.end()
    with silenced():
        process.loop.bury()


def test_an_error_that_nobody_took_is_told(scheduler: Scheduler) -> None:
    (process,) = _processes(scheduler, 1)

    def fail() -> None:
        raise ValueError("nobody takes it")

    process.loop.call_soon(fail)
    scheduler.run(1)
    assert isinstance(process.errors[0]["exception"], ValueError)
