"""How much is asked of the queue, and when."""

from __future__ import annotations

import asyncio

import pytest

from checkpoint.message_queue.port import QueueUnavailableError
from emails import body
from unit.message_broker.running_broker import RunningBroker


async def prove(broker: RunningBroker) -> None:
    await broker.queue.send([body("first", timestream="1")])
    await broker.drained()


def many(count: int) -> list[bytes]:
    return [body(str(number), timestream=str(number)) for number in range(count)]


async def test_with_a_backlog_at_the_start_the_calls_in_flight_reach_what_the_slots_allow() -> None:
    broker = RunningBroker(slots=256)
    broker.queue.latency = 0.01
    await broker.queue.send(many(1000))
    async with broker.running():
        await broker.drained()
    assert broker.queue.most_receives in {25, 26}  # 25 of ten messages each; one of the rest, where it comes to that
    assert len(broker.store.objects) == 1000


async def test_a_queue_that_gives_fewer_than_are_asked_for_is_asked_by_many_calls_too() -> None:
    broker = RunningBroker(slots=256)
    broker.queue.latency = 0.01
    broker.queue.most_per_receive = 7
    await broker.queue.send(many(1000))
    async with broker.running():
        await broker.drained()
    assert broker.queue.most_receives > 20


async def test_a_full_queue_is_received_and_deleted_in_full_calls() -> None:
    broker = RunningBroker(slots=256)
    broker.queue.latency = 0.01
    await broker.queue.send(many(1000))
    async with broker.running():
        await broker.drained()
        receives = [asked for asked in broker.queue.receives if asked]
    assert len(broker.queue.deletes) <= 100 + 20
    # Besides: the first one, for a single message, and the empty ones at the end.
    assert len(receives) <= 100 + 20 + 27


async def test_no_more_is_received_than_there_are_slots(broker: RunningBroker) -> None:
    async with broker.running():
        await prove(broker)
        broker.store.let.clear()
        await broker.queue.send(many(20))
        await broker.until(lambda: broker.in_flight == 8)
        await broker.until(lambda: len(broker.store.calls) >= 8)
        assert broker.visible() == 12
        broker.store.let.set()
        await broker.drained()


