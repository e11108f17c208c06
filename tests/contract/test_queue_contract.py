"""What every queue must do, over every adapter; results are looked at past the adapter where that shows more."""

from __future__ import annotations

import asyncio
import random
import time
import traceback
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.port import Message, QueueUnavailableError, ReceivingQueue, SendingQueue
from contract.queues import MAX_RECEIVES, QueueUnderTest

if TYPE_CHECKING:
    from collections.abc import Awaitable

DEADLINE_SECONDS = 15
LONG_SECONDS = 60  # longer than any test lasts

BODIES = {
    "an e-mail": b'{"email_subject": "Happy new year!", "email_timestream": "1693561101"}',
    "control characters": b'{"a": "\\u0000\\u0008\\u001f\\t\\n\\r\\"\\\\"}',
    "emoji": '{"a": "\U0001f600 \U0001f468‍\U0001f469‍\U0001f467"}'.encode(),
    "escaped noncharacters": b'{"a": "\\ufffe\\uffff"}',
    "replacement character": '{"a": "�"}'.encode(),
    "markup": b'{"a": "<b>&amp;</b> ]]> %41 +"}',
    "spaces at the ends": b' {"a": "b"} ',
    "as large as it may be": b'{"a": "' + "é".encode() * ((262_144 - 10) // 2) + b' "}',
}


async def take(
    receiving: ReceivingQueue, count: int, *, visibility_seconds: int = LONG_SECONDS, at_most: int = 10
) -> list[Message]:
    """Receive until there are so many; a queue may give fewer at a time."""
    messages: list[Message] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(messages) < count and time.monotonic() < deadline:
        messages += await receiving.receive(at_most, wait_seconds=1, visibility_seconds=visibility_seconds)
    assert len(messages) == count
    return messages


async def test_what_is_sent_is_on_the_queue_when_it_is_confirmed(queue: QueueUnderTest, sending: SendingQueue) -> None:
    bodies = [f'{{"number": {number}}}'.encode() for number in range(10)]

    assert await sending.send(bodies) == [None] * 10

    assert sorted(queue.bodies()) == bodies


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_is_received_byte_for_byte(sending: SendingQueue, receiving: ReceivingQueue, body: bytes) -> None:
    assert await sending.send([body]) == [None]

    [message] = await take(receiving, 1)

    assert message.body == body
    assert message.receive_count == 1


async def test_a_call_may_carry_as_many_bodies_as_the_limits_say(queue: QueueUnderTest, sending: SendingQueue) -> None:
    bodies = [f'{{"number": {number}}}'.encode() for number in range(sending.limits.entries)]

    assert await sending.send(bodies) == [None] * len(bodies)

    assert sorted(queue.bodies()) == sorted(bodies)


async def test_a_call_may_carry_as_many_bytes_as_the_limits_say(queue: QueueUnderTest, sending: SendingQueue) -> None:
    size, rest = divmod(sending.limits.payload_bytes, sending.limits.entries)
    bodies = [b"x" * size] * (sending.limits.entries - 1) + [b"x" * (size + rest)]

    assert await sending.send(bodies) == [None] * len(bodies)

    assert sorted(queue.bodies()) == bodies


async def test_a_message_may_be_as_large_as_the_limits_say(sending: SendingQueue, receiving: ReceivingQueue) -> None:
    await sending.probe()
    body = b"x" * (sending.limits.message_bytes or 0)
    assert await sending.send([body]) == [None]

    assert [message.body for message in await take(receiving, 1)] == [body]
    assert receiving.limits.message_bytes == len(body)


async def test_a_probe_of_a_queue_that_works_puts_nothing_on_it(queue: QueueUnderTest, sending: SendingQueue) -> None:
    await sending.probe()
    await sending.probe()

    assert queue.bodies() == []


async def test_a_received_message_is_hidden_from_every_receiver(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"hidden"])
    await take(receiving, 1)

    async with queue.open() as other:
        for receiver in (receiving, other.receiving):
            assert await receiver.receive(10, wait_seconds=0, visibility_seconds=1) == []


async def test_a_message_is_visible_again_after_its_timeout_and_counts_its_receives(
    sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"again"])
    started = time.monotonic()
    await take(receiving, 1, visibility_seconds=1)

    [again] = await take(receiving, 1)

    assert time.monotonic() - started >= 1
    assert (again.body, again.receive_count) == (b"again", 2)


async def test_a_deleted_message_is_gone_for_good(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"deleted", b"left"])
    messages = await take(receiving, 2, visibility_seconds=1)

    assert await receiving.delete([message for message in messages if message.body == b"deleted"]) == [None]

    # The two would come back in the same moment, so that the one shows when to look for the other.
    assert [message.body for message in await take(receiving, 1)] == [b"left"]
    assert queue.bodies() in ([b"left"], [])
    assert queue.dead_letters() == []


