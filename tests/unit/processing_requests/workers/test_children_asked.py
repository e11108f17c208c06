"""What the parent tells of its workers; their processes are fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from processing_requests.workers import children as module
from processing_requests.workers.child import State
from processing_requests.workers.messages import Family, HealthAnswer
from processing_requests.workers.sums import as_registry
from unit.processing_requests.workers.fake_workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_DELAY_SECONDS", 0.001)


def value(families: list[Family], name: str) -> float | None:
    return as_registry(families).get_sample_value(name)


async def test_no_counter_goes_back_when_a_worker_ends_or_does_not_answer() -> None:
    workers = Workers()
    async with workers.running():
        for number, requests in ((1, 5), (2, 7)):
            workers[number].serve()
            workers[number].count(requests, waiting=1)
        assert value(await workers.children.metrics(), "requests_total") == 12
        workers[1].count(6)
        workers[1].answers = False
        assert value(await workers.children.metrics(), "requests_total") == 12
        workers[1].exit(-9)
        again = await workers.restarted(1)
        assert value(await workers.children.metrics(), "requests_total") == 12
        assert value(workers.children.last_metrics(), "waiting") == 1
        again.serve()
        again.count(2)
        assert value(await workers.children.metrics(), "requests_total") == 14


@pytest.fixture
def told(lines: list[dict[str, Any]]) -> Callable[[], list[int]]:
    """The workers of which it was said that they are stuck."""
    return lambda: [line["worker"] for line in lines if line["event"] == "worker_stuck"]


async def test_a_worker_that_does_not_answer_is_stuck_and_told_once(told: Callable[[], list[int]]) -> None:
    workers = Workers()
    async with workers.running():
        workers[1].serve()
        assert not await workers.children.is_any_stuck()  # who starts has its own bound
        workers[2].serve()
        workers[2].answers = False
        assert await workers.children.is_any_stuck()
        assert await workers.children.is_any_stuck()
        assert told() == [2]
        workers[2].answers = True
        assert not await workers.children.is_any_stuck()
        workers[2].answers = False
        assert await workers.children.is_any_stuck()
    assert told() == [2, 2]


async def test_a_worker_that_ends_before_it_answers_is_not_stuck() -> None:
    workers = Workers()

    async def end() -> None:
        workers[1].exit(-9)

    async with workers.running():
        workers[1].serve()
        workers[2].serve()
        workers[1].health = end  # type: ignore[method-assign]  # it ends while it is asked
        assert not await workers.children.is_any_stuck()


async def test_readiness_follows_the_life_of_a_worker() -> None:
    workers = Workers()
    async with workers.running():
        workers[1].serve()
        assert (await workers.children.readiness()).faults == {"worker 2": "has not started yet"}
        workers[2].serve()
        assert await workers.children.readiness() == ({}, {})
        workers[1].state = State.ENDING
        assert await workers.children.readiness() == ({}, {"worker 1": "is ending"})
        workers[1].exit(-9)
        again = await workers.restarted(1)
        assert await workers.children.readiness() == ({}, {"worker 1": "exit code -9"})
        again.serve()
        assert await workers.children.readiness() == ({}, {})
        workers[2].health_answer = HealthAnswer({"queue": "down"})
        assert (await workers.children.readiness()).faults == {"queue (worker 2)": "down"}
