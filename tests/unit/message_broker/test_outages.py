"""Outages of the archive and of the queue are waited out, and end by themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from checkpoint.archive.archive import NamesTakenError
from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from checkpoint.message_queue.port import EntryFault, QueueUnavailableError
from emails import body
from message_broker.circuit_breaker import State
from unit.message_broker.running_broker import RunningBroker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checkpoint.message_queue.port import Message

DENIED = QueueUnavailableError("QUEUE_URL: SQS DeleteMessageBatch: AccessDenied")


@pytest.fixture
def first_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoffs are short here, so that what happens after a minute would happen at once."""
    monkeypatch.setattr("message_broker.circuit_breaker._ATTEMPTS_OF_A_TRIAL", 1_000_000)


async def prove(broker: RunningBroker) -> None:
    """Let one message go the whole way: the circuit closes."""
    await broker.queue.send([body("first", timestream="1")])
    await broker.drained()


@pytest.mark.usefixtures("first_minute")
async def test_while_the_archive_is_away_messages_are_held_and_no_more_is_received(broker: RunningBroker) -> None:
    async with broker.running():
        await prove(broker)
        broker.store.unavailable = "NoSuchBucket"
        await broker.queue.send([body("second")])
        await broker.until(lambda: "archive" in broker.faults)
        # The receive that was under way when the outage began may still bring something; nothing after it.
        await broker.queue.send([body("third")])
        await broker.until(lambda: broker.visible() == 0)
        await broker.queue.send([body(str(number)) for number in range(5)])
        tried = len(broker.store.calls)
        await broker.until(lambda: len(broker.store.calls) > tried + 60)
        assert broker.visible() == 5
        assert broker.queue.dead_letters == []

        broker.store.unavailable = None
        await broker.drained()
        assert broker.faults == {}
    assert len(broker.store.objects) == 8


@pytest.mark.usefixtures("first_minute")
async def test_a_broker_that_starts_in_an_outage_receives_one_message_and_no_more(broker: RunningBroker) -> None:
    broker.store.unavailable = "NoSuchBucket"
    await broker.queue.send([body(str(number)) for number in range(20)])
    async with broker.running():
        await broker.until(lambda: len(broker.store.calls) > 30)
        assert broker.visible() == 19
        broker.store.unavailable = None
        await broker.drained()
    assert len(broker.store.objects) == 20


async def test_an_outage_is_logged_once_and_its_end_once(broker: RunningBroker) -> None:
    with capture_logs() as lines:
        async with broker.running():
            await prove(broker)
            broker.store.unavailable = "NoSuchBucket"
            await broker.queue.send([body("second")])
            await broker.until(lambda: len(broker.store.calls) > 30)
            broker.store.unavailable = None
            await broker.drained()
    about_archive = [(line["event"], line.get("reason")) for line in lines if line["event"].startswith("archive_")]
    assert about_archive == [("archive_unavailable", "NoSuchBucket"), ("archive_available", None)]


