"""Each fault does what its name says to the real adapters."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from chaos.aws.calls import DELETE, PUT, RECEIVE, SEND
from chaos.aws.outages import Kill, LongOutage
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.message_queue.port import QueueUnavailableError
from conservation.history import identity
from emails import email

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chaos.aws.proxy import Proxy
    from chaos.aws.world import AWS

PLAIN = next(email().names)
BODIES = [b"number %d" % number for number in range(10)]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timeouts and retries of the adapters take no time."""
    monkeypatch.setattr("checkpoint.message_queue.sqs.adapter._ATTEMPTS", 1)
    monkeypatch.setattr("checkpoint.message_queue.sqs.adapter._SEND_SECONDS", 1)
    monkeypatch.setattr("checkpoint.message_queue.sqs.adapter._RECEIVE_SECONDS", 5)
    monkeypatch.setattr("checkpoint.archive.timeouts._TIMEOUT", "1s")
    monkeypatch.setattr("checkpoint.archive.s3.RETRIES", {"max_retries": 0})
    monkeypatch.setattr("chaos.aws.call_faults._LATE_SECONDS", (0.2, 0.3))
    monkeypatch.setattr("chaos.aws.message_faults._LONGEST_PAUSE_SECONDS", 0.1)


def happening(fault: Any, seed: int = 1) -> Any:
    """Let it happen to every call."""
    fault.shares = (1.0,)
    return fault.going_on(Random(seed))


async def cause(call: Awaitable[object]) -> str:
    with pytest.raises((QueueUnavailableError, ArchiveUnavailableError)) as caught:
        await call
    return str(caught.value)


@pytest.mark.parametrize(
    "row",
    [
        ("hang", "ReadTimeoutError", "timed out", False),
        ("hang_after_the_effect", "ReadTimeoutError", "timed out", True),
        ("internal_error", "InternalFailure", "500 InternalError", False),
        ("internal_error_after_the_effect", "InternalFailure", "500 InternalError", True),
        ("slow_down", "ServiceUnavailable", "503 SlowDown", False),
        ("expired_credentials", "ExpiredToken", "400 ExpiredToken", False),
        ("reset", "EndpointConnectionError", "no connection", False),
        ("reset_after_the_effect", "EndpointConnectionError", "no connection", True),
        ("html", "content type", "", False),
    ],
    ids=lambda row: row[0],
)
async def test_a_call_fails_before_or_after_its_effect(
    world: AWS, process: Any, fault: Any, row: tuple[str, str, str, bool]
) -> None:
    name, of_sqs, of_s3, takes_effect = row
    happens = fault(name)
    async with process("processing_requests") as adapters:
        with happening(happens):
            sent, put = await asyncio.gather(
                cause(adapters.sending.send([b"body"])), cause(adapters.archive.put(email()))
            )
        assert of_sqs in sent
        assert of_s3 in put
        assert happens.count >= 2
        assert (world.waiting(), len(world.objects())) == (takes_effect, takes_effect)
        assert world.confirmations() == []
        assert await adapters.sending.send([b"body"]) == [None]
        assert (await adapters.archive.put(email())).created is not takes_effect


async def test_throttling_has_the_codes_of_sqs(process: Any, fault: Any) -> None:
    async with process() as adapters:
        with happening(fault("throttling")):
            causes = {await cause(adapters.sending.send([b"body"])) for _ in range(20)}
    assert causes == {"SQS SendMessageBatch: ThrottlingException", "SQS SendMessageBatch: RequestThrottled"}


async def test_half_a_body_is_not_believed(world: AWS, process: Any, fault: Any) -> None:
    async with process("processing_requests") as adapters:
        with happening(fault("half_a_body")):
            causes = [await cause(adapters.sending.send([b"body"])) for _ in range(8)]
    assert {each.rpartition(": ")[2] for each in causes} == {
        "200 with a body that is no JSON object",
        "ConnectionClosedError",
    }
    assert world.waiting() == 8
    assert world.confirmations() == []


