"""At its start the broker looks whether the archive is available, and touches no message until it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from emails import body
from objects import MemoryObjects
from unit.message_broker.running_broker import RunningBroker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class ProbedObjects(MemoryObjects):
    """A store that can tell without a put whether it is available."""

    def __init__(self) -> None:
        super().__init__()
        self.probes = 0

    async def probe(self) -> None:
        self.probes += 1
        self._check("")


@pytest.fixture
def store() -> ProbedObjects:
    return ProbedObjects()


@pytest.fixture
def broker(store: ProbedObjects) -> RunningBroker:
    broker = RunningBroker()
    broker.store = store
    broker.service = broker.build()
    return broker


async def test_a_broker_that_starts_in_an_outage_is_not_ready_says_why_and_receives_nothing(
    broker: RunningBroker, store: ProbedObjects
) -> None:
    store.unavailable = "not mounted"
    await broker.queue.send([body()])
    async with broker.running():
        await broker.until(lambda: store.probes > 10)
        assert broker.faults["archive"] == "not mounted"
        assert broker.queue.receives == []
        assert store.calls == []
        store.unavailable = None
        await broker.drained()
        await broker.until(lambda: broker.faults == {})
    assert len(store.objects) == 1


async def test_the_outage_is_logged_once_and_its_end_once(broker: RunningBroker, store: ProbedObjects) -> None:
    store.unavailable = "not mounted"
    with capture_logs() as lines:
        async with broker.running():
            await broker.until(lambda: store.probes > 10)
            store.unavailable = None
            await broker.until(lambda: broker.faults == {})
    about_archive = [(line["event"], line.get("reason")) for line in lines if line["event"].startswith("archive_")]
    assert about_archive == [("archive_unavailable", "not mounted"), ("archive_available", None)]


async def test_it_looks_again_about_every_second(
    broker: RunningBroker, store: ProbedObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[float, float]] = []

    def shortest(least: float, most: float, /) -> float:
        waits.append((least, most))
        return 0.001

    monkeypatch.setattr(broker.backoffs, "uniform", shortest)
    store.unavailable = "not mounted"
    async with broker.running():
        await broker.until(lambda: store.probes > 10)
    assert {(least + most) / 2 for least, most in waits[:9]} == {1.0}


async def test_a_store_that_is_available_is_probed_once_and_nothing_is_said(
    broker: RunningBroker, store: ProbedObjects
) -> None:
    with capture_logs() as lines:
        async with broker.running():
            await broker.queue.send([body()])
            await broker.drained()
    assert store.probes == 1
    assert [line for line in lines if line["event"].startswith("archive_")] == []


async def test_a_store_that_cannot_tell_is_tried_with_one_message() -> None:
    broker = RunningBroker()
    broker.store.unavailable = "NoSuchBucket"
    await broker.queue.send([body(str(number)) for number in range(20)])
    async with broker.running():
        await broker.until(lambda: broker.faults.get("archive") == "NoSuchBucket")
        assert broker.visible() == 19


@pytest.mark.parametrize("waits_for", ["the next look", "an answer"])
async def test_a_stop_while_it_waits_ends_it_at_once(
    broker: RunningBroker, store: ProbedObjects, monkeypatch: pytest.MonkeyPatch, waits_for: str
) -> None:
    store.unavailable = "not mounted"
    if waits_for == "an answer":
        hang: Callable[[], Awaitable[object]] = asyncio.Event().wait
        monkeypatch.setattr(store, "_check", lambda _: None)

        async def probe() -> None:
            store.probes += 1
            await hang()

        monkeypatch.setattr(store, "probe", probe)
    else:
        monkeypatch.setattr(broker.backoffs, "uniform", lambda *_: 3600.0)
    async with asyncio.timeout(2):
        async with broker.running():
            await broker.until(lambda: store.probes)
    assert broker.queue.receives == []
