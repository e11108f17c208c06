"""Calls to SQS as the port means them: outages and faults, without a message's content."""

from __future__ import annotations

import asyncio
from hashlib import md5
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar

from botocore.exceptions import ClientError

from checkpoint.message_queue.port import EntryFault, Limits, NoDeadLetterQueueError, QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.literals import QueueAttributeNameType
    from types_aiobotocore_sqs.type_defs import BatchResultErrorEntryTypeDef

_T = TypeVar("_T")

ENTRIES: Final = 10

# A queue takes messages of up to its MaximumMessageSize, at most 1,048,576 bytes, and a call as much in all. Until
# August 2025 AWS took 262,144, and some emulators still do: so calls are longer only where messages may be.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
LONGEST_MESSAGE_BYTES: Final = 1_048_576
_ANY_QUEUE_TAKES_BYTES: Final = 262_144

# The SDK takes a core for part of each call, so more calls at once than this only wait for each other.
_CALLS_AT_ONCE: Final = 32

# AWS bills a call by its payload in units of 64 KiB, whatever number of messages that is, and a call takes longer than
# this: so a full call is worth the wait. https://aws.amazon.com/sqs/pricing/
_LINGER_SECONDS: Final = 0.005

CALL_SECONDS: Final = 10  # for a call with its retries
_UNNAMED: Final = EntryFault("SQS did not say what became of it.", is_transient=True)


def sending_limits(message_bytes: int | None) -> Limits:
    """The limits of a queue that takes messages of so many bytes; None: it was not asked yet."""
    return Limits(
        entries=ENTRIES,
        payload_bytes=max(_ANY_QUEUE_TAKES_BYTES, message_bytes or 0),
        message_bytes=message_bytes,
        calls_at_once=_CALLS_AT_ONCE,
        linger_seconds=_LINGER_SECONDS,
    )


def receiving_limits(message_bytes: int) -> Limits:
    """The limits of a queue from which such messages come: SQS bounds what a receive brings by their number alone."""
    return Limits(
        entries=ENTRIES,
        payload_bytes=ENTRIES * message_bytes,
        message_bytes=message_bytes,
        calls_at_once=_CALLS_AT_ONCE,
    )


class _Entry(TypedDict):
    Id: str


async def confirmed(operation: str, reply: Awaitable[_T], *, seconds: float = CALL_SECONDS) -> _T:
    """Await a call to SQS, and the reading of its reply.

    Raises QueueUnavailableError with the operation and a code and no more: the SDK's own messages repeat arguments.
    """
    try:
        async with asyncio.timeout(seconds):
            return await reply
    except (QueueUnavailableError, NoDeadLetterQueueError):
        raise
    except ClientError as error:
        cause = str(error.response.get("Error", {}).get("Code", "an error without a code"))
    except Exception as error:  # noqa: BLE001  whatever the SDK makes of an odd reply, the call was not confirmed
        cause = type(error).__name__
    raise QueueUnavailableError(f"SQS {operation}: {cause}", code=cause)


async def attributes(client: SQSClient, url: str, *names: QueueAttributeNameType) -> dict[str, str]:
    """Attributes of a queue, those that it has. Raises QueueUnavailableError.

    Asks for its ARN too, which every queue has: an answer without that is not about the queue.
    """

    async def ask() -> dict[str, str]:
        reply = await client.get_queue_attributes(QueueUrl=url, AttributeNames=[*names, "QueueArn"])
        found = {str(name): value for name, value in reply.get("Attributes", {}).items()}
        if "QueueArn" not in found:
            raise QueueUnavailableError("SQS GetQueueAttributes: an answer without the queue's ARN")
        return found

    return await confirmed("GetQueueAttributes", ask())


async def max_message_bytes(client: SQSClient, url: str) -> int:
    """What the queue's owner has set as MaximumMessageSize. Raises QueueUnavailableError."""

    async def ask() -> int:
        # Some emulators leave the attribute out.
        found = await attributes(client, url, "MaximumMessageSize")
        return int(found.get("MaximumMessageSize") or _ANY_QUEUE_TAKES_BYTES)

    return await confirmed("GetQueueAttributes", ask())


def faults(
    operation: str, count: int, successful: Sequence[_Entry], failed: Sequence[BatchResultErrorEntryTypeDef]
) -> list[EntryFault | None]:
    """What became of each entry of a batch call, whose Ids are the places 0 to `count` - 1.

    A batch call can succeed as a whole while entries of it fail; one that the reply does not name has failed too.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
    Raises QueueUnavailableError for a reply that names no entry at all: SQS gives none such.
    """
    if not successful and not failed:
        raise QueueUnavailableError(f"SQS {operation}: an answer that names no entry")
    outcome: dict[str, EntryFault | None] = {entry["Id"]: None for entry in successful}
    outcome |= {
        entry["Id"]: EntryFault(entry["Code"], is_transient=not entry.get("SenderFault", True)) for entry in failed
    }
    return [outcome.get(str(place), _UNNAMED) for place in range(count)]


def digest(body: bytes) -> str:
    """The MD5 by which SQS shows what it stored.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatchResultEntry.html
    """
    return md5(body, usedforsecurity=False).hexdigest()
