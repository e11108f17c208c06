"""What a message queue is to Checkpoint: a sending half and a receiving half, with the meanings of SQS.

Delivery is at least once and in no promised order, as on an SQS standard queue:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence


# In ASCII: 2 + 32 + 16 + 2 hexadecimal digits, with a dash between each two of these fields. Who passes on one of a
# later version, which may be longer, writes version 00: https://www.w3.org/TR/trace-context/#version
TRACEPARENT_CHARACTERS: Final = 55


class QueueUnavailableError(Exception):
    """The queue did not confirm the call. Its message names the cause, never a message's content.

    code: the cause in one word, as the queue has it, for a metric; empty where there is none.
    """

    def __init__(self, reason: str = "", *, code: str = "") -> None:
        super().__init__(reason)
        self.code = code


class QueueFullError(QueueUnavailableError):
    """There is no room, even for a short message, until others are received and deleted."""


class NoDeadLetterQueueError(Exception):
    """The queue has no dead-letter queue (on SQS: no RedrivePolicy), and its owner must give it one.

    The message is still on the queue, hidden for as long as the queue allows; its message says what to set.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue.html
    """


class EntryFault(NamedTuple):
    """Why one entry of a call failed, while others of the same call may have succeeded.

    reason: for a log; never a message's content, and never its receipt.
    is_transient: whether the same call may succeed later, because the fault is not the entry's.
    lacks_room: whether a queue that has room for short messages has none for one of this length now.
    """

    reason: str
    is_transient: bool = False
    lacks_room: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What a queue takes and gives, and how many calls are worth making at once.

    entries: messages per call. Lists for `delete` and `change_visibility` may be longer: they become several calls.
    payload_bytes: bytes per call, all its bodies together, in UTF-8; a single body may be longer all the same.
    message_bytes: the longest body, in UTF-8; None as long as only the queue knows, and was not reached yet.
    calls_at_once: calls under way at the same time; more than that only wait for each other.
    linger_seconds: how long a message to send may wait for others to fill its call, while another call is under way.
        For a queue whose calls cost as much with one message as with many; 0 for one where a call costs little.
    depth_seconds: how often it may be asked for its depth. SQS counts anew about once a minute.
    """

    entries: int
    payload_bytes: int
    message_bytes: int | None
    calls_at_once: int = 1
    linger_seconds: float = 0
    depth_seconds: float = 60

    def most_bytes(self, entries: int) -> int:
        """The most that the bodies of one receive of so many messages have together."""
        if self.message_bytes is None:
            return self.payload_bytes
        return min(entries * self.message_bytes, max(self.payload_bytes, self.message_bytes))


@dataclass(frozen=True, slots=True)
class Message:
    """A received message.

    body: the bytes that were sent.
    receipt: the handle of this one receive; stale once the message is received again or deleted.
    receive_count: receives so far, this one included; SQS counts approximately.
    sent_at: when it was sent, in seconds since 1970 by the queue's wall clock; None where the queue does not say.
    traceparent: what `send_traced` gave with it, if it had room; only its length is checked.
    """

    body: bytes = field(repr=False)
    receipt: str
    receive_count: int
    sent_at: float | None = None
    traceparent: str | None = None


class Depth(NamedTuple):
    """How much is on a queue. SQS counts approximately, and late by up to a minute.

    waiting: messages that may be received now. in_flight: messages that are hidden, because they were received.
    oldest_seconds: how long ago the oldest message of both was sent; None without one, or where the queue does not say.
    dead_letters: messages in the dead-letter queue; None where there is no such queue.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
    """

    waiting: int
    in_flight: int
    oldest_seconds: float | None
    dead_letters: int | None


@runtime_checkable
class MeasuredQueue(Protocol):
    """What a ReceivingQueue may have besides: a way to tell its depth, by a call that costs little."""

    async def depth(self) -> Depth:
        """How much is on it. Raises QueueUnavailableError."""
        ...


@runtime_checkable
class LocalQueue(Protocol):
    """What either half of a queue on a local volume has besides."""

    def free_bytes(self) -> int:
        """What is free on the volume. Raises OSError. For any thread."""
        ...


class SendingQueue(Protocol):
    """The intake's half."""

    @property
    def limits(self) -> Limits:
        """What may be sent. `message_bytes` is known after the first probe that succeeds; each one may change it."""
        ...

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """Put one message per body on the queue, in one call within the limits; each body is UTF-8 text.

        Returns one result per body, in their order: None where the message is durable, a fault where it is not.
        Raises QueueUnavailableError where the call as a whole was not confirmed; some or all of its messages may be
        on the queue all the same. Raises QueueFullError where a queue that has no room for them put none on itself.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
        """
        ...

    async def probe(self) -> None:
        """Ask, as cheaply as possible, whether a send would be confirmed; puts no message on the queue.

        Raises QueueUnavailableError, QueueFullError.
        """
        ...


@runtime_checkable
class TracedSendingQueue(Protocol):
    """What a SendingQueue may have besides: a place for a `traceparent` beside each message.

    https://www.w3.org/TR/trace-context/#traceparent-header
    """

    async def send_traced(self, bodies: Sequence[bytes], traceparents: Sequence[str | None]) -> list[EntryFault | None]:
        """As `send`, with a traceparent of TRACEPARENT_CHARACTERS for each body, in their order; None for none.

        Where a body leaves no room for its traceparent, it is sent without.
        """
        ...


class ReceivingQueue(Protocol):
    """The broker's half. Every call raises QueueUnavailableError where it was not confirmed as a whole."""

    @property
    def limits(self) -> Limits:
        """What one call may carry, and a receive may bring; known in full after the first receive that succeeds."""
        ...

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        """Receive up to `at_most` messages, and hide them from every receiver for `visibility_seconds`.

        Waits up to `wait_seconds` for the first one; an empty list says that none came. There may be fewer than asked
        for although more are visible. Each receive gives a new receipt and makes the receipts before it stale. A
        message received as often as the queue allows is dead-lettered by the queue instead.

        Cancelling it loses nothing: what it was about to return becomes visible again, after `visibility_seconds` at
        the latest.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
        """
        ...

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        """Remove messages for good.

        Returns one result per message, in their order: None where it is gone, a fault where it is not. A stale receipt
        deletes nothing, so a message that another receiver holds by now stays with it; the result is a fault, though
        SQS may also answer such a receipt with success. To delete a message twice is harmless.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
        """
        ...

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        """Set the visibility timeout of received messages, counted from now.

        They stay hidden for `visibility_seconds`, and not longer. So a receiver that is still at work keeps them in
        flight, and one that gives them up releases them: with 0 they are visible at once, with more after that delay.
        Returns one result per message, in their order: a fault where its receipt is stale, and on SQS also where it is
        visible already, or would be hidden for more than 12 hours (43,200 seconds) since its receive.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
        """
        ...

    async def dead_letter(self, message: Message, reason: str) -> None:
        """Move a message to the dead-letter queue, with the reason. It is durable there before it is gone from here.

        A stale receipt is no error: another receiver has the message now, and will dead-letter it in its turn. So it
        may be in the dead-letter queue twice, and is never lost.
        Raises NoDeadLetterQueueError where there is no such queue. That is no outage, so nothing to wait for.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        """
        ...
