"""The receiving half of an SQS queue."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.message_queue.port import EntryFault, Message, NoDeadLetterQueueError
from checkpoint.message_queue.sqs.calls import CALL_SECONDS, LIMITS, confirmed, digest, faults
from checkpoint.message_queue.sqs.dead_letters import DeadLetters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
MAX_WAIT_SECONDS: Final = 20

# SQS hides a message for 12 hours in all, counted from its receive, which was a while ago: an hour is left for that.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
_LONGEST_HIDE_SECONDS: Final = 11 * 3_600

_log = structlog.get_logger()


class SQSReceivingQueue:
    """Receives by long polls; deletes and extends in batches."""

    limits = LIMITS

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url
        self._dead_letters = DeadLetters(client, url)

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        """As the port says; the wait is rounded up to whole seconds, 20 at most.

        A body that does not match its MD5 is not handed out: it becomes visible again, and is received anew.
        """
        wait = min(MAX_WAIT_SECONDS, math.ceil(wait_seconds))
        receiving = self._receive(at_most, wait, visibility_seconds)
        return await confirmed("ReceiveMessage", receiving, seconds=wait + CALL_SECONDS)

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        """As the port says; but where a receipt is stale, SQS may also say that it deleted, and leave the message.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
        """
        found: list[EntryFault | None] = []
        for batch in _batches(messages):
            found += await confirmed("DeleteMessageBatch", self._delete(batch))
        return found

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        """As the port says."""
        found: list[EntryFault | None] = []
        for batch in _batches(messages):
            found += await confirmed("ChangeMessageVisibilityBatch", self._hide(batch, visibility_seconds))
        return found

    async def dead_letter(self, message: Message, reason: str) -> None:
        """As the port says. Where the receipt is stale, the next receiver sets it aside once more: there twice."""
        try:
            await self._dead_letters.send(message, reason)
        except NoDeadLetterQueueError:
            await self.change_visibility([message], _LONGEST_HIDE_SECONDS)
            raise
        await self.delete([message])

    async def _receive(self, at_most: int, wait: int, visibility_seconds: int) -> list[Message]:
        reply = await self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(LIMITS.entries, at_most),
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
            VisibilityTimeout=visibility_seconds,
            WaitTimeSeconds=wait,
        )
        return [_message(received) for received in reply.get("Messages", []) if _intact(received)]

    async def _delete(self, batch: Sequence[Message]) -> list[EntryFault | None]:
        reply = await self._client.delete_message_batch(
            QueueUrl=self._url,
            Entries=[{"Id": str(place), "ReceiptHandle": message.receipt} for place, message in enumerate(batch)],
        )
        return faults(len(batch), reply.get("Successful", []), reply.get("Failed", []))

    async def _hide(self, batch: Sequence[Message], seconds: int) -> list[EntryFault | None]:
        reply = await self._client.change_message_visibility_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": message.receipt, "VisibilityTimeout": seconds}
                for place, message in enumerate(batch)
            ],
        )
        return faults(len(batch), reply.get("Successful", []), reply.get("Failed", []))


def _intact(received: MessageTypeDef) -> bool:
    intact = received["MD5OfBody"] == digest(received["Body"].encode(errors="replace"))
    if not intact:
        _log.warning("differs from its MD5; received anew", message_id=received["MessageId"])
    return intact


def _message(received: MessageTypeDef) -> Message:
    receive_count = received.get("Attributes", {}).get("ApproximateReceiveCount", "1")
    return Message(received["Body"].encode(), received["ReceiptHandle"], int(receive_count))


def _batches(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    for start in range(0, len(messages), LIMITS.entries):
        yield messages[start : start + LIMITS.entries]
