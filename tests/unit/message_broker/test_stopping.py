"""A stop: what is in flight is finished, or released; nothing is left hidden."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from checkpoint.message_queue.port import QueueUnavailableError
from emails import body
from unit.message_broker.running_broker import RunningBroker

if TYPE_CHECKING:
    import pytest

    from checkpoint.message_queue.port import Message


async def test_a_stop_finishes_what_is_in_flight(broker: RunningBroker) -> None:
    broker.store.let.clear()
    await broker.queue.send([body()])
    async with asyncio.TaskGroup() as beside, broker.running():

        async def let_when_stopping() -> None:
            await broker.stop.wait()
            broker.store.let.set()

        await broker.until(lambda: broker.store.calls)
        beside.create_task(let_when_stopping())
    assert broker.queue.bodies == []
    assert len(broker.store.objects) == 1


async def test_a_stop_releases_what_the_grace_was_too_short_for() -> None:
    broker = RunningBroker(grace_seconds=0.01)
    broker.store.let.clear()
    await broker.queue.send([body()])
    with capture_logs() as lines:
        async with broker.running():
            await broker.until(lambda: broker.store.calls)
            assert broker.visible() == 0
    assert broker.visible() == 1
    assert broker.store.objects == {}
    assert broker.counted("released") == 1
    assert [line["messages"] for line in lines if line["event"] == "messages_released"] == [1]


async def test_what_a_stop_releases_shares_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = RunningBroker(slots=40, grace_seconds=0.01)
    released: list[int] = []
    change_visibility = broker.queue.change_visibility

    async def counted(messages: list[Message], visibility_seconds: int) -> list[None]:
        released.append(len(messages))
        return await change_visibility(messages, visibility_seconds)  # type: ignore[return-value]

    monkeypatch.setattr(broker.queue, "change_visibility", counted)
    async with broker.running():
        await broker.queue.send([body("first")])
        await broker.drained()
        broker.store.let.clear()
        await broker.queue.send([body(str(number)) for number in range(40)])
        await broker.until(lambda: broker.in_flight == 40)
    assert released == [10, 10, 10, 10]
    assert broker.visible() == 40


async def test_a_stop_during_an_outage_of_the_archive_releases_without_waiting_for_the_grace() -> None:
    broker = RunningBroker(grace_seconds=3600)
    broker.store.unavailable = "down"
    await broker.queue.send([body()])
    async with asyncio.timeout(5), broker.running():
        await broker.until(lambda: len(broker.backoffs.longest) >= 2)
        assert broker.visible() == 0
    assert broker.visible() == 1


async def test_a_stop_during_an_outage_of_the_queue_does_not_wait_for_it_to_end() -> None:
    broker = RunningBroker(grace_seconds=3600)
    broker.queue.failing["delete"] = QueueUnavailableError("away")
    async with asyncio.timeout(5), broker.running():
        await broker.queue.send([body()])
        await broker.until(lambda: broker.store.objects)
        broker.queue.unavailable = "away"
        await broker.until(lambda: broker.faults)
    assert len(broker.queue.bodies) == 1  # it becomes visible by its timeout, and is found archived


async def test_what_a_busy_queue_has_handed_over_when_the_stop_comes_is_still_archived(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the waiting as it is
    on_the_wire, arrived = asyncio.Event(), asyncio.Event()
    receive = broker.queue.receive

    async def slowly(at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        messages = await receive(at_most, wait_seconds=wait_seconds, visibility_seconds=visibility_seconds)
        on_the_wire.set()
        await arrived.wait()
        return messages

    monkeypatch.setattr(broker.queue, "receive", slowly)
    await broker.queue.send([body()])
    async with asyncio.TaskGroup() as beside, broker.running():

        async def arrive_when_stopping() -> None:
            await broker.until(lambda: broker.service.fetcher._is_stopping)
            arrived.set()

        await on_the_wire.wait()
        beside.create_task(arrive_when_stopping())
    assert list(broker.store.objects.values()) == [body()]
    assert broker.queue.bodies == []


async def test_a_stop_that_will_release_messages_cuts_no_receive_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the queue it could go on, and take what is released."""
    monkeypatch.undo()
    broker = RunningBroker(slots=80, grace_seconds=0.01)
    async with broker.running():
        await broker.queue.send([body("first")])
        await broker.drained()
        broker.store.let.clear()
        await broker.queue.send([body(str(number)) for number in range(40)])
        await broker.until(lambda: broker.in_flight == 40 and broker.queue.under_way > 1)
    assert broker.queue.receives_cut_off == 0
    assert broker.visible() == 40


