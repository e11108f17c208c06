"""Visibility timeouts: a message is hidden for as long as it was said, and not longer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from checkpoint.testing.message_queue.under_test import LONG_SECONDS, send_all, take

if TYPE_CHECKING:
    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue
    from checkpoint.testing.message_queue.under_test import QueueUnderTest


class Visibility:
    """`change_visibility`, and what happens without it."""

    async def test_a_message_is_visible_again_after_its_timeout_and_counts_its_receives(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await sending.send([b"again"])
        started = time.monotonic()
        await take(receiving, 1, visibility_seconds=1)

        [again] = await take(receiving, 1)

        assert time.monotonic() - started >= 1
        assert (again.body, again.receive_count) == (b"again", 2)

    async def test_a_longer_visibility_keeps_a_message_hidden_for_longer(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await send_all(sending, [b"changed", b"left"])
        messages = await take(receiving, 2, visibility_seconds=1)

        changed = [message for message in messages if message.body == b"changed"]
        assert await receiving.change_visibility(changed, LONG_SECONDS) == [None]

        assert [message.body for message in await take(receiving, 1)] == [b"left"]
        assert await receiving.receive(10, wait_seconds=0, visibility_seconds=1) == []

    async def test_a_visibility_of_0_releases_a_message_at_once(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await sending.send([b"released"])
        messages = await take(receiving, 1)

        assert await receiving.change_visibility(messages, 0) == [None]

        [again] = await receiving.receive(10, wait_seconds=1, visibility_seconds=LONG_SECONDS)
        assert again.receive_count == 2

    async def test_a_shorter_visibility_releases_messages_after_it_and_not_before(
        self, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await send_all(sending, [b"released later", b"released too"])
        messages = await take(receiving, 2)
        changed = time.monotonic()

        assert await receiving.change_visibility(messages, 1) == [None, None]

        assert await receiving.receive(10, wait_seconds=0, visibility_seconds=LONG_SECONDS) == []
        again = await take(receiving, 2)
        assert time.monotonic() - changed >= 1
        assert sorted(message.body for message in again) == [b"released later", b"released too"]
        assert [message.receive_count for message in again] == [2, 2]

    async def test_more_messages_than_one_call_carries_are_released_changed_and_deleted_all_the_same(
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        count = 2 * receiving.limits.entries + 7
        await send_all(sending, [b"one of many"] * count)
        released = await take(receiving, count)

        assert await receiving.change_visibility(released, 0) == [None] * count
        messages = await take(receiving, count)
        assert [message.receive_count for message in messages] == [2] * count
        assert await receiving.change_visibility(messages, LONG_SECONDS) == [None] * count
        assert await receiving.delete(messages) == [None] * count

        assert queue.bodies() == []
