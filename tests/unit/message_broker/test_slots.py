"""Slots are reserved by the batch, and none is lost."""

from __future__ import annotations

import asyncio
import time

from message_broker.slots import Slots

DEADLINE = 5


async def test_a_batch_that_is_free_is_reserved_at_once() -> None:
    slots = Slots(10)
    began = time.monotonic()
    assert [await slots.reserve(4), await slots.reserve(4)] == [4, 4]
    assert time.monotonic() - began < 0.09


async def test_fewer_slots_are_reserved_only_after_they_were_free_for_100_ms() -> None:
    slots = Slots(10)
    await slots.reserve(8)
    began = time.monotonic()
    assert await slots.reserve(8) == 2
    assert time.monotonic() - began >= 0.09


async def test_a_batch_that_becomes_free_meanwhile_is_reserved_whole() -> None:
    slots = Slots(8)
    await slots.reserve(6)
    reserving = asyncio.create_task(slots.reserve(4))
    await asyncio.sleep(0)
    slots.free(1)
    slots.free(1)
    async with asyncio.timeout(0.09):
        assert await reserving == 4


async def test_with_no_slot_free_it_waits_for_one() -> None:
    slots = Slots(2)
    await slots.reserve(2)
    reserving = asyncio.create_task(slots.reserve(1))
    await asyncio.sleep(0.15)  # the wait for a batch has a length, this one has not
    assert not reserving.done()
    slots.free(1)
    async with asyncio.timeout(DEADLINE):
        assert await reserving == 1


async def test_a_reservation_that_is_cancelled_takes_nothing_and_lets_the_next_one_go() -> None:
    slots = Slots(4)
    await slots.reserve(4)
    first, second = asyncio.create_task(slots.reserve(4)), asyncio.create_task(slots.reserve(4))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    slots.free(4)
    async with asyncio.timeout(DEADLINE):
        assert await second == 4


async def test_many_reservations_share_what_there_is_and_never_more() -> None:
    slots = Slots(20)
    taken = 0

    async def use() -> None:
        nonlocal taken
        for _ in range(20):
            reserved = await slots.reserve(5)
            taken += reserved
            assert taken <= 20
            await asyncio.sleep(0)
            taken -= reserved
            slots.free(reserved)

    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*(use() for _ in range(10)))
    assert await slots.reserve(20) == 20