async def test_the_long_poll_of_an_idle_queue_is_not_waited_for(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    async with broker.running():
        await broker.until(lambda: broker.queue.under_way == 1 and not broker.faults)
        began = time.monotonic()
    assert time.monotonic() - began < 2


async def test_a_stop_does_not_let_deletes_wait_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("message_broker.in_flight._LINGER_SECONDS", 3600)
    broker = RunningBroker()
    async with broker.running():
        await broker.queue.send([body("first")])
        await broker.drained()
        await broker.queue.send([body("second")])
        await broker.until(lambda: len(broker.store.objects) == 2)
        assert broker.queue.deletes == [1]
    assert broker.queue.bodies == []


async def test_the_end_of_the_grace_cuts_off_no_release() -> None:
    broker = RunningBroker(slots=64, grace_seconds=0.01)
    async with broker.running():
        await broker.queue.send([body("first")])
        await broker.drained()
        broker.store.let.clear()
        await broker.queue.send([body(str(number)) for number in range(60)])
        await broker.until(lambda: broker.in_flight == 60)
        broker.store.unavailable = "down"
        broker.store.let.set()
        await broker.until(lambda: broker.faults)
        broker.queue.latency = 0.1  # longer than the grace
    assert broker.visible() == 60
    assert broker.in_flight == 0


async def test_the_end_of_the_grace_cuts_off_no_dead_letter() -> None:
    broker = RunningBroker(grace_seconds=0.01)
    await broker.queue.send([b"bad"])
    broker.queue.latency = 0.1
    async with broker.running():
        await broker.until(lambda: broker.in_flight)
    assert [letter.body for letter in broker.queue.dead_letters] == [b"bad"]


async def test_a_queue_that_does_not_answer_holds_no_stop_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("message_broker.in_flight._CLOSE_SECONDS", 0.05)
    broker = RunningBroker(grace_seconds=0.01)
    with capture_logs() as lines:
        async with asyncio.timeout(5):
            async with broker.running():
                await broker.queue.send([body("first")])
                await broker.drained()
                broker.store.let.clear()
                await broker.queue.send([body(str(number)) for number in range(8)])
                await broker.until(lambda: broker.in_flight == 8)
                broker.queue.latency = 3600
    assert [(line["messages"], line["log_level"]) for line in lines if line["event"] == "release_failed"] == [
        (8, "warning")
    ]


async def test_a_message_whose_release_fails_has_ended_all_the_same() -> None:
    broker = RunningBroker(grace_seconds=0.01)
    broker.store.let.clear()
    broker.queue.failing["change_visibility"] = QueueUnavailableError("away")
    await broker.queue.send([body()])
    with capture_logs() as lines:
        async with broker.running():
            await broker.until(lambda: broker.store.calls)
    assert [line["reason"] for line in lines if line["event"] == "release_failed"] == ["away"]
    assert broker.in_flight == 0


async def test_a_message_that_arrives_with_the_stop_is_released_though_its_move_never_began() -> None:
    broker = RunningBroker(grace_seconds=0.01)
    await broker.queue.send([body()])
    [message] = await broker.queue.receive(1, wait_seconds=0, visibility_seconds=30)
    await broker.service.broker.in_flight._slots.reserve(1)
    broker.service.in_flight.add(message, asked_at=broker.clock.now)
    await broker.service.broker.stop(grace_seconds=0)
    assert broker.visible() == 1
