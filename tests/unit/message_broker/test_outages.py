"""Outages of the archive and of the queue are waited out; a stop does not wait for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from checkpoint.archive.archive import NamesTakenError
from checkpoint.message_queue.port import EntryFault, QueueUnavailableError
from emails import body
from message_broker.patience import backoff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker_bench import Bench
    from checkpoint.message_queue.port import Message


async def prove(bench: Bench) -> None:
    """Let one message go the whole way."""
    await bench.queue.send([body("first", timestream="1")])
    await bench.until(lambda: not bench.queue.bodies)


async def test_while_the_archive_is_away_messages_are_held_and_no_more_is_received(bench: Bench) -> None:
    async with bench.running():
        await prove(bench)
        bench.store.unavailable = "NoSuchBucket"
        await bench.queue.send([body("second")])
        await bench.until(lambda: "archive" in bench.health.faults)
        # The one receive that was under way when the outage began may still bring something; nothing after it.
        await bench.queue.send([body("third")])
        await bench.until(lambda: bench.visible() == 0)
        await bench.queue.send([body(str(number)) for number in range(5)])
        tried = len(bench.store.calls)
        await bench.until(lambda: len(bench.store.calls) > tried + 60)
        assert bench.visible() == 5
        assert bench.queue.dead_letters == []

        bench.store.unavailable = None
        await bench.until(lambda: not bench.queue.bodies)
        assert bench.health.faults == {}
    assert len(bench.store.objects) == 8


async def test_an_outage_is_said_once_and_its_end_once(bench: Bench) -> None:
    with capture_logs() as lines:
        async with bench.running():
            await prove(bench)
            bench.store.unavailable = "NoSuchBucket"
            await bench.queue.send([body("second")])
            await bench.until(lambda: len(bench.store.calls) > 30)
            bench.store.unavailable = None
            await bench.until(lambda: not bench.queue.bodies)
    about_archive = [(line["event"], line.get("reason")) for line in lines if line["event"].startswith("archive_")]
    assert about_archive == [("archive_unavailable", "NoSuchBucket"), ("archive_available", None)]


async def test_each_attempt_waits_by_its_number_and_the_number_starts_anew_for_each_message(bench: Bench) -> None:
    async with bench.running():
        bench.store.unavailable = "down"
        await bench.queue.send([body()])
        await bench.until(lambda: len(bench.delays) >= 5)
        bench.store.unavailable = None
        await bench.until(lambda: not bench.queue.bodies)
    assert bench.delays[:5] == [0, 1, 2, 3, 4]


def test_the_backoff_is_jittered_and_capped_at_30_seconds() -> None:
    waits = [backoff(attempt) for attempt in range(2000)]
    assert 25 < max(waits) <= 30
    assert all(0 <= backoff(0) <= 0.25 for _ in range(100))
    assert len(set(waits)) > 1900


async def test_a_held_message_is_extended_before_its_visibility_timeout_ends(bench: Bench) -> None:
    bench.store.let.clear()
    await bench.queue.send([body()])
    async with bench.running():
        await bench.until(lambda: bool(bench.store.calls))
        since = bench.clock = bench.clock + 14
        await bench.leases.extend_due()
        assert bench.queue._stored[0].visible_at < since + 30  # not due yet
        bench.leases.hold(list(bench.leases._ends), since=bench.clock - 16)  # asked for 16 of its 30 seconds ago
        await bench.leases.extend_due()
        assert bench.queue._stored[0].visible_at == bench.clock + 30
        assert bench.queue._stored[0].receive_count == 1
        bench.store.let.set()
        await bench.until(lambda: not bench.queue.bodies)


async def test_a_lost_lease_is_let_go_and_the_move_goes_on(bench: Bench) -> None:
    bench.store.let.clear()
    await bench.queue.send([body()])
    async with bench.running():
        await bench.until(lambda: bool(bench.store.calls))
        bench.clock += 31
        (other,) = await bench.queue.receive(1, wait_seconds=0, visibility_seconds=30)
        bench.leases.hold(list(bench.leases._ends), since=bench.clock - 31)
        await bench.leases.extend_due()
        assert bench.leases._ends == {}
        bench.store.let.set()
        await bench.until(lambda: not bench.broker._moves)
    assert await bench.queue.delete([other]) == [None]  # the other receiver has it still
    assert len(bench.store.objects) == 1


async def test_while_the_queue_is_away_receiving_waits_and_goes_on_by_itself(bench: Bench) -> None:
    bench.queue.unavailable = "away"
    with capture_logs() as lines:
        async with bench.running():
            await bench.until(lambda: len(bench.delays) >= 4)
            assert bench.health.faults["receiving"] == "away"
            bench.queue.unavailable = None
            await prove(bench)
            assert bench.health.faults == {}
    assert bench.delays[:4] == [0, 1, 2, 3]
    logged = [line["event"] for line in lines if line["event"].startswith("receiving_")]
    assert logged == ["receiving_unavailable", "receiving_available"]


async def test_where_nothing_can_be_deleted_one_message_at_a_time_is_tried_with_waits_between(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def denied(_: Sequence[Message]) -> list[EntryFault | None]:
        raise QueueUnavailableError("DeleteMessageBatch: AccessDenied")

    async with bench.running():
        await prove(bench)
        monkeypatch.setattr(bench.broker._deleting, "_call", denied)
        await bench.queue.send([body(str(number)) for number in range(20)])
        await bench.until(lambda: len(bench.delays) >= 2)
        assert bench.health.faults == {"deleting": "DeleteMessageBatch: AccessDenied"}
        assert bench.delays[1] > bench.delays[0] > 0
        monkeypatch.undo()
        bench.clock += 31
        await bench.until(lambda: not bench.queue.bodies)
    assert len(bench.store.objects) == 21


async def test_a_stop_finishes_what_is_in_flight(bench: Bench) -> None:
    async def let_when_stopping() -> None:
        await bench.until(lambda: bench.stopping)
        bench.store.let.set()

    bench.store.let.clear()
    await bench.queue.send([body()])
    async with asyncio.TaskGroup() as beside, bench.running(grace_seconds=5):
        await bench.until(lambda: bool(bench.store.calls))
        beside.create_task(let_when_stopping())
    assert bench.queue.bodies == []
    assert len(bench.store.objects) == 1


async def test_a_stop_hands_back_at_once_what_the_grace_was_too_short_for(bench: Bench) -> None:
    bench.store.let.clear()
    await bench.queue.send([body()])
    async with bench.running(grace_seconds=0.01):
        await bench.until(lambda: bool(bench.store.calls))
        assert bench.visible() == 0
    assert bench.visible() == 1
    assert bench.store.objects == {}


async def test_a_stop_during_an_outage_hands_back_without_waiting_for_the_grace(bench: Bench) -> None:
    bench.store.unavailable = "down"
    await bench.queue.send([body()])
    async with asyncio.timeout(5), bench.running(grace_seconds=3600):
        await bench.until(lambda: len(bench.delays) >= 2)
        assert bench.visible() == 0
    assert bench.visible() == 1


async def test_what_a_busy_queue_has_handed_over_when_the_stop_comes_is_still_brought_and_moved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_wire, arrived = asyncio.Event(), asyncio.Event()
    receive = bench.queue.receive

    async def slowly(at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        messages = await receive(at_most, wait_seconds=wait_seconds, visibility_seconds=visibility_seconds)
        on_the_wire.set()
        await arrived.wait()
        return messages

    monkeypatch.setattr(bench.queue, "receive", slowly)
    await bench.queue.send([body()])
    async with bench.running(grace_seconds=5):
        await on_the_wire.wait()
        closing = asyncio.create_task(bench.receiver.close())
        await asyncio.sleep(0)
        arrived.set()
        await closing
    assert list(bench.store.objects.values()) == [body()]
    assert bench.queue.bodies == []


async def test_the_long_poll_of_an_idle_queue_is_not_waited_for(bench: Bench) -> None:
    async with asyncio.timeout(3), bench.running():
        await bench.until(lambda: bench.health.is_healthy("receiving"))
        await bench.receiver.close()


@pytest.mark.parametrize("end", [NamesTakenError, LookupError])
async def test_an_outage_whose_last_holder_ends_otherwise_than_by_success_is_over_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, end: type[Exception]
) -> None:
    async def ends(*_: object) -> bool:
        raise end

    async with bench.running():
        await prove(bench)
        bench.store.unavailable = "a blip"
        await bench.queue.send([body("unlucky")])
        await bench.until(lambda: "archive" in bench.health.faults)
        with monkeypatch.context() as patch:
            patch.setattr(bench.store, "create", ends)
            await bench.until(lambda: not bench.broker._moves)
        bench.store.unavailable = None
        await bench.queue.send([body("good", timestream="3")])
        await bench.until(lambda: "sqs_message_3.json" in bench.store.objects)
        await bench.until(lambda: bench.health.faults == {})


async def test_deletes_that_fail_by_the_entry_do_not_prove_the_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stale(messages: Sequence[Message]) -> list[EntryFault | None]:
        return [EntryFault("stale")] * len(messages)

    monkeypatch.setattr(bench.broker._deleting, "_call", stale)
    await bench.queue.send([body(str(number)) for number in range(5)])
    async with bench.running():
        await bench.until(lambda: len(bench.store.objects) == 5)
        assert not bench.receiver._proven
