"""The operator's part of an SQS queue, as far as SQS has one: messages show by receives alone, which hide them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.admin import DeadLetter
from checkpoint.message_queue.port import EntryFault, Message, QueueUnavailableError
from checkpoint.message_queue.sqs.calls import ENTRIES, confirmed
from checkpoint.message_queue.sqs.dead_letter_queue import DeadLetterQueue, of_the_dead_letter_queue
from checkpoint.message_queue.sqs.depth import depth
from checkpoint.message_queue.sqs.queue import SQSReceivingQueue, SQSSendingQueue, intact
from checkpoint.message_queue.sqs.traceparent import TRACEPARENT, traceparent_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef

    from checkpoint.message_queue.admin import QueuedMessage
    from checkpoint.message_queue.port import Depth

# For how long a look hides a dead letter: longer than a look at 100,000 takes, and short enough to wait for.
HIDDEN_SECONDS: Final = 600
# A long poll asks all of SQS's servers, a short one some of them; so an empty long poll means more.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
WAIT_SECONDS: Final = 1
# Receives at the same time: each may bring ten messages of a mebibyte.
_AT_ONCE: Final = 4
# So many times in a row nothing new must come from them all, before there are no more.
_EMPTY_ROUNDS: Final = 2


class SQSAdminQueue:
    """Looks at the dead-letter queue by receives; SQS shows 120,000 messages in this way at most, then no more.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
    It remembers the receipt of the last receive of each message, so that it can release, redrive and drop what it has
    shown although it has received it again since.
    """

    is_searchable = False

    def __init__(self, client: SQSClient, url: str, *, wait_seconds: int = WAIT_SECONDS) -> None:
        self._client = client
        self._url = url
        self._wait_seconds = wait_seconds
        self._dead_letters = DeadLetterQueue(client, url)
        self._receipts: dict[str, str] = {}
        self._not_shown: dict[str, DeadLetter] = {}

    async def depth(self) -> Depth:
        """As MeasuredQueue says."""
        return await depth(self._client, self._url, self._dead_letters)

    def find(self, matches: Callable[[bytes], bool]) -> AsyncIterator[QueuedMessage]:
        """As the port says."""
        raise NotImplementedError("SQS shows a message by a receive alone, which would hide it from the broker")

    async def dead_letters(self) -> AsyncIterator[DeadLetter]:
        """As the port says, in no order; each is hidden for HIDDEN_SECONDS.

        A message that SQS moved by its RedrivePolicy has no reason, and the count of its receives. One that the broker
        sent has a reason, and counts the looks at it alone, so nothing is said.
        A body that does not match its MD5 is left out.
        """
        url = await self._dead_letters.url()
        shown: set[str] = set()
        empty_rounds = 0
        while empty_rounds < _EMPTY_ROUNDS:
            calls = (confirmed("ReceiveMessage", self._receive(url)) for _ in range(_AT_ONCE))
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            found = [letter for letters in outcomes if not isinstance(letters, BaseException) for letter in letters]
            self._receipts |= {letter.id: letter.handle for letter in found}
            new = {letter.id: letter for letter in found if letter.id not in shown}
            shown |= new.keys()
            empty_rounds = 0 if new else empty_rounds + 1
            self._not_shown |= new
            for letter in new.values():
                del self._not_shown[letter.id]
                yield letter
            for outcome in outcomes:  # only now, so that what came with it can be released
                if isinstance(outcome, QueueUnavailableError):
                    raise of_the_dead_letter_queue(url, outcome) from None
                if isinstance(outcome, BaseException):
                    raise outcome

    async def redrive(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        """As the port says. Each is sent first, then deleted from the dead-letter queue, by ten at a time."""
        sending = SQSSendingQueue(self._client, self._url)
        await sending.probe()
        url = await self._dead_letters.url()

        async def redrive(batch: Sequence[DeadLetter]) -> list[EntryFault | None]:
            faults = await sending.send_traced(
                [letter.body for letter in batch], [letter.traceparent for letter in batch]
            )
            sent = [letter for letter, fault in zip(batch, faults, strict=True) if fault is None]
            deleted = iter(await self._delete_sent(url, sent))
            return [fault or next(deleted) for fault in faults]

        batches = list(_batches(dead_letters, sending.limits.payload_bytes))
        return await _all(batches, redrive)

    async def drop(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        """As the port says."""
        url = await self._dead_letters.url()
        return await _all(list(_batches(dead_letters)), lambda batch: self._delete(url, batch))

    async def release(self, dead_letters: Sequence[DeadLetter]) -> None:
        """As the port says; what is no longer there, or was received by others since, is left alone."""
        url = await self._dead_letters.url()
        receiving = SQSReceivingQueue(self._client, url)
        hidden = [*dead_letters, *self._not_shown.values()]
        self._not_shown.clear()
        await _all(list(_batches(hidden)), lambda batch: receiving.change_visibility(list(map(self._held, batch)), 0))
        for letter in hidden:
            self._receipts.pop(letter.id, None)

    async def _receive(self, url: str) -> list[DeadLetter]:
        reply = await self._client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=ENTRIES,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "DeadLetterQueueSourceArn", "SentTimestamp"],
            MessageAttributeNames=["reason", TRACEPARENT],
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=self._wait_seconds,
        )
        return [_dead_letter(message) for message in reply.get("Messages", []) if intact(message)]

    async def _delete(self, url: str, batch: Sequence[DeadLetter]) -> list[EntryFault | None]:
        return await SQSReceivingQueue(self._client, url).delete(list(map(self._held, batch)))

    async def _delete_sent(self, url: str, sent: Sequence[DeadLetter]) -> list[EntryFault | None]:
        """What was sent and is still a dead letter has a fault that says so."""
        if not sent:
            return []
        try:
            faults = await self._delete(url, sent)
        except QueueUnavailableError as error:
            faults = [EntryFault(str(error), is_transient=True)] * len(sent)
        return [
            fault and fault._replace(reason=f"It was sent to the queue, but is still a dead letter: {fault.reason}")
            for fault in faults
        ]

    def _held(self, letter: DeadLetter) -> Message:
        return Message(b"", self._receipts.get(letter.id, letter.handle), 0)


def _dead_letter(message: MessageTypeDef) -> DeadLetter:
    """SentTimestamp: of a message that SQS moved, when it was sent to the queue; of another, to the dead-letter queue.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    """
    system = message.get("Attributes", {})
    attributes = message.get("MessageAttributes", {})
    reason = attributes["reason"].get("StringValue", "") if "reason" in attributes else ""
    sent_at = int(system["SentTimestamp"]) / 1_000 if "SentTimestamp" in system else None
    count = system.get("ApproximateReceiveCount")
    was_moved = not reason and "DeadLetterQueueSourceArn" in system
    return DeadLetter(
        id=message["MessageId"],
        body=message["Body"].encode(),
        reason=reason,
        receive_count=int(count) if was_moved and count else None,
        sent_at=sent_at if was_moved else None,
        dead_at=None if was_moved else sent_at,
        handle=message["ReceiptHandle"],
        traceparent=traceparent_of(message),
    )


def _batches(letters: Sequence[DeadLetter], payload_bytes: int | None = None) -> Iterator[Sequence[DeadLetter]]:
    """What one call carries: so many bytes, or one body that is longer."""
    batch: list[DeadLetter] = []
    total = 0
    for letter in letters:
        total += len(letter.body)
        if batch and (len(batch) == ENTRIES or (payload_bytes is not None and total > payload_bytes)):
            yield batch
            batch, total = [], len(letter.body)
        batch.append(letter)
    if batch:
        yield batch


async def _all(
    batches: Sequence[Sequence[DeadLetter]],
    call: Callable[[Sequence[DeadLetter]], Awaitable[list[EntryFault | None]]],
) -> list[EntryFault | None]:
    """Make a call for each batch, some at once. What one that fails was about has a fault, where others succeeded.

    Raises QueueUnavailableError where all failed.
    """
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def make(batch: Sequence[DeadLetter]) -> list[EntryFault | None] | QueueUnavailableError:
        async with at_once:
            try:
                return await call(batch)
            except QueueUnavailableError as error:
                return error

    outcomes = await asyncio.gather(*map(make, batches))
    errors = [outcome for outcome in outcomes if isinstance(outcome, QueueUnavailableError)]
    if errors and len(errors) == len(outcomes):
        raise errors[0]
    faults: list[EntryFault | None] = []
    for batch, outcome in zip(batches, outcomes, strict=True):
        if isinstance(outcome, QueueUnavailableError):
            faults += [EntryFault(str(outcome), is_transient=True)] * len(batch)
        else:
            faults += outcome
    return faults
