"""The depth of a queue, for those that tell it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import pytest

from checkpoint.message_queue.port import MeasuredQueue, QueueUnavailableError
from checkpoint.testing.message_queue.under_test import send_all, take

if TYPE_CHECKING:
    from checkpoint.message_queue.port import Depth, ReceivingQueue, SendingQueue
    from checkpoint.testing.message_queue.under_test import QueueUnderTest

_DEADLINE_SECONDS: Final = 15
_LOOK_SECONDS: Final = 0.05


class Measuring:
    """`depth`."""

    async def test_an_empty_queue_has_no_depth_and_no_oldest_message(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await sending.probe()

        assert (await _settled(receiving, waiting=0, in_flight=0, dead_letters=0)).oldest_seconds is None

    async def test_messages_are_counted_as_waiting_in_flight_or_dead(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await send_all(sending, [b"one of six"] * 6)
        await _settled(receiving, waiting=6, in_flight=0, dead_letters=0)

        taken = await take(receiving, 3, at_most=3)
        await _settled(receiving, waiting=3, in_flight=3, dead_letters=0)

        await receiving.dead_letter(taken[0], "is not JSON.")
        await receiving.delete(taken[1:2])
        await receiving.change_visibility(taken[2:], 0)
        await _settled(receiving, waiting=4, in_flight=0, dead_letters=1)

    async def test_a_long_message_is_counted_as_any_other(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await send_all(sending, [b"x" * 200_000, b"y" * 200_000])
        [long] = await take(receiving, 1, at_most=1)
        await _settled(receiving, waiting=1, in_flight=1, dead_letters=0)

        await receiving.change_visibility([long], 0)
        await _settled(receiving, waiting=2, in_flight=0, dead_letters=0)

    async def test_the_oldest_message_is_as_old_as_the_time_since_it_was_sent(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        before = time.time()
        await sending.send([b"the oldest"])
        sent = time.time()
        await sending.send([b"a younger one"])
        await take(receiving, 2)

        asked = time.time()
        oldest_seconds = (await _depth(receiving)).oldest_seconds

        if oldest_seconds is not None:  # SQS does not say
            assert asked - sent - 0.01 <= oldest_seconds <= time.time() - before + 0.01

    async def test_a_queue_out_of_reach_tells_no_depth(self, queue: QueueUnderTest) -> None:
        async with queue.open_out_of_reach() as (_, receiving):
            with pytest.raises(QueueUnavailableError, match=r"\S"):
                await _depth(receiving)


async def _depth(receiving: ReceivingQueue) -> Depth:
    assert isinstance(receiving, MeasuredQueue)
    return await receiving.depth()


async def _settled(receiving: ReceivingQueue, *, waiting: int, in_flight: int, dead_letters: int) -> Depth:
    """The depth, once it is this: some queues count approximately, and late."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        depth = await _depth(receiving)
        if (depth.waiting, depth.in_flight, depth.dead_letters) == (waiting, in_flight, dead_letters):
            return depth
        assert time.monotonic() < deadline, f"{depth} is not as it should be"
        await asyncio.sleep(_LOOK_SECONDS)
