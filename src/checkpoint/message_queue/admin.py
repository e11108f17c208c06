"""What an operator does with a queue: count it, search it, and list, redrive or drop its dead letters.

The services need none of it. A queue's adapter offers it by `open_admin`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from checkpoint.message_queue.port import Depth, EntryFault


class QueuedMessage(NamedTuple):
    """A message that is on the queue, as a search found it.

    body: its bytes. receive_count: receives so far. sent_at: in seconds since 1970; None where the queue does not know.
    hidden_seconds: for how much longer it is in flight; 0 where it may be received now.
    """

    body: bytes
    receive_count: int
    sent_at: float | None
    hidden_seconds: float


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in the dead-letter queue.

    id: names it for as long as it is there. body: the bytes that were sent. reason: why it is there; empty where nobody
    said. receive_count: receives before it was dead-lettered; None where the queue no longer knows.
    sent_at, dead_at: in seconds since 1970; None where the queue does not say.
    handle: what redrive and drop need besides the id; it may grow stale. traceparent: as Message has it.
    """

    id: str
    body: bytes = field(repr=False)
    reason: str
    receive_count: int | None
    sent_at: float | None
    dead_at: float | None
    handle: str = field(default="", repr=False)
    traceparent: str | None = None


class AdminQueue(Protocol):
    """The operator's part. Every call raises QueueUnavailableError where it was not confirmed as a whole.

    Nothing of it makes a queue that is not there: opening succeeds, and the calls say that it is unavailable.
    """

    @property
    def is_searchable(self) -> bool:
        """Whether `find` can look at messages without hiding them from the services. SQS has no such call."""
        ...

    async def depth(self) -> Depth:
        """As MeasuredQueue says."""
        ...

    def find(self, matches: Callable[[bytes], bool]) -> AsyncIterator[QueuedMessage]:
        """Every message on the queue whose body matches. It hides none, and holds no lock while it goes on.

        Raises NotImplementedError where the queue is not searchable.
        """
        ...

    def dead_letters(self) -> AsyncIterator[DeadLetter]:
        """Every dead letter. Raises NoDeadLetterQueueError.

        SQS shows messages by receives alone: each is hidden from other operators for some minutes, or until `release`.
        """
        ...

    async def redrive(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        """Send dead letters to the queue again, and take each from the dead-letter queue once it is durable there.

        Returns one result per dead letter, in their order: a fault where it is no longer there, or was not sent. Where
        the program is killed in the middle, one may be in both places: redriven again, it becomes no second object.
        """
        ...

    async def drop(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        """Delete dead letters for good. Returns one result per dead letter, as `redrive`."""
        ...

    async def release(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Let other operators see these, which `dead_letters` has shown, and what it hid and was not asked to show.

        Nothing to do where showing hides nothing.
        """
        ...
