"""The two halves of an SQS queue."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.message_queue.port import EntryFault, Message, NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.message_queue.sqs.calls import (
    CALL_SECONDS,
    ENTRIES,
    LONGEST_MESSAGE_BYTES,
    confirmed,
    digest,
    faults,
    max_message_bytes,
    receiving_limits,
    sending_limits,
)
from checkpoint.message_queue.sqs.dead_letter_queue import DeadLetterQueue
from checkpoint.message_queue.sqs.depth import depth
from checkpoint.message_queue.sqs.traceparent import (
    TRACEPARENT,
    TRACEPARENT_BYTES,
    traceparent_attribute,
    traceparent_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

    from checkpoint.message_queue.port import Depth

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
MAX_WAIT_SECONDS: Final = 20

# SQS hides a message for 12 hours in all, counted from its receive, which was a while ago: an hour is left for that.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
_LONGEST_VISIBILITY_SECONDS: Final = 11 * 3_600

_DIFFERENT: Final = EntryFault("SQS stored other bytes: MD5OfMessageBody differs.")

_log = structlog.get_logger()


class SQSSendingQueue:
    """Sends in batches: a call costs as much with one message as with ten."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self.limits = sending_limits(None)
        self._client = client
        self._url = url

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """As the port says; a body that SQS stored otherwise than it was sent has a fault."""
        return await confirmed("SendMessageBatch", self._send(bodies))

    async def send_traced(self, bodies: Sequence[bytes], traceparents: Sequence[str | None]) -> list[EntryFault | None]:
        """As the port says: as a message attribute `traceparent`, which counts as part of the message and of the call.

        The MD5 by which SQS shows what it stored of the attributes is not looked at. A message whose body is kept is
        kept; one that was refused for the sake of its trace would be sent again, and be there twice.
        """
        return await confirmed("SendMessageBatch", self._send(bodies, self._with_room(bodies, traceparents)))

    async def probe(self) -> None:
        """Ask how long a message may be: that costs no message, and fails for the same reasons as most sends."""
        self.limits = sending_limits(await max_message_bytes(self._client, self._url))

    def _with_room(self, bodies: Sequence[bytes], traceparents: Sequence[str | None]) -> list[str | None]:
        """The traceparents, without those for which the message or the call has no room."""
        most = self.limits.message_bytes or self.limits.payload_bytes
        room = self.limits.payload_bytes - sum(map(len, bodies))
        attached: list[str | None] = []
        for body, traceparent in zip(bodies, traceparents, strict=True):
            fits = room >= TRACEPARENT_BYTES and len(body) + TRACEPARENT_BYTES <= most
            attached.append(traceparent if fits else None)
            if attached[-1]:
                room -= TRACEPARENT_BYTES
        return attached

    async def _send(
        self, bodies: Sequence[bytes], traceparents: Sequence[str | None] | None = None
    ) -> list[EntryFault | None]:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(place), "MessageBody": body.decode()} for place, body in enumerate(bodies)
        ]
        for entry, traceparent in zip(entries, traceparents or (), strict=False):
            if traceparent:
                entry["MessageAttributes"] = traceparent_attribute(traceparent)
        reply = await self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        successful = reply.get("Successful", [])
        found = faults("SendMessageBatch", len(bodies), successful, reply.get("Failed", []))
        for sent in successful:
            place = int(sent["Id"])
            if sent["MD5OfMessageBody"] != digest(bodies[place]):
                found[place] = _DIFFERENT
        return found


