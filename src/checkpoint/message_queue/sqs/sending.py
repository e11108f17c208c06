"""The sending half of an SQS queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import EntryFault
from checkpoint.message_queue.sqs.calls import LIMITS, confirmed, digest, faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_aiobotocore_sqs import SQSClient

_DIFFERENT: Final = EntryFault("SQS stored other bytes: MD5OfMessageBody differs.")


class SQSSendingQueue:
    """Sends in batches: a call costs as much with one message as with ten."""

    limits = LIMITS

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """As the port says; a body that SQS stored otherwise than it was sent has a fault."""
        return await confirmed("SendMessageBatch", self._send(bodies))

    async def probe(self) -> None:
        """Ask for the queue's ARN: that costs no message, and fails for the same reasons as most sends."""
        await confirmed(
            "GetQueueAttributes",
            self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"]),
        )

    async def _send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        reply = await self._client.send_message_batch(
            QueueUrl=self._url,
            Entries=[{"Id": str(place), "MessageBody": body.decode()} for place, body in enumerate(bodies)],
        )
        successful = reply.get("Successful", [])
        found = faults(len(bodies), successful, reply.get("Failed", []))
        for entry in successful:
            place = int(entry["Id"])
            if entry["MD5OfMessageBody"] != digest(bodies[place]):
                found[place] = _DIFFERENT
        return found
