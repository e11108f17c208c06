"""The dead-letter queue that the RedrivePolicy of an SQS queue names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from checkpoint.message_queue.port import Message, NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.message_queue.sqs.calls import confirmed, digest

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageAttributeValueTypeDef


class DeadLetterQueue:
    """The dead-letter queue of the queue at `url`; its URL is remembered once it is known."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._source_url = url
        self._url: str | None = None

    async def send(self, message: Message, reason: str, *, message_bytes: int) -> None:
        """Put a message there, with a message attribute `reason` where both together have no more than these bytes.

        Raises NoDeadLetterQueueError or QueueUnavailableError.
        """
        if self._url is None:
            self._url = await self._find()
        attributes = _attributes(message.body, reason, message_bytes)
        try:
            await confirmed("SendMessage", self._send(self._url, message.body, attributes))
        except QueueUnavailableError:
            self._url = None  # the queue may have been given another dead-letter queue
            raise

    async def _send(self, url: str, body: bytes, attributes: dict[str, MessageAttributeValueTypeDef]) -> None:
        reply = await self._client.send_message(QueueUrl=url, MessageBody=body.decode(), MessageAttributes=attributes)
        if reply["MD5OfMessageBody"] != digest(body):
            raise QueueUnavailableError("SQS SendMessage: the dead-letter queue stored other bytes")

    async def _find(self) -> str:
        """By AWS's rule it is of the same account and region, so that only the name differs.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        """
        reply = await confirmed(
            "GetQueueAttributes",
            self._client.get_queue_attributes(QueueUrl=self._source_url, AttributeNames=["RedrivePolicy"]),
        )
        policy = reply.get("Attributes", {}).get("RedrivePolicy")
        if not policy:
            raise NoDeadLetterQueueError("the queue has no dead-letter queue: set a RedrivePolicy on it")
        name = json.loads(policy)["deadLetterTargetArn"].rpartition(":")[2]
        return f"{self._source_url.rpartition('/')[0]}/{name}"


def _attributes(body: bytes, reason: str, message_bytes: int) -> dict[str, MessageAttributeValueTypeDef]:
    """An attribute's name, type and value count as part of the message's size.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    size = len(body) + len(b"reasonString") + len(reason.encode())
    return {"reason": {"DataType": "String", "StringValue": reason}} if size <= message_bytes else {}
