"""From the queue to the archive, when all goes well and when a message is no e-mail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from checkpoint.message_queue.port import EntryFault, NoDeadLetterQueueError, QueueUnavailableError
from emails import body, email

if TYPE_CHECKING:
    import pytest

    from unit.message_broker.running_broker import RunningBroker


async def test_each_message_becomes_an_object_with_exactly_its_bytes_and_is_deleted(broker: RunningBroker) -> None:
    bodies = [body(str(number), timestream=str(number)) for number in range(30)]
    await broker.queue.send(bodies)
    async with broker.running():
        await broker.drained()
    assert broker.store.objects == {f"sqs_message_{number}.json": bodies[number] for number in range(30)}


async def test_nothing_is_deleted_before_its_object_is_there(broker: RunningBroker) -> None:
    broker.store.let.clear()
    await broker.queue.send([body()])
    async with broker.running():
        await broker.until(lambda: broker.store.calls)
        assert broker.queue.bodies == [body()]
        assert broker.queue.deletes == []
        broker.store.let.set()
        await broker.drained()
    assert list(broker.store.objects.values()) == [body()]


async def test_a_message_whose_object_is_already_there_is_only_deleted(broker: RunningBroker) -> None:
    broker.store.objects["sqs_message_1706213694.json"] = body()
    await broker.queue.send([body(), body()])
    async with broker.running():
        await broker.drained()
    assert broker.store.objects == {"sqs_message_1706213694.json": body()}
    assert broker.counted("already_there") == 2


async def test_a_message_that_is_no_email_is_dead_lettered_at_once_and_its_neighbours_go_through(
    broker: RunningBroker,
) -> None:
    bad = [b"s3cret nonsense", b'{"s3cret": 1}']
    await broker.queue.send([body("a", timestream="1"), *bad, body("b", timestream="2")])
    with capture_logs() as lines:
        async with broker.running():
            await broker.drained()
    assert len(broker.store.objects) == 2
    assert [letter.body for letter in broker.queue.dead_letters] == bad
    assert "is not JSON" in broker.queue.dead_letters[0].reason
    assert "/email_sender is missing" in broker.queue.dead_letters[1].reason
    assert "s3cret" not in str(lines)
    assert "s3cret" not in str([letter.reason for letter in broker.queue.dead_letters])


async def test_the_log_names_a_dead_letter_by_its_identity_and_its_reason(broker: RunningBroker) -> None:
    await broker.queue.send([b"nonsense"])
    with capture_logs() as lines:
        async with broker.running():
            await broker.drained()
    [line] = [line for line in lines if line["event"] == "message_dead_lettered"]
    assert line["message_id"] == "999aaa8645bb72ff599e143b1e3d2a94777127f4783a69f067251f7bbebc5ab6"
    assert line["receive_count"] == 1
    assert "is not JSON" in line["reason"]


async def test_without_a_dead_letter_queue_that_is_logged_and_the_neighbours_go_through(broker: RunningBroker) -> None:
    broker.queue.failing["dead_letter"] = NoDeadLetterQueueError("set a RedrivePolicy on it")
    await broker.queue.send([b"nonsense", body()])
    with capture_logs() as lines:
        async with broker.running():
            await broker.until(lambda: broker.queue.bodies == [b"nonsense"])
    assert [line["error"] for line in lines if line["log_level"] == "error"] == ["set a RedrivePolicy on it"]
    assert broker.visible() == 0  # the queue hides it for as long as it can; a release would undo that
    assert broker.counted("failed") == 1


async def test_a_message_that_could_not_be_dead_lettered_comes_again_and_is(broker: RunningBroker) -> None:
    broker.queue.failing["dead_letter"] = QueueUnavailableError("away")
    await broker.queue.send([b"nonsense"])
    async with broker.running():
        await broker.until(lambda: broker.counted("failed") == 1)
        broker.queue.failing.clear()
        broker.clock.now += 31
        await broker.drained()
    assert [letter.body for letter in broker.queue.dead_letters] == [b"nonsense"]


async def test_an_email_with_all_its_names_taken_is_dead_lettered_with_that_reason(broker: RunningBroker) -> None:
    broker.store.objects |= dict.fromkeys(email().names, b"foreign")
    await broker.queue.send([body()])
    async with broker.running():
        await broker.drained()
    assert "somebody else writes" in broker.queue.dead_letters[0].reason


async def test_an_unforeseen_error_releases_the_message_for_later_and_repeats_no_content(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: str, body: bytes, **__: object) -> bool:
        raise LookupError(body)

    await broker.queue.send([body("s3cret")])
    monkeypatch.setattr(broker.store, "create", broken)
    with capture_logs() as lines:
        async with broker.running():
            await broker.until(lambda: broker.counted("failed") == 1)
            assert broker.in_flight == 0
            assert broker.visible() == 0
            broker.clock.now += 1.9
            assert broker.visible() == 0
            monkeypatch.undo()
            broker.clock.now += 0.2
            await broker.drained()
    assert "s3cret" not in str(lines)
    assert list(broker.store.objects.values()) == [body("s3cret")]


async def test_a_message_that_always_fails_comes_again_ever_later(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> bool:
        raise LookupError

    monkeypatch.setattr(broker.store, "create", broken)
    await broker.queue.send([body()])
    waits = []
    async with broker.running():
        for receives in range(1, 5):
            await broker.until(lambda receives=receives: broker.counted("failed") == receives)  # type: ignore[misc]
            [stored] = broker.queue._stored
            waits.append(stored.visible_at - broker.clock.now)
            broker.clock.now = stored.visible_at
    assert waits == [2, 4, 8, 16]


async def test_a_delete_whose_receipt_is_stale_is_logged_and_the_message_has_ended(broker: RunningBroker) -> None:
    broker.queue.delete_faults = EntryFault("The receipt is stale.")
    await broker.queue.send([body()])
    with capture_logs() as lines:
        async with broker.running():
            await broker.until(lambda: broker.counted("created") == 1)
            assert broker.in_flight == 0
    assert [line["reason"] for line in lines if line["event"] == "message_not_deleted"] == ["The receipt is stale."]


async def test_deletes_are_collected_into_full_calls(broker: RunningBroker) -> None:
    await broker.queue.send([body(str(number)) for number in range(101)])
    async with broker.running():
        await broker.drained()
    assert broker.queue.deletes[0] == 1  # the first alone, while the circuit is half-open
    assert len(broker.queue.deletes) <= 13
    assert sum(broker.queue.deletes) == 101


async def test_a_lone_delete_does_not_wait_for_others_for_ever(broker: RunningBroker) -> None:
    async with broker.running():
        for number in range(3):
            await broker.queue.send([body(str(number))])
            await broker.drained()
    assert broker.queue.deletes == [1, 1, 1]


async def test_what_waits_for_its_delete_holds_no_slot_but_is_bounded_too(broker: RunningBroker) -> None:
    async with broker.running():
        await broker.queue.send([body("first")])
        await broker.drained()
        hanging = asyncio.Event()

        async def hang(messages: object) -> list[None]:
            await hanging.wait()
            return [None] * len(list(messages))  # type: ignore[call-overload]

        broker.service.in_flight._deletes._call = hang
        await broker.queue.send([body(str(number)) for number in range(40)])
        await broker.until(lambda: broker.in_flight == 20 + 8)  # two calls' worth of deletes, and the slots
        await broker.until(lambda: len(broker.store.objects) == 1 + 20 + 8)
        assert broker.visible() == 40 - 28
        hanging.set()
        await broker.until(lambda: len(broker.store.objects) == 41)