async def test_a_longer_visibility_keeps_a_message_hidden_for_longer(
    sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"changed", b"left"])
    messages = await take(receiving, 2, visibility_seconds=1)

    changed = [message for message in messages if message.body == b"changed"]
    assert await receiving.change_visibility(changed, LONG_SECONDS) == [None]

    assert [message.body for message in await take(receiving, 1)] == [b"left"]
    assert await receiving.receive(10, wait_seconds=0, visibility_seconds=1) == []


async def test_a_visibility_of_0_releases_a_message_at_once(sending: SendingQueue, receiving: ReceivingQueue) -> None:
    await sending.send([b"released"])
    messages = await take(receiving, 1)

    assert await receiving.change_visibility(messages, 0) == [None]

    [again] = await receiving.receive(10, wait_seconds=1, visibility_seconds=LONG_SECONDS)
    assert again.receive_count == 2


async def test_a_shorter_visibility_releases_messages_after_it_and_not_before(
    sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"released later", b"released too"])
    messages = await take(receiving, 2)
    changed = time.monotonic()

    assert await receiving.change_visibility(messages, 1) == [None, None]

    assert await receiving.receive(10, wait_seconds=0, visibility_seconds=LONG_SECONDS) == []
    again = await take(receiving, 2)
    assert time.monotonic() - changed >= 1
    assert sorted(message.body for message in again) == [b"released later", b"released too"]
    assert [message.receive_count for message in again] == [2, 2]


async def test_more_messages_than_one_call_carries_are_released_changed_and_deleted_all_the_same(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    for _ in range(3):
        await sending.send([b"one of many"] * 9)
    released = await take(receiving, 27)

    assert await receiving.change_visibility(released, 0) == [None] * 27
    messages = await take(receiving, 27)
    assert [message.receive_count for message in messages] == [2] * 27
    assert await receiving.change_visibility(messages, LONG_SECONDS) == [None] * 27
    assert await receiving.delete(messages) == [None] * 27

    assert queue.bodies() == []


async def test_a_message_deleted_twice_fails_at_most_alone(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"twice", b"once"])
    messages = await take(receiving, 2)
    [twice] = [message for message in messages if message.body == b"twice"]
    [once] = [message for message in messages if message.body == b"once"]
    assert await receiving.delete([twice]) == [None]

    # The other result may be None or a fault: SQS may report a second delete as a success.
    [_, fault] = await receiving.delete([twice, once])

    assert fault is None
    assert queue.bodies() == []


async def test_a_late_delete_leaves_a_message_to_the_receiver_that_holds_it_now(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"received by two"])
    late = await take(receiving, 1, visibility_seconds=1)
    async with queue.open() as other:
        held = await take(other.receiving, 1)

        await receiving.delete(late)

        assert await other.receiving.change_visibility(held, LONG_SECONDS) == [None]
        assert await other.receiving.delete(held) == [None]
    assert queue.bodies() == []


async def test_a_stale_receipt_fails_alone(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"twice"])
    [stale] = await take(receiving, 1)
    await receiving.change_visibility([stale], 0)
    [current] = await take(receiving, 1)
    await sending.send([b"neighbour"])
    [neighbour] = await take(receiving, 1)

    for faults in (
        await receiving.change_visibility([stale, neighbour], LONG_SECONDS),
        await receiving.delete([stale, neighbour]),
    ):
        assert faults[0] is not None
        assert faults[0].reason
        assert stale.receipt not in faults[0].reason
        assert faults[1] is None

    assert await receiving.change_visibility([current], 0) == [None]
    assert queue.bodies() == [b"twice"]


async def test_a_deleted_messages_receipt_stands_for_nothing_that_comes_later(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"first"])
    first = await take(receiving, 1)
    await receiving.delete(first)
    await sending.send([b"second"])
    second = await take(receiving, 1)

    [fault] = await receiving.delete(first)

    assert fault is not None
    await receiving.change_visibility(second, 0)
    assert queue.bodies() == [b"second"]


async def test_a_dead_lettered_message_is_with_the_dead_letters_and_no_longer_here(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"not an e-mail", b"an e-mail"])
    messages = await take(receiving, 2)

    await receiving.dead_letter(
        next(message for message in messages if message.body == b"not an e-mail"), "is not JSON."
    )

    assert queue.dead_letters() == [(b"not an e-mail", "is not JSON.")]
    await receiving.change_visibility(messages, 0)
    assert queue.bodies() == [b"an e-mail"]


