"""A queue inside one process: what unit tests use, and the model that the other queues are compared with."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.admin import DeadLetter, QueuedMessage
from checkpoint.message_queue.port import Depth, EntryFault, Limits, Message, QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

_LOOK_SECONDS: Final = 0.005
_STALE: Final = EntryFault("The receipt is stale.")
_GONE: Final = EntryFault("It is no longer in the dead-letter queue.")


@dataclass(eq=False)
class _Stored:
    body: bytes
    sent_at: float
    traceparent: str | None = None
    visible_at: float = 0
    receive_count: int = 0
    receipt: str | None = None


class MemoryQueue:
    """Both halves of a queue, with every message in view.

    max_receives: a message received that often is dead-lettered instead of being received again.
    now: the clock that visibility goes by, in seconds.
    monotonic: the clock that the wait of a receive goes by, in seconds.
    unavailable: set it to a text, and every call raises QueueUnavailableError with it; None ends the outage.
    """

    def __init__(
        self,
        *,
        limits: Limits = Limits(entries=10, payload_bytes=262_144, message_bytes=262_144),  # noqa: B008 (frozen)
        max_receives: int = 20,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self.dead_letters: list[DeadLetter] = []
        self.unavailable: str | None = None
        self._stored: list[_Stored] = []
        self._receipts = map(str, count(1))
        self._dead_letter_ids = map(str, count(1))
        self._max_receives = max_receives
        self._now = now
        self._monotonic = monotonic

    @property
    def bodies(self) -> list[bytes]:
        """The body of every message on the queue, hidden ones too, in the order of sending."""
        return [stored.body for stored in self._stored]

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """As the port says, for as long as the process lives."""
        return await self.send_traced(bodies, [None] * len(bodies))

    async def send_traced(self, bodies: Sequence[bytes], traceparents: Sequence[str | None]) -> list[EntryFault | None]:
        """As the port says."""
        await self.probe()
        now = self._now()
        self._stored += [_Stored(body, now, each) for body, each in zip(bodies, traceparents, strict=True)]
        return [None] * len(bodies)

    async def probe(self) -> None:
        """As the port says."""
        if self.unavailable is not None:
            raise QueueUnavailableError(self.unavailable)

    async def receive(self, at_most: int, *, wait_seconds: float, visibility_seconds: int) -> list[Message]:
        """As the port says; looks again every few milliseconds while it waits."""
        deadline = self._monotonic() + wait_seconds
        while True:
            await self.probe()
            messages = self._take(at_most, visibility_seconds)
            remaining = deadline - self._monotonic()
            if messages or remaining <= 0:
                return messages
            await asyncio.sleep(min(_LOOK_SECONDS, remaining))

    async def delete(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        """As the port says."""
        await self.probe()
        return [None if self._remove(message) is not None else _STALE for message in messages]

    async def change_visibility(self, messages: Sequence[Message], visibility_seconds: int) -> list[EntryFault | None]:
        """As the port says."""
        await self.probe()
        faults: list[EntryFault | None] = [None] * len(messages)
        for place, message in enumerate(messages):
            if stored := self._in_flight(message):
                stored.visible_at = self._now() + visibility_seconds
            else:
                faults[place] = _STALE
        return faults

    async def dead_letter(self, message: Message, reason: str) -> None:
        """As the port says."""
        await self.probe()
        if stored := self._remove(message):
            self._bury(stored, reason)

    def look(self) -> list[QueuedMessage]:
        """Every message, as a search finds it."""
        now = self._now()
        return [
            QueuedMessage(stored.body, stored.receive_count, stored.sent_at, max(0.0, stored.visible_at - now))
            for stored in self._stored
        ]

    async def depth(self) -> Depth:
        """As MeasuredQueue says."""
        await self.probe()
        now = self._now()
        in_flight = sum(stored.visible_at > now for stored in self._stored)
        oldest_seconds = max((now - stored.sent_at for stored in self._stored), default=None)
        return Depth(len(self._stored) - in_flight, in_flight, oldest_seconds, len(self.dead_letters))

    def _take(self, at_most: int, visibility_seconds: int) -> list[Message]:
        now = self._now()
        taken: list[Message] = []
        payload_bytes = 0
        for stored in sorted(self._stored, key=attrgetter("visible_at")):
            payload_bytes += len(stored.body)
            is_full = len(taken) == at_most or (taken and payload_bytes > self.limits.payload_bytes)
            if stored.visible_at > now or is_full:
                break
            if stored.receive_count >= self._max_receives:
                self._stored.remove(stored)
                self._bury(stored, f"It was received {stored.receive_count} times and never deleted.")
                continue
            stored.receive_count += 1
            stored.visible_at = now + visibility_seconds
            stored.receipt = next(self._receipts)
            message = Message(
                stored.body, stored.receipt, stored.receive_count, stored.sent_at, traceparent=stored.traceparent
            )
            taken.append(message)
        return taken

    def _in_flight(self, message: Message) -> _Stored | None:
        """What the receipt stands for; None where it is stale."""
        return next((stored for stored in self._stored if stored.receipt == message.receipt), None)

    def _remove(self, message: Message) -> _Stored | None:
        stored = self._in_flight(message)
        if stored:
            self._stored.remove(stored)
        return stored

    def _bury(self, stored: _Stored, reason: str) -> None:
        self.dead_letters.append(
            DeadLetter(
                id=next(self._dead_letter_ids),
                body=stored.body,
                reason=reason,
                receive_count=stored.receive_count,
                sent_at=stored.sent_at,
                dead_at=self._now(),
                traceparent=stored.traceparent,
            )
        )


class MemoryAdminQueue:
    """The operator's part of such a queue."""

    is_searchable = True

    def __init__(self, queue: MemoryQueue) -> None:
        self._queue = queue

    async def depth(self) -> Depth:
        """As MeasuredQueue says."""
        return await self._queue.depth()

    async def find(self, matches: Callable[[bytes], bool]) -> AsyncIterator[QueuedMessage]:
        """As the port says."""
        await self._queue.probe()
        for message in self._queue.look():
            if matches(message.body):
                yield message

    async def dead_letters(self) -> AsyncIterator[DeadLetter]:
        """As the port says; those that are there when it begins."""
        await self._queue.probe()
        for letter in list(self._queue.dead_letters):
            yield letter

    async def redrive(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        """As the port says."""
        faults = await self.drop(dead_letters)
        sent = [letter for letter, fault in zip(dead_letters, faults, strict=True) if fault is None]
        await self._queue.send_traced([letter.body for letter in sent], [letter.traceparent for letter in sent])
        return faults

    async def drop(self, dead_letters: Sequence[DeadLetter]) -> list[EntryFault | None]:
        """As the port says."""
        await self._queue.probe()
        faults: list[EntryFault | None] = []
        for letter in dead_letters:
            kept = [each for each in self._queue.dead_letters if each.id != letter.id]
            faults.append(_GONE if len(kept) == len(self._queue.dead_letters) else None)
            self._queue.dead_letters[:] = kept
        return faults

    async def release(self, dead_letters: Sequence[DeadLetter]) -> None:
        """As the port says: there is nothing to do."""