async def test_an_outage_in_which_puts_hung_is_logged_once_and_its_end_once(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = broker.store.create
    hung: list[asyncio.Future[None]] = []

    async def hangs(name: str, content: bytes, *, sha256: str) -> bool:
        if len(hung) < 6:
            hung.append(asyncio.get_running_loop().create_future())
            await hung[-1]
        return await create(name, content, sha256=sha256)

    with capture_logs() as lines:
        async with broker.running():
            await prove(broker)
            monkeypatch.setattr(broker.store, "create", hangs)
            await broker.queue.send([body(str(number), timestream=str(number)) for number in range(6)])
            await broker.until(lambda: len(hung) == 6)
            hung[0].set_exception(ArchiveUnavailableError("timed out"))
            await broker.until(lambda: len(broker.store.objects) == 2)  # put again, for the archive is back
            for number, late in enumerate(hung[1:], start=3):
                late.set_exception(ArchiveUnavailableError("timed out"))
                await broker.until(lambda number=number: len(broker.store.objects) == number)  # type: ignore[misc]
            await broker.drained()
    about_archive = [(line["event"], line.get("reason")) for line in lines if line["event"].startswith("archive_")]
    assert about_archive == [("archive_unavailable", "timed out"), ("archive_available", None)]


async def test_an_outage_in_which_receives_hung_is_logged_once_and_its_end_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = RunningBroker(slots=256, calls_at_once=3)
    receive = broker.queue.receive
    hung: list[asyncio.Future[None]] = []

    async def hangs(at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        if len(hung) < 3:
            hung.append(asyncio.get_running_loop().create_future())
            await hung[-1]
        return await receive(at_most, wait_seconds=wait_seconds, visibility_seconds=visibility_seconds)

    with capture_logs() as lines:
        async with broker.running():
            await prove(broker)
            broker.queue.latency = 0.01
            await broker.queue.send([body(str(number), timestream=str(number)) for number in range(300)])
            await broker.until(lambda: broker.queue.most_receives == 3)
            monkeypatch.setattr(broker.queue, "receive", hangs)
            await broker.until(lambda: len(hung) == 3)
            await broker.until(lambda: not broker.in_flight)
            lines.clear()
            for late in hung:
                late.set_exception(QueueUnavailableError("timed out"))
                receives = len(broker.queue.receives)
                await broker.until(lambda receives=receives: len(broker.queue.receives) > receives)  # type: ignore[misc]
                await broker.until(lambda: not broker.faults)
            await broker.drained()
    about_queue = [(line["event"], line.get("reason")) for line in lines if line["event"].startswith("queue_")]
    assert about_queue == [("queue_unavailable", "timed out"), ("queue_available", None)]


async def test_each_attempt_may_wait_longer_and_the_next_message_starts_anew(broker: RunningBroker) -> None:
    async with broker.running():
        for content in ("first", "second"):
            broker.store.unavailable = "down"
            await broker.queue.send([body(content)])
            await broker.until(lambda: len(broker.backoffs.longest) >= 9)
            broker.store.unavailable = None
            await broker.drained()
            assert broker.backoffs.longest[:9] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
            broker.backoffs.longest.clear()


async def test_while_the_queue_is_away_receiving_waits_and_goes_on_by_itself(broker: RunningBroker) -> None:
    broker.queue.unavailable = "away"
    with capture_logs() as lines:
        async with broker.running():
            await broker.until(lambda: len(broker.backoffs.longest) >= 4)
            assert broker.faults == {"queue": "away"}
            broker.queue.unavailable = None
            await prove(broker)
            assert broker.faults == {}
    assert broker.backoffs.longest[:4] == [0.25, 0.5, 1, 2]
    logged = [line["event"] for line in lines if line["event"].startswith("queue_")]
    assert logged == ["queue_unavailable", "queue_available"]


async def test_an_idle_broker_is_healthy_again_when_the_queue_is_and_the_next_outage_starts_with_short_waits(
    broker: RunningBroker,
) -> None:
    async with broker.running():
        for _ in range(3):
            broker.backoffs.longest.clear()
            broker.queue.unavailable = "away"
            await broker.until(lambda: len(broker.backoffs.longest) >= 9)
            assert broker.faults == {"queue": "away"}
            assert broker.backoffs.longest[:9] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
            broker.queue.unavailable = None
            await broker.until(lambda: not broker.faults)


async def test_what_could_not_be_deleted_is_kept_and_its_delete_tried_again(broker: RunningBroker) -> None:
    with capture_logs() as lines:
        async with broker.running():
            await prove(broker)
            broker.queue.failing["delete"] = DENIED
            await broker.queue.send([body("second")])
            await broker.until(lambda: len(broker.backoffs.longest) >= 3)
            assert broker.faults == {"queue": str(DENIED)}
            receives = len(broker.queue.receives)
            tried = len(broker.queue.deletes)
            await broker.queue.send([body(str(number)) for number in range(20)])
            await broker.until(lambda: broker.visible() < 20)
            await broker.until(lambda: len(broker.queue.deletes) > tried + 3)
            assert len(broker.queue.receives) == receives
            assert broker.visible() == 18  # the long poll that was under way still brought two

            broker.queue.failing.clear()
            await broker.drained()
            assert broker.faults == {}
    # That poll succeeded, but says nothing about deletes.
    assert [line["event"] for line in lines if line["event"].startswith("queue_")] == [
        "queue_available",
        "queue_unavailable",
        "queue_available",
    ]
    assert len(broker.store.objects) == 22
    assert [stored for stored in broker.queue._stored if stored.receive_count > 1] == []
    assert broker.store.calls.count(("create", "sqs_message_1706213694.json")) == 1  # archived once


async def test_an_idle_broker_is_ready_again_after_a_delete_that_failed_after_its_effect(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = broker.queue.delete

    async def deletes_then_fails(messages: Sequence[Message]) -> list[EntryFault | None]:
        faults = await delete(messages)
        if len(broker.queue.deletes) == 1:
            raise QueueUnavailableError("QUEUE_URL: SQS DeleteMessageBatch: ReadTimeoutError")
        return faults

    monkeypatch.setattr(broker.service.in_flight._deletes, "_call", deletes_then_fails)
    with capture_logs() as lines:
        async with broker.running():
            await broker.queue.send([body()])
            await broker.until(lambda: not broker.queue.bodies)
            await broker.until(lambda: broker.faults == {})
            await broker.drained()
            await prove(broker)
    assert "queue_unavailable" in {line["event"] for line in lines}
    assert len(broker.store.objects) == 2


@pytest.mark.parametrize("end", [NamesTakenError, LookupError])
async def test_an_outage_is_over_though_the_last_message_that_waited_for_it_ended_otherwise(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch, end: type[Exception]
) -> None:
    async def ends(*_: object, **__: object) -> bool:
        raise end

    async with broker.running():
        await prove(broker)
        broker.store.unavailable = "a blip"
        await broker.queue.send([body("unlucky")])
        await broker.until(lambda: "archive" in broker.faults)
        with monkeypatch.context() as patch:
            patch.setattr(broker.store, "create", ends)
            await broker.until(lambda: not broker.in_flight)
        broker.store.unavailable = None
        await broker.queue.send([body("good", timestream="3")])
        await broker.until(lambda: "sqs_message_3.json" in broker.store.objects)
        await broker.until(lambda: broker.faults == {})


@pytest.mark.parametrize("end", [NamesTakenError(), ObjectUnreadableError("name", "reason")])
async def test_an_archive_that_answers_is_healthy_though_it_takes_nothing(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch, end: Exception
) -> None:
    async def ends(*_: object, **__: object) -> bool:
        raise end

    async with broker.running():
        broker.store.unavailable = "a blip"
        await broker.queue.send([body("unlucky")])
        await broker.until(lambda: broker.faults == {"archive": "a blip"})
        monkeypatch.setattr(broker.store, "create", ends)
        await broker.until(lambda: broker.faults == {})
    assert broker.store.objects == {}


async def test_deletes_with_stale_receipts_do_not_close_the_circuit(broker: RunningBroker) -> None:
    broker.queue.delete_faults = EntryFault("stale")
    await broker.queue.send([body(str(number)) for number in range(5)])
    async with broker.running():
        await broker.until(lambda: len(broker.store.objects) == 5)
        await broker.until(lambda: not broker.in_flight)
    assert set(broker.queue.deletes) == {1}


async def test_the_first_stale_receipt_after_an_outage_of_the_queue_ends_the_wait_of_every_delete(
    broker: RunningBroker,
) -> None:
    async with broker.running():
        await prove(broker)
        broker.queue.failing["delete"] = QueueUnavailableError("away")
        broker.backoffs.first = [3600.0] * 4
        await broker.queue.send([body(str(number)) for number in range(5)])
        await broker.until(lambda: not broker.backoffs.first)
        broker.queue.delete_faults = EntryFault("stale")
        del broker.queue.failing["delete"]
        await broker.until(lambda: not broker.in_flight)


async def test_one_object_that_always_fails_does_not_hold_up_the_others(broker: RunningBroker) -> None:
    async with broker.running():
        await prove(broker)
        broker.store.failing["sqs_message_666.json"] = "AccessDenied"
        await broker.queue.send([body("bad", timestream="666")])
        await broker.queue.send([body(str(number)) for number in range(30)])
        await broker.until(lambda: len(broker.store.objects) == 31)
        # A blip of the whole store leaves the bad one alone in a half-open circuit: others are received all the same.
        broker.store.unavailable = "a blip"
        await broker.queue.send([body("more")])
        await broker.until(lambda: broker.faults.get("archive") == "a blip")
        broker.store.unavailable = None
        await broker.until(lambda: len(broker.store.objects) == 32)
        await broker.queue.send([body(f"after {number}") for number in range(30)])
        await broker.until(lambda: len(broker.store.objects) == 62)
        await broker.until(lambda: broker.queue.bodies == [body("bad", timestream="666")])
        del broker.store.failing["sqs_message_666.json"]
        await broker.drained()


@pytest.mark.parametrize("is_proven", [True, False])
async def test_one_object_that_always_fails_stops_nobody_for_ever_though_it_is_the_only_one_in_flight(
    broker: RunningBroker, *, is_proven: bool
) -> None:
    broker.store.failing["sqs_message_666.json"] = "AccessDenied"
    async with broker.running():
        if is_proven:
            await prove(broker)
        archived = len(broker.store.objects)
        await broker.queue.send([body("bad", timestream="666")])
        await broker.until(lambda: broker.faults)
        await broker.queue.send([body(str(number)) for number in range(30)])
        await broker.until(lambda: len(broker.store.objects) == archived + 30)
        await broker.until(lambda: broker.faults == {})
        del broker.store.failing["sqs_message_666.json"]
        await broker.drained()


@pytest.mark.parametrize("slots", [8, 40])
async def test_more_messages_for_an_object_that_always_fails_than_there_are_slots_stop_nobody(slots: int) -> None:
    broker = RunningBroker(slots=slots)
    broker.store.failing["sqs_message_666.json"] = "AccessDenied"
    async with broker.running():
        await prove(broker)
        for number in range(2 * slots):
            await broker.queue.send([body(f"bad {number}", timestream="666"), body(f"good {number}")])
        await broker.until(lambda: len(broker.store.objects) == 1 + 2 * slots)
        assert broker.queue.dead_letters == []


async def test_many_messages_that_fail_alone_hold_up_nobody_though_nothing_else_is_in_flight() -> None:
    broker = RunningBroker(slots=40)
    broker.store.failing["sqs_message_666.json"] = "AccessDenied"
    await broker.queue.send([body(f"bad {number}", timestream="666") for number in range(39)])
    async with broker.running():
        await broker.until(lambda: broker.faults)
        await broker.queue.send([body(f"good {number}") for number in range(30)])
        await broker.until(lambda: len(broker.store.objects) == 30)
    assert broker.queue.dead_letters == []


async def test_in_a_long_outage_no_more_is_received_than_there_are_slots_and_each_message_once() -> None:
    broker = RunningBroker(slots=40)
    broker.store.unavailable = "away"
    await broker.queue.send([body(str(number)) for number in range(60)])
    async with broker.running():
        await broker.until(lambda: broker.in_flight == 40)
        tried = len(broker.store.calls)
        await broker.until(lambda: len(broker.store.calls) > tried + 1000)
        assert [stored.receive_count for stored in broker.queue._stored] == [1] * 40 + [0] * 20
        broker.store.unavailable = None
        await broker.drained()


async def test_in_an_outage_memory_holds_no_more_than_there_are_slots() -> None:
    broker = RunningBroker(slots=20)
    async with broker.running():
        await prove(broker)
        await broker.queue.send([body(str(number)) for number in range(500)])
        broker.store.unavailable = "down"
        tried = len(broker.store.calls)
        await broker.until(lambda: len(broker.store.calls) > tried + 100)
        assert broker.in_flight <= 20 + 20
        broker.store.unavailable = None
        await broker.drained()
    assert len(broker.store.objects) == 501


async def test_a_restart_in_the_middle_of_an_outage_makes_no_second_object(broker: RunningBroker) -> None:
    async with broker.running():
        await prove(broker)
        broker.queue.failing["delete"] = DENIED
        await broker.queue.send([body("second"), body("third")])
        await broker.until(lambda: len(broker.store.objects) == 3)
    assert broker.visible() == 2  # archived and not deleted, so released
    broker.queue.failing.clear()
    broker.service, broker.stop = broker.build(), asyncio.Event()
    async with broker.running():
        await broker.drained()
    assert len(broker.store.objects) == 3
    assert broker.counted("already_there") == 2


@pytest.mark.usefixtures("first_minute")
async def test_after_a_backlog_an_outage_is_tried_by_one_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ends(*_: object, **__: object) -> bool:
        raise LookupError

    broker = RunningBroker(slots=40)
    breaker = broker.service.broker.breaker
    async with broker.running():
        await prove(broker)
        await broker.queue.send([body(str(number)) for number in range(2000)])
        await broker.until(lambda: broker.queue.most_receives > 2)
        broker.store.unavailable = "away"
        await broker.until(lambda: breaker.state is not State.CLOSED)
        with monkeypatch.context() as patch:  # what is in flight ends: nothing is left that could try again
            patch.setattr(broker.store, "create", ends)
            await broker.until(lambda: not broker.in_flight)
        broker.clock.now += 2  # what was released for later is visible
        await broker.until(lambda: breaker.state is not State.CLOSED and broker.in_flight)
        held = broker.in_flight
        tried = len(broker.store.calls)
        await broker.until(lambda: len(broker.store.calls) > tried + 30)
        assert broker.in_flight == held <= 10  # one poll's trials after messages that told nothing
        broker.store.unavailable = None
        await broker.until(lambda: broker.visible() == 0)
        broker.clock.now += 10
        await broker.drained()


@pytest.mark.usefixtures("first_minute")
async def test_deletes_of_what_was_put_before_do_not_hide_an_outage_of_the_archive() -> None:
    broker = RunningBroker(slots=40)
    async with broker.running():
        await prove(broker)
        broker.queue.latency = 0.003
        await broker.queue.send([body(str(number)) for number in range(1000)])
        for _ in range(3):
            archived = len(broker.store.objects)
            await broker.until(lambda archived=archived: len(broker.store.objects) > archived + 50)  # type: ignore[misc]
            broker.store.unavailable = "away"
            tried = len(broker.store.calls)
            await broker.until(lambda tried=tried: len(broker.store.calls) > tried + 200)  # type: ignore[misc]
            assert broker.service.broker.breaker.state is not State.CLOSED
            assert broker.service.broker.breaker._trials == broker.in_flight  # none of them is thought to fail alone
            broker.store.unavailable = None
        await broker.drained()
    assert len(broker.store.objects) == 1001


async def test_a_message_that_fails_alone_does_not_make_an_idle_broker_poll_without_a_pause(
    broker: RunningBroker,
) -> None:
    async with broker.running():
        await prove(broker)
        broker.store.failing["sqs_message_666.json"] = "AccessDenied"
        await broker.queue.send([body("bad", timestream="666")])
        for number in range(20):
            await broker.queue.send([body(str(number))])
            await broker.until(lambda number=number: len(broker.store.objects) == number + 2)  # type: ignore[misc]
        broker.queue.failing["receive"] = QueueUnavailableError("away")
        await broker.queue.send([body("more")])
        await broker.until(lambda: "queue" in broker.faults)
        broker.queue.failing.clear()
        await broker.until(lambda: broker.in_flight == 1 and "queue" not in broker.faults)
        receives = len(broker.queue.receives)
        await asyncio.sleep(0.2)
        assert len(broker.queue.receives) <= receives + 3
        del broker.store.failing["sqs_message_666.json"]
        await broker.drained()
