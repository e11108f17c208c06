"""A name held by something that cannot be read is the fault of one object, and harms one message."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from checkpoint.message_queue.port import NoDeadLetterQueueError
from emails import body
from unit.message_broker.running_broker import RunningBroker

NAME = "sqs_message_666.json"
REASON = "is in an archived storage class"


@pytest.fixture
def broker() -> RunningBroker:
    """One whose store holds something unreadable under NAME."""
    broker = RunningBroker()
    broker.store.objects[NAME] = b"cannot be read"
    broker.store.unreadable[NAME] = REASON
    return broker


def unlucky() -> bytes:
    return body("unlucky", timestream="666")


async def wait_for_receive(broker: RunningBroker, number: int) -> None:
    """Until the unlucky message was received so often, and released."""
    await broker.until(lambda: broker.counted("released") == number)


async def test_its_neighbours_go_through_at_full_speed(broker: RunningBroker) -> None:
    neighbours = [body(str(number), timestream=str(number)) for number in range(60)]
    await broker.queue.send([unlucky(), *neighbours])
    async with broker.running():
        await broker.until(lambda: broker.queue.bodies == [unlucky()])
        assert len(broker.store.objects) == 61
        assert broker.backoffs.longest == []
        assert broker.queue.most_receives > 1


async def test_many_at_the_start_do_not_hold_their_neighbours_up(broker: RunningBroker) -> None:
    unlucky_ones = [body(f"unlucky {number}", timestream="666") for number in range(60)]
    await broker.queue.send([*unlucky_ones, body("good")])
    async with broker.running():
        await broker.until(lambda: len(broker.store.objects) == 2)
        assert len(broker.queue.receives) < 40


async def test_where_it_cannot_be_dead_lettered_the_warning_stays(broker: RunningBroker) -> None:
    broker.queue.failing["dead_letter"] = NoDeadLetterQueueError("set a RedrivePolicy on it")
    await broker.queue.send([unlucky()])
    async with broker.running():
        for number in range(1, 5):
            await wait_for_receive(broker, number)
            broker.clock.now += 16
        await broker.until(lambda: broker.counted("failed") == 1)
        assert broker.service.health.warnings == {NAME: REASON}


async def test_it_leaves_the_service_ready_and_is_named_in_the_warnings_and_the_log(broker: RunningBroker) -> None:
    await broker.queue.send([unlucky()])
    with capture_logs() as lines:
        async with broker.running():
            await wait_for_receive(broker, 1)
            assert broker.faults == {}
            assert broker.service.health.warnings == {NAME: REASON}
    [line] = [line for line in lines if line["event"] == "object_unreadable"]
    assert (line["object"], line["reason"], line["log_level"]) == (NAME, REASON, "warning")


async def test_its_message_makes_no_second_object_and_waits_ever_longer(broker: RunningBroker) -> None:
    await broker.queue.send([unlucky()])
    waits = []
    async with broker.running():
        for number in range(1, 5):
            await wait_for_receive(broker, number)
            [stored] = broker.queue._stored
            waits.append(stored.visible_at - broker.clock.now)
            broker.clock.now = stored.visible_at
    assert waits == [2, 4, 8, 16]
    assert list(broker.store.objects) == [NAME]


async def test_its_message_is_dead_lettered_with_the_reason_before_the_queue_would_do_that(
    broker: RunningBroker,
) -> None:
    await broker.queue.send([unlucky()])
    async with broker.running():
        for number in range(1, 5):
            await wait_for_receive(broker, number)
            broker.clock.now += 16
        await broker.drained()
        [letter] = broker.queue.dead_letters
        assert letter.body == unlucky()
        assert letter.reason == f"{NAME} {REASON}"
        assert broker.service.health.warnings == {}


async def test_once_it_can_be_read_the_message_is_archived_and_the_warning_goes(broker: RunningBroker) -> None:
    await broker.queue.send([unlucky()])
    async with broker.running():
        await wait_for_receive(broker, 1)
        del broker.store.unreadable[NAME]
        broker.clock.now += 2
        await broker.drained()
        assert broker.service.health.warnings == {}
    assert len(broker.store.objects) == 2


async def test_a_warning_about_a_message_that_another_broker_has_by_now_is_dropped(broker: RunningBroker) -> None:
    await broker.queue.send([unlucky()])
    async with broker.running():
        await wait_for_receive(broker, 1)
        assert broker.service.health.warnings
        broker.queue._stored.clear()
        broker.clock.now += 601
        assert broker.service.health.warnings == {}