async def test_an_answer_after_the_deadline_is_one_all_the_same(world: AWS, process: Any, fault: Any) -> None:
    async with process("processing_requests") as adapters:
        with happening(fault("answer_after_the_deadline")):
            began = time.monotonic()
            assert await adapters.sending.send([b"body"]) == [None]
    [confirmed] = world.confirmations()
    assert confirmed.asked_at + 0.2 <= confirmed.at
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("service", ["sqs", "s3"])
async def test_a_service_refuses_connections_old_and_new_and_the_other_does_not(
    process: Any, fault: Any, service: str
) -> None:
    async with process() as adapters:
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "sqs": lambda: adapters.sending.send([b"body"]),
            "s3": lambda: adapters.archive.put(email()),
        }
        for call in calls.values():
            await call()
        refused = calls.pop(service)
        [other] = calls.values()
        with happening(fault(f"{service}_refused")):
            assert "onnect" in await cause(refused())
            async with process(number=2) as later:
                again = later.sending.probe() if service == "sqs" else later.archive.put(email())
                assert "onnect" in await cause(again)
            await other()
        await refused()


async def test_a_long_outage_does_not_end_before_its_time_nor_come_again_soon(process: Any, proxy: Proxy) -> None:
    async with process() as adapters:
        for seed in range(4):
            outage = LongOutage(proxy, seconds=0.5)
            began = time.monotonic()
            with outage.going_on(Random(seed)):
                await cause(adapters.archive.put(email()))
            assert time.monotonic() - began >= 0.5
            with outage.going_on(Random(seed)):
                await adapters.archive.put(email())
            assert outage.count == 1


async def test_some_entries_fail_and_only_the_others_take_effect(world: AWS, process: Any, fault: Any) -> None:
    async with process("processing_requests") as adapters:
        with happening(fault("partial_failure")):
            faults = [await adapters.sending.send(BODIES) for _ in range(5)]
    failed = [each for batch in faults for each in batch if each]
    assert {each.is_transient for each in failed} == {True, False}
    assert world.waiting() == 50 - len(failed)
    assert len(world.confirmations()) == 50 - len(failed)
    assert {each.identity for each in world.confirmations()} <= {identity(body) for body in BODIES}


async def test_some_entries_fail_after_their_effect(world: AWS, process: Any, fault: Any) -> None:
    async with process("processing_requests") as adapters:
        with happening(fault("partial_failure_after_the_effect")):
            faults = await adapters.sending.send(BODIES)
    assert any(faults)
    assert world.waiting() == 10
    assert len(world.confirmations()) == faults.count(None)


async def test_some_receipts_are_expired(world: AWS, process: Any, fault: Any) -> None:
    async with process() as adapters:
        await adapters.sending.send(BODIES)
        messages = await adapters.receiving.receive(10, wait_seconds=0, visibility_seconds=30)
        with happening(fault("expired_receipts")):
            changed = await adapters.receiving.change_visibility(messages, 30)
            deleted = await adapters.receiving.delete(messages)
    codes = {each.reason for each in [*changed, *deleted] if each}
    assert codes <= {"ReceiptHandleIsInvalid", "AWS.SimpleQueueService.MessageNotInflight"}
    assert world.waiting() == len(deleted) - deleted.count(None) > 0


async def test_messages_come_twice_the_second_time_with_a_receipt_that_is_stale(
    world: AWS, process: Any, fault: Any
) -> None:
    world.put(b"body")
    happens = fault("messages_twice")
    async with process() as one, process(number=2) as two:
        with happening(happens):
            [message] = await one.receiving.receive(1, wait_seconds=0, visibility_seconds=30)
            [copy] = await two.receiving.receive(1, wait_seconds=0, visibility_seconds=30)
        assert copy.body == message.body
        assert [each is None for each in await two.receiving.delete([copy])] == [False]
        assert await one.receiving.delete([message]) == [None]
    assert happens.count == 1


async def test_messages_come_after_their_visibility_timeout(world: AWS, process: Any, fault: Any) -> None:
    world.put(b"body")
    async with process() as one, process(number=2) as two:
        with happening(fault("messages_late")):
            late = asyncio.create_task(one.receiving.receive(1, wait_seconds=0, visibility_seconds=1))
            async with asyncio.timeout(10):
                while not world.hidden():  # noqa: ASYNC110  the emulator tells nobody
                    await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            while not (messages := await two.receiving.receive(1, wait_seconds=1, visibility_seconds=30)):
                pass
        [stale] = await late
        assert [stale.body] == [message.body for message in messages]
        assert [each is None for each in await one.receiving.delete([stale])] == [False]


