"""The dead-letter queue that the RedrivePolicy of an SQS queue names."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.message_queue.port import Message, NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.message_queue.sqs.calls import attributes, confirmed, digest
from checkpoint.message_queue.sqs.traceparent import TRACEPARENT_BYTES, traceparent_attribute

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageAttributeValueTypeDef

# An attribute's name, type and value count as part of the message's size.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
_NAME_AND_TYPE: Final = b"reasonString"
_CUT_OFF: Final = "…"

_log = structlog.get_logger()


class DeadLetterQueue:
    """The dead-letter queue of the queue at `url`; its URL is remembered once it is known."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._source_url = url
        self._url: str | None = None

    async def url(self) -> str:
        """Its URL. Raises NoDeadLetterQueueError or QueueUnavailableError."""
        if self._url is None:
            self._url = await confirmed("GetQueueAttributes", self._find())
        return self._url

    def forget(self) -> None:
        """Ask for its URL again: the queue may have been given another dead-letter queue."""
        self._url = None

    async def send(self, message: Message, reason: str, *, message_bytes: int) -> None:
        """Put a message there, with a message attribute `reason` where both together have no more than these bytes.

        Where the reason has no room, as much of it as has; the log has the whole, by the message id that SQS gave. Why
        there: docs/decisions/0021. It keeps its traceparent where that has room beside the whole reason: an operator
        needs the reason, and can do without the trace. Raises NoDeadLetterQueueError or QueueUnavailableError.
        """
        url = await self.url()
        room = message_bytes - len(message.body) - len(_NAME_AND_TYPE)
        attached = _fitting(reason, room)
        told: dict[str, MessageAttributeValueTypeDef] = {}
        if attached:
            told["reason"] = {"DataType": "String", "StringValue": attached}
        if message.traceparent and len(reason.encode()) + TRACEPARENT_BYTES <= room:
            told |= traceparent_attribute(message.traceparent)
        try:
            sqs_message_id = await confirmed("SendMessage", self._send(url, message.body, told))
        except QueueUnavailableError as error:
            self.forget()
            raise of_the_dead_letter_queue(url, error) from None
        if attached != reason:
            _log.warning(
                "dead_letter_reason_cut_off",
                message_id=sha256(message.body).hexdigest(),
                sqs_message_id=sqs_message_id,
                reason=reason,
                attached=attached,
            )

    async def _send(self, url: str, body: bytes, told: dict[str, MessageAttributeValueTypeDef]) -> str:
        reply = await self._client.send_message(QueueUrl=url, MessageBody=body.decode(), MessageAttributes=told)
        if reply["MD5OfMessageBody"] != digest(body):
            raise QueueUnavailableError("SQS SendMessage: the dead-letter queue stored other bytes")
        return reply["MessageId"]

    async def _find(self) -> str:
        """By AWS's rule it is of the same account and region, so that only the name differs.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        """
        found = await attributes(self._client, self._source_url, "RedrivePolicy")
        policy = found.get("RedrivePolicy")
        if not policy:
            raise NoDeadLetterQueueError("the queue has no dead-letter queue: set a RedrivePolicy on it")
        name = json.loads(policy)["deadLetterTargetArn"].rpartition(":")[2]
        return f"{self._source_url.rpartition('/')[0]}/{name}"


def of_the_dead_letter_queue(url: str, error: QueueUnavailableError) -> QueueUnavailableError:
    """The same error, which names this queue: else an operator takes the queue for the one that is unavailable."""
    return QueueUnavailableError(f"the dead-letter queue {url.rpartition('/')[2]}: {error}", code=error.code)


def _fitting(reason: str, room: int) -> str:
    """The reason in no more bytes than there is room for: with its end cut off, or empty."""
    encoded = reason.encode()
    if len(encoded) <= room:
        return reason
    shortened = encoded[: max(0, room - len(_CUT_OFF.encode()))].decode(errors="ignore")
    return f"{shortened}{_CUT_OFF}" if shortened else ""