class SQSReceivingQueue:
    """Receives by long polls; deletes and changes visibility in batches."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self.limits = receiving_limits(LONGEST_MESSAGE_BYTES)
        self._knows_limits = False
        self._client = client
        self._url = url
        self._dead_letters = DeadLetterQueue(client, url)

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        """As the port says; the wait is rounded up to whole seconds, 20 at most.

        A body that does not match its MD5 is left out: it becomes visible again after its visibility timeout.
        """
        if not self._knows_limits:
            await self._ask_for_limits()
        wait = min(MAX_WAIT_SECONDS, math.ceil(wait_seconds))
        receiving = self._receive(at_most, wait, visibility_seconds)
        messages = await confirmed("ReceiveMessage", receiving, seconds=wait + CALL_SECONDS)
        if any(len(message.body) > (self.limits.message_bytes or 0) for message in messages):
            self.limits, self._knows_limits = receiving_limits(LONGEST_MESSAGE_BYTES), False  # it takes longer ones now
        return messages

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        """As the port says."""
        batches = [await confirmed("DeleteMessageBatch", self._delete(batch)) for batch in _batches(messages)]
        return [fault for batch in batches for fault in batch]

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        """As the port says."""
        # Together, for one after another could take longer than a short visibility timeout.
        batches = await asyncio.gather(
            *(
                confirmed("ChangeMessageVisibilityBatch", self._change_visibility(batch, visibility_seconds))
                for batch in _batches(messages)
            )
        )
        return [fault for batch in batches for fault in batch]

    async def dead_letter(self, message: Message, reason: str) -> None:
        """As the port says. Where the receipt is stale, the next receiver dead-letters it once more: there twice."""
        try:
            await self._dead_letters.send(message, reason, message_bytes=self.limits.message_bytes or 0)
        except NoDeadLetterQueueError:
            await self.change_visibility([message], _LONGEST_VISIBILITY_SECONDS)
            raise
        await self.delete([message])

    async def depth(self) -> Depth:
        """As MeasuredQueue says, by one call about the queue and one about its dead-letter queue."""
        return await depth(self._client, self._url, self._dead_letters)

    async def _ask_for_limits(self) -> None:
        """Without an answer, each message may be as long as SQS allows; what else is wrong, the receive will tell."""
        with suppress(QueueUnavailableError):
            self.limits = receiving_limits(await max_message_bytes(self._client, self._url))
            self._knows_limits = True

    async def _receive(self, at_most: int, wait: int, visibility_seconds: int) -> list[Message]:
        reply = await self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(ENTRIES, at_most),
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            MessageAttributeNames=[TRACEPARENT],
            VisibilityTimeout=visibility_seconds,
            WaitTimeSeconds=wait,
        )
        return [_message(received) for received in reply.get("Messages", []) if intact(received)]

    async def _delete(self, batch: Sequence[Message]) -> list[EntryFault | None]:
        reply = await self._client.delete_message_batch(
            QueueUrl=self._url,
            Entries=[{"Id": str(place), "ReceiptHandle": message.receipt} for place, message in enumerate(batch)],
        )
        return faults("DeleteMessageBatch", len(batch), reply.get("Successful", []), reply.get("Failed", []))

    async def _change_visibility(self, batch: Sequence[Message], seconds: int) -> list[EntryFault | None]:
        reply = await self._client.change_message_visibility_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": message.receipt, "VisibilityTimeout": seconds}
                for place, message in enumerate(batch)
            ],
        )
        return faults("ChangeMessageVisibilityBatch", len(batch), reply.get("Successful", []), reply.get("Failed", []))


def intact(received: MessageTypeDef) -> bool:
    """Whether the body matches its MD5; the log tells of one that does not."""
    is_intact = received["MD5OfBody"] == digest(received["Body"].encode(errors="replace"))
    if not is_intact:
        reason = "The body differs from its MD5. It is received again after its visibility timeout."
        _log.warning("message_corrupted", sqs_message_id=received["MessageId"], reason=reason)
    return is_intact


def _message(received: MessageTypeDef) -> Message:
    attributes = received.get("Attributes", {})
    sent_at = attributes.get("SentTimestamp")  # milliseconds since 1970; some emulators leave it out
    return Message(
        received["Body"].encode(),
        received["ReceiptHandle"],
        int(attributes.get("ApproximateReceiveCount", "1")),
        int(sent_at) / 1000 if sent_at else None,
        traceparent_of(received),
    )


def _batches(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    for start in range(0, len(messages), ENTRIES):
        yield messages[start : start + ENTRIES]
