"""Slots are reserved by the batch, and none is lost."""

from __future__ import annotations

import asyncio
import time

from message_broker.slots import Reservation, Slots

DEADLINE = 5


def slots_of(count: int, *, max_bytes: int = 1_000, message_bytes: int = 1) -> Slots:
    return Slots(count, max_bytes=max_bytes, most_bytes=lambda messages: messages * message_bytes)


async def test_a_batch_that_is_free_is_reserved_at_once() -> None:
    slots = slots_of(10)
    began = time.monotonic()
    assert [await slots.reserve(4), await slots.reserve(4)] == [(4, 4), (4, 4)]
    assert time.monotonic() - began < 0.09


async def test_fewer_slots_are_reserved_only_after_they_were_free_for_100_ms() -> None:
    slots = slots_of(10)
    await slots.reserve(8)
    began = time.monotonic()
    assert await slots.reserve(8) == (2, 2)
    assert time.monotonic() - began >= 0.09


async def test_a_batch_that_becomes_free_meanwhile_is_reserved_whole() -> None:
    slots = slots_of(8)
    await slots.reserve(6)
    reserving = asyncio.create_task(slots.reserve(4))
    await asyncio.sleep(0)
    slots.free(1, 1)
    slots.free(1, 1)
    async with asyncio.timeout(0.09):
        assert await reserving == (4, 4)


async def test_with_no_slot_free_it_waits_for_one() -> None:
    slots = slots_of(2)
    await slots.reserve(2)
    reserving = asyncio.create_task(slots.reserve(1))
    await asyncio.sleep(0.15)  # the wait for a batch has a length, this one has not
    assert not reserving.done()
    slots.free(1, 1)
    async with asyncio.timeout(DEADLINE):
        assert await reserving == (1, 1)


async def test_a_reservation_that_is_cancelled_takes_nothing_and_lets_the_next_one_go() -> None:
    slots = slots_of(4)
    await slots.reserve(4)
    first, second = asyncio.create_task(slots.reserve(4)), asyncio.create_task(slots.reserve(4))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    slots.free(4, 4)
    async with asyncio.timeout(DEADLINE):
        assert await second == (4, 4)


async def test_many_reservations_share_what_there_is_and_never_more() -> None:
    slots = slots_of(20)
    taken = 0

    async def use() -> None:
        nonlocal taken
        for _ in range(20):
            reserved = await slots.reserve(5)
            taken += reserved.messages
            assert taken <= 20
            await asyncio.sleep(0)
            taken -= reserved.messages
            slots.free(*reserved)

    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*(use() for _ in range(10)))
    assert await slots.reserve(20) == (20, 20)


async def test_no_more_is_reserved_than_its_bytes_have_room_for() -> None:
    slots = slots_of(100, max_bytes=1_000, message_bytes=100)
    assert await slots.reserve(7) == (7, 700)
    assert await slots.reserve(7) == (3, 300)
    waiting = asyncio.create_task(slots.reserve(7))
    await asyncio.sleep(0.15)
    assert not waiting.done()
    slots.free(0, 650)  # seven messages came, of 50 bytes in all
    assert await waiting == (6, 600)


async def test_a_receive_that_may_bring_more_than_the_bound_is_made_alone() -> None:
    slots = slots_of(100, max_bytes=1_000, message_bytes=5_000)
    reserved = await slots.reserve(10)
    assert reserved == (1, 5_000)
    waiting = asyncio.create_task(slots.reserve(10))
    await asyncio.sleep(0.15)
    assert not waiting.done()
    slots.free(*reserved)
    assert await waiting == Reservation(1, 5_000)


async def test_bytes_that_are_free_in_time_make_a_batch_whole() -> None:
    slots = slots_of(100, max_bytes=1_000, message_bytes=100)
    await slots.reserve(8)
    reserving = asyncio.create_task(slots.reserve(4))
    await asyncio.sleep(0)
    slots.free(0, 100)
    slots.free(0, 100)
    async with asyncio.timeout(0.09):
        assert await reserving == (4, 400)
