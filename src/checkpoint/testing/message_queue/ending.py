"""The end of a message: it is deleted or dead-lettered, by nobody but the receiver that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkpoint.testing.message_queue.under_test import LONG_SECONDS, send_all, take

if TYPE_CHECKING:
    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue
    from checkpoint.testing.message_queue.under_test import QueueUnderTest


class Ending:
    """`delete` and `dead_letter`."""

    async def test_a_deleted_message_is_gone_for_good(
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await send_all(sending, [b"deleted", b"left"])
        messages = await take(receiving, 2, visibility_seconds=1)

        assert await receiving.delete([message for message in messages if message.body == b"deleted"]) == [None]

        # The two would come back in the same moment, so that the one shows when to look for the other.
        assert [message.body for message in await take(receiving, 1)] == [b"left"]
        assert queue.bodies() in ([b"left"], [])
        assert queue.dead_letters() == []

    async def test_a_message_deleted_twice_fails_at_most_alone(
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await send_all(sending, [b"twice", b"once"])
        messages = await take(receiving, 2)
        [twice] = [message for message in messages if message.body == b"twice"]
        [once] = [message for message in messages if message.body == b"once"]
        assert await receiving.delete([twice]) == [None]

        # The other result may be None or a fault: SQS may report a second delete as a success.
        [_, fault] = await receiving.delete([twice, once])

        assert fault is None
        assert queue.bodies() == []

    async def test_a_late_delete_leaves_a_message_to_the_receiver_that_holds_it_now(
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
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
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
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
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
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
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await send_all(sending, [b"not an e-mail", b"an e-mail"])
        messages = await take(receiving, 2)

        await receiving.dead_letter(
            next(message for message in messages if message.body == b"not an e-mail"), "is not JSON."
        )

        assert queue.dead_letters() == [(b"not an e-mail", "is not JSON.")]
        await receiving.change_visibility(messages, 0)
        assert queue.bodies() == [b"an e-mail"]

    async def test_dead_lettering_by_a_stale_receipt_loses_nothing(
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
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
        self, queue: QueueUnderTest, sending: SendingQueue, receiving: ReceivingQueue
    ) -> None:
        await sending.send([b"kills its receiver"])
        for receive_count in range(1, queue.max_receives + 1):
            [message] = await take(receiving, 1)
            assert message.receive_count == receive_count
            await receiving.change_visibility([message], 0)

        assert await receiving.receive(10, wait_seconds=0, visibility_seconds=1) == []

        assert [body for body, _ in queue.dead_letters()] == [b"kills its receiver"]
        assert queue.bodies() == []
