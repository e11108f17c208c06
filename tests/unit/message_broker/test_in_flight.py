"""One owner of each message: hidden until it has ended, and it ends exactly once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from checkpoint.message_queue.port import EntryFault, QueueUnavailableError
from emails import body
from message_broker.in_flight import StaleReceiptError
from unit.message_broker.running_broker import RunningBroker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checkpoint.message_queue.port import Message
    from message_broker.in_flight import Delivery, InFlight


@pytest.fixture
def in_flight(broker: RunningBroker) -> InFlight:
    return broker.service.in_flight


async def receive(broker: RunningBroker, content: str = "Your Content") -> Delivery:
    """One message, in flight."""
    await broker.queue.send([body(content)])
    await broker.service.fetcher.slots.reserve(1)
    [message] = await broker.queue.receive(1, wait_seconds=0, visibility_seconds=30)
    return broker.service.in_flight.add(message, asked_at=broker.clock.now)


async def free_slots(broker: RunningBroker) -> int:
    """How many of the eight slots are free."""
    reserved = await broker.service.fetcher.slots.reserve(8)
    broker.service.fetcher.slots.free(*reserved)
    return reserved.messages


async def test_a_deleted_message_has_ended_and_its_slot_is_free(broker: RunningBroker, in_flight: InFlight) -> None:
    delivery = await receive(broker)
    async with in_flight.release_unless_ended(delivery):
        assert in_flight.count == 1
        await in_flight.delete(delivery)
        assert in_flight.count == 0
    assert broker.queue.bodies == []
    assert await free_slots(broker) == 8


async def test_what_did_not_end_otherwise_is_released_at_once(broker: RunningBroker, in_flight: InFlight) -> None:
    delivery = await receive(broker)
    async with in_flight.release_unless_ended(delivery):
        assert broker.visible() == 0
    assert broker.visible() == 1
    assert in_flight.count == 0
    assert await free_slots(broker) == 8


async def test_what_failed_by_an_error_is_released_for_later(broker: RunningBroker, in_flight: InFlight) -> None:
    delivery = await receive(broker)
    with pytest.raises(LookupError):
        async with in_flight.release_unless_ended(delivery):
            raise LookupError
    assert [stored.visible_at - broker.clock.now for stored in broker.queue._stored] == [2]
    assert in_flight.count == 0


async def test_what_is_cancelled_is_released_at_once(broker: RunningBroker, in_flight: InFlight) -> None:
    delivery = await receive(broker)

    async def life() -> None:
        async with in_flight.release_unless_ended(delivery):
            await asyncio.Event().wait()

    task = asyncio.create_task(life())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await in_flight.close()
    assert broker.visible() == 1


async def test_an_error_after_the_end_does_not_end_it_again(broker: RunningBroker, in_flight: InFlight) -> None:
    delivery = await receive(broker)

    async def life() -> None:
        async with in_flight.release_unless_ended(delivery):
            await in_flight.dead_letter(delivery, "It is bad.")
            raise LookupError

    with pytest.raises(LookupError):
        await life()
    assert [letter.reason for letter in broker.queue.dead_letters] == ["It is bad."]
    assert broker.queue.bodies == []
    assert await free_slots(broker) == 8


async def test_a_failed_delete_has_not_ended_it_and_can_be_tried_again(
    broker: RunningBroker, in_flight: InFlight
) -> None:
    delivery = await receive(broker)
    async with in_flight.release_unless_ended(delivery):
        broker.queue.unavailable = "away"
        with pytest.raises(QueueUnavailableError):
            await in_flight.delete(delivery)
        assert in_flight.count == 1
        broker.queue.unavailable = None
        await in_flight.delete(delivery)
    assert broker.queue.bodies == []


async def test_a_delete_that_fails_by_a_passing_fault_of_the_queue_can_be_tried_again(
    broker: RunningBroker, in_flight: InFlight
) -> None:
    delivery = await receive(broker)
    broker.queue.delete_faults = EntryFault("InternalError", is_transient=True)
    with pytest.raises(QueueUnavailableError, match="InternalError"):
        await in_flight.delete(delivery)
    assert in_flight.count == 1
    broker.queue.delete_faults = None
    await in_flight.delete(delivery)
    assert broker.queue.bodies == []


async def test_a_delete_by_a_stale_receipt_ends_the_delivery_and_leaves_the_message(
    broker: RunningBroker, in_flight: InFlight
) -> None:
    delivery = await receive(broker)
    broker.clock.now += 31
    await broker.queue.receive(1, wait_seconds=0, visibility_seconds=30)
    with pytest.raises(StaleReceiptError):
        await in_flight.delete(delivery)
    assert in_flight.count == 0
    assert len(broker.queue.bodies) == 1


async def test_a_message_whose_object_is_durable_holds_no_slot_and_no_body(
    broker: RunningBroker, in_flight: InFlight
) -> None:
    delivery = await receive(broker)
    await in_flight.free_slot(delivery)
    assert await free_slots(broker) == 8
    assert delivery.message.body == b""
    await in_flight.delete(delivery)
    assert await free_slots(broker) == 8


async def test_visibility_is_changed_when_half_of_the_timeout_is_over(
    broker: RunningBroker, in_flight: InFlight
) -> None:
    delivery = await receive(broker)
    [stored] = broker.queue._stored
    since = broker.clock.now
    broker.clock.now += 14
    await in_flight.renew_visibility()
    assert stored.visible_at == since + 30
    broker.clock.now += 2
    await in_flight.renew_visibility()
    assert stored.visible_at == since + 16 + 30
    assert stored.receive_count == 1
    assert delivery.hidden_until == stored.visible_at


async def test_what_has_ended_stays_ended_though_others_visibility_is_changed(
    broker: RunningBroker, in_flight: InFlight
) -> None:
    released, kept = await receive(broker, "released"), await receive(broker, "kept")
    async with in_flight.release_unless_ended(released):
        pass
    broker.clock.now += 20
    await in_flight.renew_visibility()
    assert [stored.visible_at > broker.clock.now for stored in broker.queue._stored] == [False, True]
    await in_flight.release(kept)


async def test_a_message_that_another_receiver_has_by_now_is_not_released(
    broker: RunningBroker, in_flight: InFlight
) -> None:
    delivery = await receive(broker)
    broker.clock.now += 31
    [other] = await broker.queue.receive(1, wait_seconds=0, visibility_seconds=30)
    with capture_logs() as lines:
        await in_flight.renew_visibility()
    assert [line["event"] for line in lines] == ["receipt_stale"]
    broker.queue.failing["change_visibility"] = LookupError("It is the other receiver's to release.")
    async with in_flight.release_unless_ended(delivery):
        pass
    assert broker.visible() == 0
    assert await broker.queue.delete([other]) == [None]
    assert await free_slots(broker) == 8


class SlowRenewal:
    """Holds the queue's change_visibility up, before or after its effect."""

    def __init__(self, broker: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began, self.goes_on = asyncio.Event(), asyncio.Event()
        self._change_visibility = broker.queue.change_visibility
        monkeypatch.setattr(broker.queue, "change_visibility", self._slowly)

    async def _slowly(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        if visibility_seconds == 30:
            self.began.set()
            await self.goes_on.wait()
        return await self._change_visibility(messages, visibility_seconds)


@pytest.mark.parametrize("after_seconds", [0, 2])
async def test_a_renewal_that_is_under_way_does_not_hide_again_what_is_released(
    broker: RunningBroker, in_flight: InFlight, monkeypatch: pytest.MonkeyPatch, after_seconds: int
) -> None:
    renewal = SlowRenewal(broker, monkeypatch)
    delivery = await receive(broker)
    broker.clock.now += 20
    renewing = asyncio.create_task(in_flight.renew_visibility())
    await renewal.began.wait()
    releasing = asyncio.create_task(in_flight.release(delivery, after_seconds=after_seconds))
    await asyncio.sleep(0)
    renewal.goes_on.set()
    await asyncio.gather(renewing, releasing)
    [stored] = broker.queue._stored
    assert stored.visible_at == broker.clock.now + after_seconds


async def test_what_is_being_released_is_not_renewed(
    broker: RunningBroker, in_flight: InFlight, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, goes_on = asyncio.Event(), asyncio.Event()
    calls: list[int] = []
    change_visibility = broker.queue.change_visibility

    async def slowly(messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        calls.append(visibility_seconds)
        began.set()
        await goes_on.wait()
        return await change_visibility(messages, visibility_seconds)

    monkeypatch.setattr(broker.queue, "change_visibility", slowly)
    delivery = await receive(broker)
    broker.clock.now += 20
    releasing = asyncio.create_task(in_flight.release(delivery))
    await began.wait()
    async with asyncio.timeout(5):
        await in_flight.renew_visibility()
    goes_on.set()
    await releasing
    assert calls == [0]


async def test_a_visibility_timeout_counts_from_when_the_message_was_asked_for(
    broker: RunningBroker, in_flight: InFlight
) -> None:
    await broker.queue.send([body()])
    await broker.service.fetcher.slots.reserve(1)
    [message] = await broker.queue.receive(1, wait_seconds=0, visibility_seconds=30)
    delivery = in_flight.add(message, asked_at=broker.clock.now - 20)  # a long poll brought it at its end
    assert delivery.hidden_until == broker.clock.now + 10
    await in_flight.renew_visibility()
    assert delivery.hidden_until == broker.clock.now + 30


async def test_what_is_deleted_while_its_visibility_is_renewed_is_no_stale_receipt(
    broker: RunningBroker, in_flight: InFlight, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewal = SlowRenewal(broker, monkeypatch)
    delivery = await receive(broker)
    broker.clock.now += 20
    with capture_logs() as lines:
        renewing = asyncio.create_task(in_flight.renew_visibility())
        await renewal.began.wait()
        await in_flight.delete(delivery)
        renewal.goes_on.set()
        await renewing
    assert lines == []


async def test_a_renewal_that_fails_by_a_passing_fault_of_the_queue_is_tried_again(
    broker: RunningBroker, in_flight: InFlight, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(messages: Sequence[Message], _: int) -> list[EntryFault | None]:
        return [EntryFault("InternalError", is_transient=True)] * len(messages)

    await receive(broker)
    [stored] = broker.queue._stored
    broker.clock.now += 20
    with monkeypatch.context() as patch:
        patch.setattr(broker.queue, "change_visibility", fails)
        await in_flight.renew_visibility()
    await in_flight.renew_visibility()
    assert stored.visible_at == broker.clock.now + 30


async def test_while_visibility_cannot_be_changed_that_is_logged_and_tried_again(
    broker: RunningBroker, in_flight: InFlight
) -> None:
    await receive(broker)
    broker.clock.now += 16
    broker.queue.unavailable = "away"
    with capture_logs() as lines:
        await in_flight.renew_visibility()
    assert [(line["event"], line["messages"], line["reason"]) for line in lines] == [
        ("renew_visibility_failed", 1, "away")
    ]
    broker.queue.unavailable = None
    await in_flight.renew_visibility()
    [stored] = broker.queue._stored
    assert stored.visible_at == broker.clock.now + 30


async def test_a_running_broker_changes_the_visibility_of_what_takes_long() -> None:
    broker = RunningBroker(visibility_seconds=3)
    broker.store.let.clear()
    await broker.queue.send([body()])
    async with broker.running():
        await broker.until(lambda: broker.store.calls)
        [stored] = broker.queue._stored
        for _ in range(3):
            broker.clock.now += 2
            await broker.until(lambda: stored.visible_at == broker.clock.now + 3)
        broker.store.let.set()
        await broker.drained()
    assert stored.receive_count == 1


async def test_its_bytes_are_told_to_a_thread_while_messages_come(broker: RunningBroker, in_flight: InFlight) -> None:
    """As when another thread asks, and the loop goes on in the middle of the answer."""

    class Arriving(bytes):
        def __len__(self) -> int:
            in_flight.add(first.message, asked_at=0)
            return super().__len__()

    first = await receive(broker)
    first.message = replace(first.message, body=Arriving(first.message.body))
    assert in_flight.payload_bytes == len(body())
