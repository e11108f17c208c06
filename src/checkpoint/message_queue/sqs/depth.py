"""How much is on an SQS queue, as its attributes tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import Depth, NoDeadLetterQueueError, QueueUnavailableError
from checkpoint.message_queue.sqs.calls import attributes, confirmed
from checkpoint.message_queue.sqs.dead_letter_queue import of_the_dead_letter_queue

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.literals import QueueAttributeNameType

    from checkpoint.message_queue.sqs.dead_letter_queue import DeadLetterQueue

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
_VISIBLE: Final = "ApproximateNumberOfMessages"
_IN_FLIGHT: Final = "ApproximateNumberOfMessagesNotVisible"
_DELAYED: Final = "ApproximateNumberOfMessagesDelayed"


async def depth(client: SQSClient, url: str, dead_letters: DeadLetterQueue) -> Depth:
    """As MeasuredQueue says. How old the oldest message is, only CloudWatch knows (ApproximateAgeOfOldestMessage).

    A message that the queue's DelaySeconds still hide counts as waiting.
    """
    visible, in_flight, delayed = await _numbers(client, url, _VISIBLE, _IN_FLIGHT, _DELAYED)
    return Depth(visible + delayed, in_flight, None, await _count(client, dead_letters))


async def _count(client: SQSClient, dead_letters: DeadLetterQueue) -> int | None:
    """Those too that an operator's look hides."""
    try:
        url = await dead_letters.url()
    except NoDeadLetterQueueError:
        return None
    try:
        return sum(await _numbers(client, url, _VISIBLE, _IN_FLIGHT))
    except QueueUnavailableError as error:
        dead_letters.forget()
        raise of_the_dead_letter_queue(url, error) from None


async def _numbers(client: SQSClient, url: str, *names: QueueAttributeNameType) -> list[int]:
    """Some emulators leave an attribute out that is 0."""

    async def ask() -> list[int]:
        found = await attributes(client, url, *names)
        return [int(found.get(name, 0)) for name in names]

    return await confirmed("GetQueueAttributes", ask())
