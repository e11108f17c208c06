"""From the queue to the archive, when all goes well and when a message is no e-mail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from checkpoint.message_queue.port import NoDeadLetterQueueError
from emails import body, email

if TYPE_CHECKING:
    import pytest

    from broker_bench import Bench
    from checkpoint.message_queue.port import Message


async def test_each_message_becomes_an_object_with_exactly_its_bytes_and_is_deleted(bench: Bench) -> None:
    bodies = [body(str(number), timestream=str(number)) for number in range(30)]
    await bench.queue.send(bodies)
    async with bench.running():
        await bench.until(lambda: not bench.queue.bodies)
    assert bench.store.objects == {f"sqs_message_{number}.json": bodies[number] for number in range(30)}


async def test_nothing_is_deleted_before_its_object_is_there(bench: Bench) -> None:
    bench.store.let.clear()
    await bench.queue.send([body()])
    async with bench.running():
        await bench.until(lambda: bool(bench.store.calls))
        assert bench.queue.bodies == [body()]
        bench.store.let.set()
        await bench.until(lambda: not bench.queue.bodies)
    assert list(bench.store.objects.values()) == [body()]


async def test_a_message_that_was_archived_before_is_only_deleted(bench: Bench) -> None:
    bench.store.objects["sqs_message_1706213694.json"] = body()
    await bench.queue.send([body(), body()])
    async with bench.running():
        await bench.until(lambda: not bench.queue.bodies)
    assert bench.store.objects == {"sqs_message_1706213694.json": body()}


async def test_a_message_that_is_no_email_is_set_aside_at_once_and_its_neighbours_go_through(bench: Bench) -> None:
    await bench.queue.send([body("a", timestream="1"), b"s3cret nonsense", b'{"s3cret": 1}', body("b", timestream="2")])
    with capture_logs() as lines:
        async with bench.running():
            await bench.until(lambda: not bench.queue.bodies)
    assert len(bench.store.objects) == 2
    assert [letter.body for letter in bench.queue.dead_letters] == [b"s3cret nonsense", b'{"s3cret": 1}']
    assert "is not JSON" in bench.queue.dead_letters[0].reason
    assert "/email_sender is missing" in bench.queue.dead_letters[1].reason
    assert [line["event"] for line in lines].count("set aside in the dead-letter queue") == 2
    assert "s3cret" not in str(lines)
    assert "s3cret" not in str([letter.reason for letter in bench.queue.dead_letters])


async def test_where_there_is_no_dead_letter_queue_that_is_said_and_the_neighbours_go_through(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nowhere(*_: object) -> None:
        raise NoDeadLetterQueueError("set a RedrivePolicy on it")

    monkeypatch.setattr(bench.queue, "dead_letter", nowhere)
    await bench.queue.send([b"nonsense", body()])
    with capture_logs() as lines:
        async with bench.running():
            await bench.until(lambda: bench.queue.bodies == [b"nonsense"])
    assert [line["queue"] for line in lines if line["log_level"] == "error"] == ["set a RedrivePolicy on it"]


async def test_an_email_with_all_its_names_taken_is_set_aside_with_that_reason(bench: Bench) -> None:
    bench.store.objects |= dict.fromkeys(email().names, b"foreign")
    await bench.queue.send([body()])
    async with bench.running():
        await bench.until(lambda: not bench.queue.bodies)
    assert "somebody else writes" in bench.queue.dead_letters[0].reason


async def test_no_more_is_received_than_there_are_free_slots(bench: Bench) -> None:
    await bench.queue.send([body("first")])
    async with bench.running(receivers=3):
        await bench.until(lambda: not bench.queue.bodies)  # the way is proven
        bench.store.let.clear()
        await bench.queue.send([body(str(number)) for number in range(20)])
        await bench.until(lambda: bench.slots.taken == 8)
        await bench.until(lambda: len(bench.store.calls) >= 8)
        assert bench.visible() == 12
        bench.store.let.set()
        await bench.until(lambda: not bench.queue.bodies)


async def test_an_idle_queue_is_polled_once_and_a_crowded_one_by_every_receiver(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls: list[int] = []
    under_way = 0
    receive = bench.queue.receive

    async def counted(at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        nonlocal under_way
        under_way += 1
        polls.append(under_way)
        try:
            await asyncio.sleep(0.001)
            return await receive(at_most, wait_seconds=wait_seconds, visibility_seconds=visibility_seconds)
        finally:
            under_way -= 1

    monkeypatch.setattr(bench.queue, "receive", counted)
    async with bench.running(receivers=3):
        await bench.queue.send([body("first")])
        await bench.until(lambda: not bench.queue.bodies)
        await bench.until(lambda: under_way == 1)
        assert max(polls) == 1
        await bench.queue.send([body(str(number)) for number in range(300)])
        await bench.until(lambda: not bench.queue.bodies)
        assert max(polls) > 1
        polls.clear()
        await bench.until(lambda: under_way == 1)


async def test_until_one_message_has_gone_the_whole_way_one_is_taken_at_a_time(bench: Bench) -> None:
    bench.store.let.clear()
    await bench.queue.send([body(str(number)) for number in range(20)])
    async with bench.running(receivers=3):
        await bench.until(lambda: bool(bench.store.calls))
        assert bench.visible() == 19
        bench.store.let.set()
        await bench.until(lambda: not bench.queue.bodies)


async def test_an_unforeseen_error_leaves_the_message_to_come_again_and_tells_no_content(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: str, body: bytes) -> bool:
        raise LookupError(body)

    await bench.queue.send([body("s3cret")])
    monkeypatch.setattr(bench.store, "create", broken)
    with capture_logs() as lines:
        async with bench.running():
            await bench.until(lambda: any(line["event"] == "unexpected_error" for line in lines))
            assert bench.leases._ends == {}  # else it would be extended for ever
            monkeypatch.undo()
            bench.clock += 31
            await bench.until(lambda: not bench.queue.bodies)
    assert "s3cret" not in str(lines)
    assert list(bench.store.objects.values()) == [body("s3cret")]


async def test_what_was_moved_is_counted_by_outcome(bench: Bench) -> None:
    await bench.queue.send([body("a"), body("a"), b"x"])
    async with bench.running():
        await bench.until(lambda: not bench.queue.bodies)
        await asyncio.sleep(0)
    counted = {
        outcome: bench.metrics.registry.get_sample_value("checkpoint_moves_total", {"outcome": outcome})
        for outcome in ("archived", "archived before", "set aside")
    }
    assert counted == {"archived": 1, "archived before": 1, "set aside": 1}
