"""What the private port tells of all workers, also while the parent's loop is stuck."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import pytest
from prometheus_client import CollectorRegistry, Counter

from checkpoint.operations.private_port import Readiness
from processing_requests.workers import readings as module
from processing_requests.workers.messages import Family, read
from processing_requests.workers.readings import ReadingsOfAll

if TYPE_CHECKING:
    from processing_requests.workers.children import Children


class FakeChildren:
    def __init__(self) -> None:
        self.stuck = False
        registry = CollectorRegistry()
        Counter("requests", "Requests", registry=registry).inc(5)
        self.told = read(registry)

    async def is_any_stuck(self) -> bool:
        return self.stuck

    async def readiness(self) -> Readiness:
        return Readiness({}, {"worker 1": "SIGKILL"})

    async def metrics(self) -> list[Family]:
        return self.told

    def last_metrics(self) -> list[Family]:
        return self.told


@pytest.fixture
def children() -> FakeChildren:
    return FakeChildren()


@pytest.fixture
async def readings(children: FakeChildren) -> ReadingsOfAll:
    registry = CollectorRegistry()
    Counter("restarts", "Restarts", registry=registry).inc(2)
    return ReadingsOfAll(asyncio.get_running_loop(), cast("Children", children), registry)


def ask_while_stuck(readings: ReadingsOfAll) -> tuple[bool, Readiness, float | None]:
    """What they tell while the loop, on which this is called, does nothing else."""
    told: list[Any] = []
    thread = threading.Thread(
        target=lambda: told.append(
            (readings.is_alive(), readings.readiness(), readings.metrics().get_sample_value("requests_total"))
        )
    )
    thread.start()
    thread.join(10)
    (answers,) = told
    return cast("tuple[bool, Readiness, float | None]", answers)


async def test_it_is_alive_while_no_worker_is_stuck(readings: ReadingsOfAll, children: FakeChildren) -> None:
    assert await asyncio.to_thread(readings.is_alive)
    children.stuck = True
    assert not await asyncio.to_thread(readings.is_alive)


async def test_readiness_is_that_of_all(readings: ReadingsOfAll) -> None:
    assert await asyncio.to_thread(readings.readiness) == ({}, {"worker 1": "SIGKILL"})


async def test_the_metrics_are_the_parents_and_the_workers(readings: ReadingsOfAll) -> None:
    registry = await asyncio.to_thread(readings.metrics)
    assert (registry.get_sample_value("requests_total"), registry.get_sample_value("restarts_total")) == (5, 2)


async def test_a_loop_that_is_stuck_is_neither_alive_nor_ready_and_the_last_metrics_are_told(
    readings: ReadingsOfAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOP_SECONDS", 0.02)
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.02)
    began = time.monotonic()
    assert ask_while_stuck(readings) == (False, ({"parent": "does not answer"}, {}), 5)
    assert time.monotonic() - began < 5
    await asyncio.sleep(0)  # what was asked for runs, for nobody


def test_a_loop_that_is_closed_is_neither_alive_nor_ready(children: FakeChildren) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    readings = ReadingsOfAll(loop, cast("Children", children), CollectorRegistry())
    assert not readings.is_alive()
    assert readings.readiness().faults
    assert readings.metrics().get_sample_value("requests_total") == 5
