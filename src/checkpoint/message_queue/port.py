"""What a message queue is to Checkpoint: a sending half and a receiving half, with the meanings of SQS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class QueueUnavailableError(Exception):
    """The queue did not confirm the call. Its message names the cause, never a message's content."""


class NoDeadLetterQueueError(Exception):
    """The queue has nowhere to set a message aside; it stays, hidden for as long as the queue can hide it."""


class EntryFault(NamedTuple):
    """Why one entry of a call failed while its neighbours may have gone through."""

    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call to the queue may carry.

    entries: messages a call.
    payload_bytes: bytes of all their bodies together, in UTF-8.
    calls_at_once: calls that may usefully be under way together.
    """

    entries: int
    payload_bytes: int
    calls_at_once: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """A received message.

    body: the bytes that were sent.
    receipt: stands for this one receive of it; a later receive makes it stale.
    receive_count: receives so far, this one included.
    """

    body: bytes = field(repr=False)
    receipt: str
    receive_count: int


class SendingQueue(Protocol):
    """The intake's half."""

    @property
    def limits(self) -> Limits:
        """What one call may carry."""
        ...

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """Put bodies (UTF-8 text) on the queue in one call, within the limits; None at a body's place: it is durable.

        Raises QueueUnavailableError where the call as a whole was not confirmed (some may be on the queue all the
        same).
        """
        ...

    async def probe(self) -> None:
        """Ask, as cheaply as it can be asked, whether a send would be confirmed. Raises QueueUnavailableError."""
        ...


class ReceivingQueue(Protocol):
    """The broker's half. Every call raises QueueUnavailableError where it was not confirmed as a whole."""

    @property
    def limits(self) -> Limits:
        """What one call may carry."""
        ...

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        """Take up to `at_most` messages, and hide them from every other receiver for `visibility_seconds`.

        Waits up to `wait_seconds` for the first; an empty list says that none came. Cancelling it loses nothing: what
        it was about to hand over becomes visible again.
        """
        ...

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        """Remove messages for good; a fault for one whose receipt is stale."""
        ...

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        """Hide messages for `visibility_seconds` from now; 0 hands them back at once. A fault for a stale receipt."""
        ...

    async def dead_letter(self, message: Message, reason: str) -> None:
        """Move a message to the dead-letter queue, with the reason. It is there before it is gone from here.

        A stale receipt is no error: someone else has the message now, who will come to set it aside as well.
        Raises NoDeadLetterQueueError where there is no such queue: no outage, so nothing to wait for.
        """
        ...
