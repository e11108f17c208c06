"""Receiving: every message comes to one receiver, and a wait that is cancelled loses none."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from checkpoint.testing.message_queue.under_test import LONG_SECONDS, send_all, take

if TYPE_CHECKING:
    from checkpoint.message_queue.port import Message, ReceivingQueue, SendingQueue
    from checkpoint.testing.message_queue.under_test import QueueUnderTest


class Receiving:
    """`receive`."""

    async def test_a_received_message_is_hidden_from_every_receiver(
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await sending.send([b"hidden"])
        await take(receiving, 1)

        async with queue.open() as other:
            for receiver in (receiving, other.receiving):
                assert await receiver.receive(10, wait_seconds=0, visibility_seconds=1) == []

    async def test_a_message_tells_when_it_was_sent_or_nothing(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        before = time.time()
        for body in (b"short", b"x" * 10_000):
            await sending.send([body])

        for message in await take(receiving, 2):
            assert message.sent_at is None or before - 1 <= message.sent_at <= time.time() + 1

    async def test_a_waiting_receive_returns_when_a_message_comes(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        started = time.monotonic()
        receive = asyncio.create_task(receiving.receive(10, wait_seconds=20, visibility_seconds=1))
        await asyncio.sleep(0.1)
        assert not receive.done()

        await sending.send([b"late"])

        assert [message.body for message in await receive] == [b"late"]
        assert time.monotonic() - started < 10

    async def test_a_receive_returns_empty_after_its_wait(self, receiving: ReceivingQueue) -> None:
        started = time.monotonic()

        assert await receiving.receive(10, wait_seconds=1, visibility_seconds=1) == []

        assert 0.9 < time.monotonic() - started < 10

    async def test_a_receive_gives_no_more_than_was_asked_for(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await send_all(sending, [b"one of ten"] * 10)

        for at_most in (1, 3):
            messages = await receiving.receive(at_most, wait_seconds=1, visibility_seconds=LONG_SECONDS)
            assert 1 <= len(messages) <= at_most

    async def test_a_cancelled_wait_loses_nothing(self, sending: SendingQueue, receiving: ReceivingQueue) -> None:
        receive = asyncio.create_task(receiving.receive(10, wait_seconds=20, visibility_seconds=1))
        await asyncio.sleep(0.1)
        receive.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receive

        await sending.send([b"after it"])

        assert [message.body for message in await take(receiving, 1)] == [b"after it"]

    async def test_a_receive_cancelled_at_any_moment_loses_nothing(
        self, sending: SendingQueue, receiving: ReceivingQueue
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

    async def test_no_two_receivers_hold_one_message(self, queue: QueueUnderTest, sending: SendingQueue) -> None:
        bodies = [f"{number}".encode() for number in range(60)]
        await send_all(sending, bodies)
        held: list[bytes] = []

        async def receive_all(receiving: ReceivingQueue) -> None:
            while messages := await receiving.receive(3, wait_seconds=0, visibility_seconds=LONG_SECONDS):
                held.extend(message.body for message in messages)

        async with AsyncExitStack() as stack:
            receivers = [(await stack.enter_async_context(queue.open())).receiving for _ in range(4)]
            await asyncio.gather(*map(receive_all, receivers))

        assert sorted(held) == sorted(bodies)
