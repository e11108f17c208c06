"""Calls to SQS as the port means them: outages and faults, without a message's content."""

from __future__ import annotations

import asyncio
from hashlib import md5
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar

from botocore.exceptions import ClientError

from checkpoint.message_queue.port import EntryFault, Limits, QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from types_aiobotocore_sqs.type_defs import BatchResultErrorEntryTypeDef

_T = TypeVar("_T")

# AWS takes 1,048,576 bytes per call, and per message what the queue's MaximumMessageSize says. The queue that
# Terraform makes says 262,144, which was AWS's own limit until August 2025. The smaller number holds everywhere.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
#
# A call lasts some 20 ms, and a core makes about a thousand of them per second: more at once than this only queue up.
LIMITS: Final = Limits(entries=10, payload_bytes=262_144, message_bytes=262_144, calls_at_once=32)

CALL_SECONDS: Final = 10  # for a call with its retries
_UNNAMED: Final = EntryFault("SQS did not say what became of it.", is_transient=True)


class _Entry(TypedDict):
    Id: str


async def confirmed(operation: str, reply: Awaitable[_T], *, seconds: float = CALL_SECONDS) -> _T:
    """Await a call to SQS, and the reading of its reply.

    Raises QueueUnavailableError with the operation and a code and no more: the SDK's own messages repeat arguments.
    """
    try:
        async with asyncio.timeout(seconds):
            return await reply
    except QueueUnavailableError:
        raise
    except ClientError as error:
        cause = str(error.response.get("Error", {}).get("Code", "an error without a code"))
    except Exception as error:  # noqa: BLE001  whatever the SDK makes of an odd reply, the call was not confirmed
        cause = type(error).__name__
    raise QueueUnavailableError(f"QUEUE_URL: SQS {operation}: {cause}")


def faults(
    count: int, successful: Iterable[_Entry], failed: Sequence[BatchResultErrorEntryTypeDef]
) -> list[EntryFault | None]:
    """What became of each entry of a batch call, whose Ids are the places 0 to `count` - 1.

    A batch call can succeed as a whole while entries of it fail; one that the reply does not name has failed too.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
    """
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
