"""The operator's part of a queue, for those that have one."""

from __future__ import annotations

import asyncio
import re
import time
import traceback
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.port import QueueUnavailableError, TracedSendingQueue
from checkpoint.testing.message_queue.sending import BODIES
from checkpoint.testing.message_queue.under_test import LONG_SECONDS, send_all, take

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from checkpoint.message_queue.admin import AdminQueue, DeadLetter
    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue
    from checkpoint.testing.message_queue.under_test import AdminQueueUnderTest, Halves


class Administering:
    """`depth`, `find`, `dead_letters`, `redrive`, `drop` and `release`."""

    async def test_dead_letters_are_shown_with_their_bytes_and_reasons_and_stay_where_they_are(
        self, halves: Halves, admin: AdminQueue
    ) -> None:
        before = time.time()
        bodies = [*BODIES.values(), b"long" * 50_000]
        await _bury(halves, bodies, "is not JSON.")

        for _ in range(2):
            letters = await _all(admin)
            assert sorted(letter.body for letter in letters) == sorted(bodies)
            assert {letter.reason for letter in letters} == {"is not JSON."}
            assert len({letter.id for letter in letters}) == len(bodies)
            assert {letter.receive_count for letter in letters} <= {1, None}
            moments = {moment for letter in letters for moment in (letter.sent_at, letter.dead_at)} - {None}
            assert all(before - 5 <= moment <= time.time() + 5 for moment in moments if moment)
            await admin.release(letters)

    async def test_a_look_that_ends_early_hides_nothing_once_it_is_released(
        self, halves: Halves, admin: AdminQueue
    ) -> None:
        bodies = [f"{number}".encode() for number in range(15)]
        await _bury(halves, bodies, "is not JSON.")
        async for letter in admin.dead_letters():
            await admin.release([letter])
            break

        assert sorted(letter.body for letter in await _all(admin)) == sorted(bodies)

    async def test_a_queue_without_dead_letters_shows_none(self, sending: SendingQueue, admin: AdminQueue) -> None:
        await sending.send([b"waits"])
        assert await _all(admin) == []

    async def test_a_message_received_too_often_is_shown(
        self, queue: AdminQueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue, admin: AdminQueue
    ) -> None:
        await sending.send([b"kills its receiver"])
        for _ in range(queue.max_receives):
            await receiving.change_visibility(await take(receiving, 1), 0)
        assert await receiving.receive(10, wait_seconds=0, visibility_seconds=1) == []

        [letter] = await _all(admin)

        assert letter.body == b"kills its receiver"

    async def test_a_redriven_dead_letter_is_a_new_message_of_the_same_bytes(
        self, queue: AdminQueueUnderTest, halves: Halves, admin: AdminQueue
    ) -> None:
        bodies = [*BODIES.values(), b"long" * 50_000]
        await _bury(halves, bodies, "is not JSON.")

        assert await admin.redrive(await _all(admin)) == [None] * len(bodies)

        messages = await take(halves.receiving, len(bodies))
        assert sorted(message.body for message in messages) == sorted(bodies)
        assert {message.receive_count for message in messages} == {1}
        assert queue.dead_letters() == []

    async def test_a_redriven_dead_letter_keeps_its_trace(self, halves: Halves, admin: AdminQueue) -> None:
        if not isinstance(halves.sending, TracedSendingQueue):
            pytest.skip("This queue carries no traceparent.")
        traceparent = f"00-{7:032x}-{7:016x}-01"
        await halves.sending.send_traced([b"traced"], [traceparent])
        [message] = await take(halves.receiving, 1)
        await halves.receiving.dead_letter(message, "is not JSON.")

        assert await admin.redrive(await _all(admin)) == [None]

        [message] = await take(halves.receiving, 1)
        assert message.traceparent == traceparent

    async def test_a_redrive_leaves_alone_what_it_was_not_asked_for(
        self, queue: AdminQueueUnderTest, halves: Halves, admin: AdminQueue
    ) -> None:
        await _bury(halves, [b"redriven", b"twice there", b"twice there", b"left"], "is not JSON.")
        letters = await _all(admin)
        redriven = {letter.body: letter for letter in letters if letter.body != b"left"}

        assert await admin.redrive(list(redriven.values())) == [None, None]

        assert sorted(queue.bodies()) == [b"redriven", b"twice there"]
        await admin.release([letter for letter in letters if letter not in redriven.values()])
        assert sorted(queue.dead_letters()) == [(b"left", "is not JSON."), (b"twice there", "is not JSON.")]

    async def test_more_dead_letters_than_one_call_carries_are_redriven_all_the_same(
        self, queue: AdminQueueUnderTest, halves: Halves, admin: AdminQueue
    ) -> None:
        bodies = [f"{number}".encode() for number in range(270)]
        await _bury(halves, bodies, "is not JSON.")

        letters = await _all(admin)
        assert await admin.redrive(letters) == [None] * len(bodies)

        assert sorted(letter.body for letter in letters) == sorted(bodies)
        assert sorted(queue.bodies()) == sorted(bodies)
        assert queue.dead_letters() == []

    async def test_a_dropped_dead_letter_is_gone_for_good(
        self, queue: AdminQueueUnderTest, halves: Halves, admin: AdminQueue
    ) -> None:
        await _bury(halves, [b"dropped", b"left"], "is not JSON.")
        letters = await _all(admin)

        assert await admin.drop([letter for letter in letters if letter.body == b"dropped"]) == [None]

        await admin.release([letter for letter in letters if letter.body == b"left"])
        assert queue.dead_letters() == [(b"left", "is not JSON.")]
        assert queue.bodies() == []

    async def test_a_dead_letter_that_is_gone_fails_at_most_alone(
        self, queue: AdminQueueUnderTest, halves: Halves, admin: AdminQueue
    ) -> None:
        await _bury(halves, [b"gone", b"there", b"there too"], "is not JSON.")
        gone, there, there_too = sorted(await _all(admin), key=lambda letter: letter.body)
        assert await admin.drop([gone]) == [None]

        # SQS may report a second delete as a success, and a redrive has sent it again by then.
        [fault, of_there] = await admin.drop([gone, there])
        assert fault is None or fault.reason
        assert of_there is None
        [fault, of_there_too] = await admin.redrive([gone, there_too])
        assert fault is None or fault.reason
        assert of_there_too is None

        assert b"there too" in queue.bodies()
        assert queue.dead_letters() == []

    async def test_a_search_finds_messages_that_wait_and_those_in_flight_and_hides_none(
        self, halves: Halves, admin: AdminQueue
    ) -> None:
        sought = [b"sought in flight", b"sought, long, in flight" * 10_000, b"sought, waits", b"sought, waits" * 10_000]
        await send_all(halves.sending, sought[:2])
        await take(halves.receiving, 2)
        await send_all(halves.sending, [*sought[2:], b"other"])
        if not admin.is_searchable:
            with pytest.raises(NotImplementedError, match=r"\S"):
                [message async for message in admin.find(lambda _: True)]
            return

        found = {message.body: message async for message in admin.find(lambda body: b"sought" in body)}

        assert sorted(found) == sorted(sought)
        for body, message in found.items():
            is_in_flight = body in sought[:2]
            assert message.receive_count == is_in_flight
            assert (LONG_SECONDS - 15 < message.hidden_seconds <= LONG_SECONDS) is is_in_flight
            assert message.hidden_seconds > 0 or not is_in_flight
            assert message.sent_at is None or abs(message.sent_at - time.time()) < 15
        assert len(await take(halves.receiving, 3)) == 3

    async def test_the_depth_that_an_operator_sees_counts_all(self, halves: Halves, admin: AdminQueue) -> None:
        await _bury(halves, [b"dead"], "is not JSON.")
        await send_all(halves.sending, [b"in flight"])
        await take(halves.receiving, 1)
        await send_all(halves.sending, [b"waits"] * 2)

        depth = await admin.depth()

        assert (depth.waiting, depth.in_flight, depth.dead_letters) == (2, 1, 1)

    async def test_an_operator_is_told_that_a_queue_is_out_of_reach(
        self, queue: AdminQueueUnderTest, halves: Halves, admin: AdminQueue
    ) -> None:
        await _bury(halves, [b"the secret content"], "is not JSON.")
        letters = await _all(admin)

        async def refused(call: Awaitable[object]) -> str:
            with pytest.raises(QueueUnavailableError) as caught:
                await call
            return "".join(traceback.format_exception(caught.value))

        async with queue.open_admin_out_of_reach() as away:
            calls = away.depth(), _all(away), away.redrive(letters), away.drop(letters)
            texts = await asyncio.gather(*map(refused, calls))

        for text in texts:
            assert re.search(r"QueueUnavailableError: \S", text)  # it says why
            assert "the secret content" not in text


async def _all(admin: AdminQueue) -> list[DeadLetter]:
    return [letter async for letter in admin.dead_letters()]


async def _bury(halves: Halves, bodies: Sequence[bytes], reason: str) -> None:
    """Dead-letter messages as the broker does."""
    await send_all(halves.sending, bodies)
    for message in await take(halves.receiving, len(bodies)):
        await halves.receiving.dead_letter(message, reason)