async def test_messages_come_out_of_order(process: Any, fault: Any) -> None:
    async with process() as adapters:
        await adapters.sending.send(BODIES)
        with happening(fault("messages_out_of_order")):
            messages = await adapters.receiving.receive(10, wait_seconds=0, visibility_seconds=30)
    bodies = [message.body for message in messages]
    assert bodies != BODIES
    assert sorted(bodies) == BODIES


async def test_no_message_is_lost_more_often_than_twice_by_receives_that_faults_made_vain(
    world: AWS, process: Any, fault: Any
) -> None:
    world.put(b"body")
    async with process() as adapters:
        with happening(fault("reset_after_the_effect")):
            for _ in range(2):
                await cause(adapters.receiving.receive(1, wait_seconds=0, visibility_seconds=0))
            [message] = await adapters.receiving.receive(1, wait_seconds=0, visibility_seconds=0)
    assert message.receive_count == 3


@pytest.mark.parametrize(
    ("name", "is_created"),
    [("conflict_though_free", False), ("taken_though_free", False), ("taken_by_its_own_put", True)],
)
async def test_a_name_is_said_to_be_taken(
    world: AWS,
    process: Any,
    fault: Any,
    name: str,
    is_created: bool,  # noqa: FBT001  a row
) -> None:
    async with process() as adapters:
        with happening(fault(name)):
            if is_created:
                assert not (await adapters.archive.put(email())).created
            else:
                assert await cause(adapters.archive.put(email())) == "an object's name was taken, then free"
        assert len(world.objects()) == is_created
        await adapters.archive.put(email())
    assert world.objects() == {PLAIN: email().identity}


async def test_one_look_in_two_shows_another_digest(world: AWS, process: Any, fault: Any) -> None:
    happens = fault("wrong_read")
    async with process() as adapters:
        await adapters.archive.put(email())
        with happening(happens):
            assert await cause(adapters.archive.put(email())) == "two looks at an object contradict each other"
            holder = adapters.archive._store.holder
            looks = [await holder(PLAIN, email().body, sha256=email().identity) for _ in range(4)]
    assert [look == email().identity for look in looks] == [False, True, False, True]
    assert happens.count == 3
    assert world.objects() == {PLAIN: email().identity}


@pytest.mark.parametrize("operation", [SEND, RECEIVE, DELETE, PUT])
async def test_a_process_is_killed_before_and_after_a_call(
    world: AWS, process: Any, proxy: Proxy, operation: str
) -> None:
    killed: list[tuple[str, int]] = []

    def kill(program: str, number: int) -> bool:
        killed.append((program, number))
        return True

    happens = Kill(proxy, kill, around=[operation])
    async with process("message_broker", 7) as adapters:
        await adapters.sending.send([b"body"])
        [message] = await adapters.receiving.receive(1, wait_seconds=0, visibility_seconds=0)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            SEND: lambda: adapters.sending.send([b"another"]),
            RECEIVE: lambda: adapters.receiving.receive(1, wait_seconds=0, visibility_seconds=0),
            DELETE: lambda: adapters.receiving.delete([message]),
            PUT: lambda: adapters.archive.put(email()),
        }
        effects = []
        for _ in range(2):
            with happens.going_on(Random(3)):
                for _ in range(10):
                    before = (world.waiting(), world.objects())
                    [result] = await asyncio.gather(calls[operation](), return_exceptions=True)
                    if isinstance(result, QueueUnavailableError | ArchiveUnavailableError):
                        effects.append(before != (world.waiting(), world.objects()))
                        break
            await asyncio.gather(calls[operation](), return_exceptions=True)
    assert killed == [("message_broker", 7)] * 2
    assert happens.count == 2
    assert happens.killed == {f"before {operation}": 1, f"after {operation}": 1}
    if operation == SEND:  # the others have none the second time
        assert sorted(effects) == [False, True]