async def test_dead_lettering_by_a_stale_receipt_loses_nothing(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"twice"])
    [stale] = await take(receiving, 1)
    await receiving.change_visibility([stale], 0)
    [current] = await take(receiving, 1)

    await receiving.dead_letter(stale, "is not JSON.")
    await receiving.dead_letter(current, "is not JSON.")

    assert set(queue.dead_letters()) == {(b"twice", "is not JSON.")}
    assert queue.bodies() == []


async def test_a_message_received_too_often_is_dead_lettered(
    queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    await sending.send([b"kills its receiver"])
    for receive_count in range(1, MAX_RECEIVES + 1):
        [message] = await take(receiving, 1)
        assert message.receive_count == receive_count
        await receiving.change_visibility([message], 0)

    assert await receiving.receive(10, wait_seconds=0, visibility_seconds=1) == []

    assert [body for body, _ in queue.dead_letters()] == [b"kills its receiver"]
    assert queue.bodies() == []


async def test_a_waiting_receive_returns_when_a_message_comes(sending: SendingQueue, receiving: ReceivingQueue) -> None:
    started = time.monotonic()
    receive = asyncio.create_task(receiving.receive(10, wait_seconds=20, visibility_seconds=1))
    await asyncio.sleep(0.1)
    assert not receive.done()

    await sending.send([b"late"])

    assert [message.body for message in await receive] == [b"late"]
    assert time.monotonic() - started < 10


async def test_a_receive_returns_empty_after_its_wait(receiving: ReceivingQueue) -> None:
    started = time.monotonic()

    assert await receiving.receive(10, wait_seconds=1, visibility_seconds=1) == []

    assert 0.9 < time.monotonic() - started < 10


async def test_a_receive_gives_no_more_than_was_asked_for(sending: SendingQueue, receiving: ReceivingQueue) -> None:
    await sending.send([b"one of ten"] * 10)

    for at_most in (1, 3):
        messages = await receiving.receive(at_most, wait_seconds=1, visibility_seconds=LONG_SECONDS)
        assert 1 <= len(messages) <= at_most


async def test_a_cancelled_wait_loses_nothing(sending: SendingQueue, receiving: ReceivingQueue) -> None:
    receive = asyncio.create_task(receiving.receive(10, wait_seconds=20, visibility_seconds=1))
    await asyncio.sleep(0.1)
    receive.cancel()
    with pytest.raises(asyncio.CancelledError):
        await receive

    await sending.send([b"after it"])

    assert [message.body for message in await take(receiving, 1)] == [b"after it"]


async def test_a_receive_cancelled_at_any_moment_loses_nothing(
    sending: SendingQueue, receiving: ReceivingQueue
) -> None:
    moments = random.Random(7)
    for number in range(6):
        body = f"{number}".encode()
        await sending.send([body])
        receive = asyncio.create_task(receiving.receive(1, wait_seconds=20, visibility_seconds=1))
        await asyncio.sleep(moments.uniform(0, 0.003))
        receive.cancel()
        messages: list[Message] = []
        with suppress(asyncio.CancelledError):
            messages = await receive

        messages = messages or await take(receiving, 1, at_most=1)

        assert [message.body for message in messages] == [body]
        await receiving.delete(messages)


async def test_no_two_receivers_hold_one_message(queue: QueueUnderTest, sending: SendingQueue) -> None:
    bodies = [f"{number}".encode() for number in range(60)]
    for start in range(0, 60, 10):
        await sending.send(bodies[start : start + 10])
    held: list[bytes] = []

    async def receive_all(receiving: ReceivingQueue) -> None:
        while messages := await receiving.receive(3, wait_seconds=0, visibility_seconds=LONG_SECONDS):
            held.extend(message.body for message in messages)

    async with AsyncExitStack() as stack:
        receivers = [(await stack.enter_async_context(queue.open())).receiving for _ in range(4)]
        await asyncio.gather(*map(receive_all, receivers))

    assert sorted(held) == sorted(bodies)


async def test_a_queue_out_of_reach_is_said_to_be_so_without_a_word_of_content(queue: QueueUnderTest) -> None:
    message = Message(b"the secret content", "the-secret-receipt", 1)

    async def refused(call: Awaitable[object]) -> str:
        with pytest.raises(QueueUnavailableError) as caught:
            await call
        return "".join(traceback.format_exception(caught.value))

    async with queue.open_out_of_reach() as (sending, receiving):
        texts = await asyncio.gather(
            refused(sending.send([message.body])),
            refused(sending.probe()),
            refused(receiving.receive(1, wait_seconds=0, visibility_seconds=1)),
            refused(receiving.delete([message])),
            refused(receiving.change_visibility([message], 1)),
            refused(receiving.dead_letter(message, "is not JSON.")),
        )

    for text in texts:
        assert "QueueUnavailableError: " in text
        assert message.body.decode() not in text
        assert message.receipt not in text