async def test_an_idle_queue_has_one_long_poll_in_all_also_after_a_backlog(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("message_broker.fetching._SHORT_POLL_SECONDS", 0.2)
    async with broker.running():
        await prove(broker)
        await broker.queue.send(many(300))
        await broker.drained()
        assert broker.queue.most_receives > 1
        await broker.until(lambda: broker.service.fetcher._polls == 1)
        await broker.until(lambda: broker.queue.under_way == 1)
        receives = len(broker.queue.receives)
        await broker.queue.send([body("lone")])
        await broker.drained()
        assert len(broker.queue.receives) <= receives + 2  # one beside the delete, and the next long poll


async def test_messages_that_trickle_in_start_no_extra_polls(broker: RunningBroker) -> None:
    async with broker.running():
        await prove(broker)
        for number in range(10):
            await broker.queue.send([body(str(number))])
            await broker.until(lambda number=number: len(broker.store.objects) == number + 2)  # type: ignore[misc]
        assert broker.queue.most_receives == 1


async def test_until_one_message_has_gone_the_whole_way_one_is_received_at_a_time(broker: RunningBroker) -> None:
    broker.store.let.clear()
    await broker.queue.send(many(20))
    async with broker.running():
        await broker.until(lambda: broker.store.calls)
        assert broker.visible() == 19
        assert broker.queue.most_receives == 1
        broker.store.let.set()
        await broker.drained()


async def test_the_first_delete_does_not_wait_for_others_because_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("message_broker.in_flight._LINGER_SECONDS", 3600)
    broker = RunningBroker()
    await broker.queue.send(many(1))
    async with broker.running():
        await broker.drained()


async def test_the_first_receive_does_not_wait_for_a_message_so_that_the_service_is_soon_ready(
    broker: RunningBroker,
) -> None:
    async with broker.running():
        await broker.until(lambda: not broker.faults)
        await broker.until(lambda: len(broker.queue.waits) >= 2)
    assert broker.queue.waits[:2] == [0, 20]


@pytest.mark.parametrize(("slots", "entries", "asked"), [(256, 10, 10), (8, 10, 2), (1, 10, 1), (256, 256, 64)])
async def test_a_call_asks_for_a_quarter_of_the_slots_and_no_more_than_it_carries(
    slots: int, entries: int, asked: int
) -> None:
    broker = RunningBroker(slots=slots, entries=entries)
    async with broker.running():
        await prove(broker)
        await broker.queue.send(many(300))
        await broker.until(lambda: len(broker.store.objects) > 200)
    assert max(broker.queue.receives) == asked


async def test_a_queue_of_one_call_at_a_time_is_asked_by_one(broker: RunningBroker) -> None:
    broker = RunningBroker(calls_at_once=1)
    async with broker.running():
        await prove(broker)
        await broker.queue.send(many(100))
        await broker.drained()
    assert broker.queue.most_receives == 1


async def test_long_messages_are_received_within_the_bound_of_their_bytes() -> None:
    broker = RunningBroker(slots=256, max_in_flight_bytes=1_000_000)
    await broker.queue.send([body("closes the circuit")])
    async with broker.running():
        await broker.drained()
        broker.store.let.clear()
        await broker.queue.send([body("x" * 100_000, timestream=f"{number}") for number in range(60)])
        await broker.until(lambda: broker.service.in_flight.payload_bytes > 600_000)
        most = 0
        for _ in range(100):
            most = max(most, broker.service.in_flight.payload_bytes)
            await asyncio.sleep(0.001)
        assert 600_000 < most <= 1_000_000
        broker.store.let.set()
        await broker.drained()
    assert len(broker.store.objects) == 61
    assert broker.service.in_flight.payload_bytes == 0


async def test_a_failed_receive_gives_its_slots_back(broker: RunningBroker) -> None:
    async with broker.running():
        await prove(broker)
        broker.queue.failing["receive"] = QueueUnavailableError("away")
        await broker.queue.send(many(1))
        await broker.until(lambda: len(broker.backoffs.longest) >= 20)
        broker.queue.failing.clear()
        await broker.queue.send(many(20))
        await broker.until(lambda: not broker.queue.bodies)


async def test_an_error_that_nobody_foresaw_ends_the_service_and_leaves_no_message_hidden() -> None:
    broker = RunningBroker(grace_seconds=0.01)
    async with asyncio.TaskGroup() as beside:
        run = asyncio.create_task(broker.service.run(broker.stop))
        await prove(broker)
        broker.store.let.clear()
        await broker.queue.send([body()])
        await broker.until(lambda: broker.in_flight)
        broker.queue.failing["receive"] = LookupError("unforeseen")
        beside.create_task(broker.queue.send([b"another"]))
        with pytest.raises(LookupError):
            await run
    assert broker.in_flight == 0
    assert body() in broker.queue.bodies
    assert broker.visible() == len(broker.queue.bodies)


async def test_a_backlog_of_bad_messages_at_the_start_is_not_gone_through_one_by_one() -> None:
    broker = RunningBroker(slots=256)
    await broker.queue.send([b"bad"] * 100 + [body()])
    async with broker.running():
        await broker.drained()
    assert broker.queue.receives[:4] == [1, 2, 8, 10]
    assert len(broker.queue.dead_letters) == 100


async def test_without_long_polling_an_idle_queue_is_asked_ten_times_per_second() -> None:
    broker = RunningBroker(wait_seconds=0)
    async with broker.running():
        await asyncio.sleep(0.35)
        assert 2 <= len(broker.queue.receives) <= 5
        await broker.queue.send(many(100))
        await broker.drained()


async def test_a_queue_that_says_at_once_that_nothing_came_is_not_asked_without_end() -> None:
    broker = RunningBroker(wait_seconds=20)
    broker.queue.ends_waits_at_once = True
    async with broker.running():
        await asyncio.sleep(0.35)
        assert 2 <= len(broker.queue.receives) <= 5
        await broker.queue.send(many(100))
        await broker.drained()


async def test_a_receive_that_waited_is_followed_by_the_next_one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("message_broker.fetching._SHORT_POLL_PAUSE_SECONDS", 3600)
    broker = RunningBroker(wait_seconds=20)
    broker.queue.ends_waits_at_once = True
    broker.queue.on_wait = lambda seconds: setattr(broker.clock, "now", broker.clock.now + seconds / 2)
    async with broker.running():
        await broker.until(lambda: len(broker.queue.receives) > 5)
