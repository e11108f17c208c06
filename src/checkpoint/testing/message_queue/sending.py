"""Sending: what is confirmed is on the queue, byte for byte."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pytest

from checkpoint.message_queue.port import TracedSendingQueue
from checkpoint.testing.message_queue.under_test import send_all, take

if TYPE_CHECKING:
    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue
    from checkpoint.testing.message_queue.under_test import QueueUnderTest

BODIES: Final = {
    "an e-mail": b'{"email_subject": "Happy new year!", "email_timestream": "1693561101"}',
    "control characters": b'{"a": "\\u0000\\u0008\\u001f\\t\\n\\r\\"\\\\"}',
    "emoji": '{"a": "\U0001f600 \U0001f468‍\U0001f469‍\U0001f467"}'.encode(),
    "escaped noncharacters": b'{"a": "\\ufffe\\uffff"}',
    "replacement character": '{"a": "�"}'.encode(),
    "markup": b'{"a": "<b>&amp;</b> ]]> %41 +"}',
    "spaces at the ends": b' {"a": "b"} ',
}
_LONG_BYTES: Final = 1_048_576


async def longest(sending: SendingQueue) -> int:
    """Bytes of the longest body that may be sent."""
    await sending.probe()
    assert sending.limits.message_bytes is not None
    return sending.limits.message_bytes


def traceparent(number: int) -> str:
    """One of a trace that has this number."""
    return f"00-{number + 1:032x}-00f067aa0ba902b7-01"


def _tracing(sending: SendingQueue) -> TracedSendingQueue:
    if not isinstance(sending, TracedSendingQueue):
        pytest.skip("this queue has no place for a traceparent, which a queue need not have")
    return sending


class Sending:
    """`send`, `send_traced`, `probe`, and what the limits say."""

    async def test_what_is_sent_is_on_the_queue_when_it_is_confirmed(
        self, queue: QueueUnderTest, sending: SendingQueue
    ) -> None:
        bodies = [f'{{"number": {number}}}'.encode() for number in range(10)]

        await send_all(sending, bodies)

        assert sorted(queue.bodies()) == bodies

    @pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
    async def test_a_body_is_received_byte_for_byte(
        self, sending: SendingQueue, receiving: ReceivingQueue, body: bytes
    ) -> None:
        assert await sending.send([body]) == [None]

        [message] = await take(receiving, 1)

        assert message.body == body
        assert message.receive_count == 1

    async def test_a_call_may_carry_as_many_bodies_as_the_limits_say(
        self, queue: QueueUnderTest, sending: SendingQueue
    ) -> None:
        bodies = [f'{{"number": {number}}}'.encode() for number in range(sending.limits.entries)]

        assert await sending.send(bodies) == [None] * len(bodies)

        assert sorted(queue.bodies()) == sorted(bodies)

    async def test_a_call_may_carry_as_many_bytes_as_the_limits_say(
        self, queue: QueueUnderTest, sending: SendingQueue
    ) -> None:
        most = await longest(sending)
        entries = sending.limits.entries
        size, rest = divmod(min(sending.limits.payload_bytes, most * entries), entries)
        bodies = [b"x" * size] * (entries - 1) + [b"x" * (size + rest)]

        assert await sending.send(bodies) == [None] * len(bodies)

        assert sorted(queue.bodies()) == bodies

    async def test_the_longest_body_is_known_after_a_probe(self, sending: SendingQueue) -> None:
        assert await longest(sending) > 0

    async def test_the_longest_body_that_may_come_is_known_after_a_receive(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await receiving.receive(1, wait_seconds=0, visibility_seconds=1)

        assert receiving.limits.message_bytes is not None
        assert receiving.limits.message_bytes >= await longest(sending)

    async def test_a_body_of_the_longest_length_is_received_byte_for_byte(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        body = b"x" * await longest(sending)

        assert await sending.send([body]) == [None]

        [message] = await take(receiving, 1)
        assert hashlib.sha256(message.body).digest() == hashlib.sha256(body).digest()

    async def test_a_long_body_of_other_than_ascii_characters_is_received_byte_for_byte(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        body = b"x" + "é".encode() * ((min(await longest(sending), _LONG_BYTES) - 1) // 2)

        assert await sending.send([body]) == [None]

        [message] = await take(receiving, 1)
        assert hashlib.sha256(message.body).digest() == hashlib.sha256(body).digest()

    async def test_a_message_keeps_its_traceparent_and_its_neighbours_without_one_have_none(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        traced = _tracing(sending)
        traceparents = {f"{number}".encode(): traceparent(number) if number % 3 else None for number in range(9)}

        assert await traced.send_traced([*traceparents], [*traceparents.values()]) == [None] * 9
        assert await sending.send([b"untraced"]) == [None]

        messages = await take(receiving, 10)
        assert {message.body: message.traceparent for message in messages} == {**traceparents, b"untraced": None}

    async def test_a_message_that_is_received_again_has_its_traceparent_still(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await _tracing(sending).send_traced([b"twice"], [traceparent(1)])
        await receiving.change_visibility(await take(receiving, 1), 0)

        [message] = await take(receiving, 1)

        assert (message.receive_count, message.traceparent) == (2, traceparent(1))

    @pytest.mark.parametrize("spare_bytes", [0, 50, 10_000])
    async def test_a_body_goes_through_whether_or_not_it_leaves_room_for_its_traceparent(
        self, sending: SendingQueue, receiving: ReceivingQueue, spare_bytes: int
    ) -> None:
        traced = _tracing(sending)
        body = b"x" * (await longest(sending) - spare_bytes)

        assert await traced.send_traced([body], [traceparent(1)]) == [None]

        [message] = await take(receiving, 1)
        assert hashlib.sha256(message.body).digest() == hashlib.sha256(body).digest()
        assert message.traceparent in ([traceparent(1)] if spare_bytes == 10_000 else [traceparent(1), None])

    async def test_a_call_may_carry_as_many_bytes_as_the_limits_say_whatever_traceparents_it_has(
        self, queue: QueueUnderTest, sending: SendingQueue
    ) -> None:
        traced = _tracing(sending)
        most = await longest(sending)
        entries = min(sending.limits.entries, 256)
        size = min(sending.limits.payload_bytes, most * entries) // entries
        bodies = [b"x" * size] * entries

        assert await traced.send_traced(bodies, [traceparent(1)] * entries) == [None] * entries

        assert sorted(queue.bodies()) == bodies

    async def test_a_probe_of_a_queue_that_works_puts_nothing_on_it(
        self, queue: QueueUnderTest, sending: SendingQueue
    ) -> None:
        await sending.probe()
        await sending.probe()

        assert queue.bodies() == []
