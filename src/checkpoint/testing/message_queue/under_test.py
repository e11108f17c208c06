"""A queue as the contract's tests see it: opened through its adapter, looked at past it."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from checkpoint.message_queue.adapters import open_receiving, open_sending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from checkpoint.message_queue.admin import AdminQueue
    from checkpoint.message_queue.port import Message, ReceivingQueue, SendingQueue

LONG_SECONDS: Final = 60  # longer than any test lasts
_DEADLINE_SECONDS: Final = 15


class Halves(NamedTuple):
    """Both halves of a queue, open."""

    sending: SendingQueue
    receiving: ReceivingQueue


class QueueUnderTest(Protocol):
    """A fresh, empty queue."""

    @property
    def max_receives(self) -> int:
        """How often the queue gives out a message before it dead-letters it; 2 to 5."""
        ...

    def open(self) -> AbstractAsyncContextManager[Halves]:
        """Both halves, with connections of their own; called several times, also while others are open."""
        ...

    def open_out_of_reach(self) -> AbstractAsyncContextManager[Halves]:
        """Both halves of a queue that cannot be reached."""
        ...

    def bodies(self) -> list[bytes]:
        """What waits on the queue; may take it from there."""
        ...

    def dead_letters(self) -> list[tuple[bytes, str]]:
        """What was dead-lettered, and why; may take it from there."""
        ...


class AdminQueueUnderTest(QueueUnderTest, Protocol):
    """One whose adapter has `open_admin`, too."""

    def open_admin(self) -> AbstractAsyncContextManager[AdminQueue]:
        """The operator's part, with connections of its own; called while both halves are open."""
        ...

    def open_admin_out_of_reach(self) -> AbstractAsyncContextManager[AdminQueue]:
        """The operator's part of a queue that cannot be reached."""
        ...


@asynccontextmanager
async def open_halves(url: str) -> AsyncIterator[Halves]:
    """Both halves of the queue at a URL, found as the programs find it."""
    async with AsyncExitStack() as stack:
        sending = await stack.enter_async_context(open_sending(url))
        receiving = await stack.enter_async_context(open_receiving(url))
        yield Halves(sending, receiving)


async def send_all(sending: SendingQueue, bodies: Sequence[bytes]) -> None:
    """Send in as many calls as the limits ask for."""
    entries = sending.limits.entries
    for first in range(0, len(bodies), entries):
        batch = bodies[first : first + entries]
        assert await sending.send(batch) == [None] * len(batch)


async def take(
    receiving: ReceivingQueue, count: int, *, visibility_seconds: int = LONG_SECONDS, at_most: int | None = None
) -> list[Message]:
    """Receive until there are so many; a queue may give fewer at a time.

    at_most: for each call; as many as the limits allow where it is None.
    """
    messages: list[Message] = []
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while len(messages) < count and time.monotonic() < deadline:
        messages += await receiving.receive(
            at_most or receiving.limits.entries, wait_seconds=1, visibility_seconds=visibility_seconds
        )
    assert len(messages) == count
    return messages
