"""The messages in flight: received, and not ended yet."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.batching import Batcher
from checkpoint.message_queue.port import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import EntryFault, Message, ReceivingQueue
    from message_broker.circuit_breaker import CircuitBreaker
    from message_broker.slots import Slots

_log = structlog.get_logger()

# Nobody waits for a delete: fewer calls with more in each cost nothing but save processor time and money.
_LINGER_SECONDS: Final = 0.1
_DELETES_AT_ONCE: Final = 8
_MOST_DOUBLINGS: Final = 9


@dataclass(eq=False, slots=True)
class Held:
    """A message in flight.

    hidden_until: when its visibility timeout ends, by the monotonic clock; None where its receipt is known as expired.
    has_slot: from its receive until its object is durable.
    """

    message: Message
    hidden_until: float | None
    has_slot: bool = True


class InFlight:
    """Owns every message from its receive to its one ending: deleted, dead-lettered, or released.

    max_pending_deletes: messages that may wait for their delete, beside those that hold a slot.
    visibility_seconds: for which a message is hidden from other receivers; taken anew at half of it.
    """

    def __init__(
        self,
        queue: ReceivingQueue,
        *,
        slots: Slots,
        breaker: CircuitBreaker,
        max_pending_deletes: int,
        visibility_seconds: int,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._slots = slots
        self._breaker = breaker
        self._room_for_deletes = asyncio.Semaphore(max_pending_deletes)
        self._visibility_seconds = visibility_seconds
        self._clock = clock
        self._held: set[Held] = set()
        self._deletes: Batcher[Message, EntryFault | None] = Batcher(
            queue.delete,
            entries=queue.limits.entries,
            calls_at_once=min(_DELETES_AT_ONCE, queue.limits.calls_at_once),
            linger_seconds=_LINGER_SECONDS,
        )
        self._releases: Batcher[Message, EntryFault | None] = Batcher(self._make_visible, entries=queue.limits.entries)

    @property
    def count(self) -> int:
        """Messages in flight."""
        return len(self._held)

    def add(self, message: Message, *, received_at: float) -> Held:
        """Take over a message for which a slot was reserved.

        received_at: when it was asked for, by the monotonic clock.
        """
        held = Held(message, received_at + self._visibility_seconds)
        self._held.add(held)
        self._breaker.message_received()
        return held

    @asynccontextmanager
    async def until_ended(self, held: Held) -> AsyncIterator[None]:
        """The rest of a message's life; what has not ended with the body is released, later where the body failed."""
        try:
            yield
        except Exception:
            if held in self._held:
                await self.release_later(held)
            raise
        finally:
            if held in self._held:
                await self.release(held)

    async def free_slot(self, held: Held) -> None:
        """Give the slot to another message, for this one's object is durable; waits while too many deletes wait.

        The body goes too: what waits for its delete needs no memory to speak of.
        """
        await self._room_for_deletes.acquire()
        held.message = replace(held.message, body=b"")
        held.has_slot = False
        self._slots.free(1)

    async def delete(self, held: Held) -> EntryFault | None:
        """End a message for good, in a call that is shared with others; a fault where its receipt is expired.

        Raises QueueUnavailableError: it has not ended, and the delete can be tried again.
        """
        fault = await self._deletes.submit(held.message)
        self._end(held)
        return fault

    async def dead_letter(self, held: Held, reason: str) -> None:
        """End a message in the dead-letter queue; where that fails, it comes again when its visibility timeout ends.

        Raises QueueUnavailableError, NoDeadLetterQueueError.
        """
        self._end(held)
        await self._queue.dead_letter(held.message, reason)

    async def release_later(self, held: Held) -> None:
        """Release a message that fails by a fault of its own: after 2 s, 4 s, 8 s, … by its receives so far."""
        await self.release(held, after_seconds=2 ** min(held.message.receive_count, _MOST_DOUBLINGS))

    async def release(self, held: Held, *, after_seconds: int = 0) -> None:
        """End a message here: it is visible to every receiver again, at once or after so many seconds.

        Where the queue is away, it becomes visible when its visibility timeout ends.
        """
        self._end(held)
        if held.hidden_until is None:
            return
        try:
            if after_seconds:
                await self._queue.change_visibility([held.message], after_seconds)
            else:
                await self._releases.submit(held.message)
        except QueueUnavailableError as error:
            _log.warning("release_failed", reason=str(error))

    async def stay_hidden(self) -> None:
        """Keep what is in flight hidden from other receivers, until cancelled."""
        while True:
            await asyncio.sleep(self._visibility_seconds / 6)
            await self.change_visibility()

    async def change_visibility(self) -> None:
        """Hide for a whole visibility timeout from now what is hidden for less than half of one."""
        now = self._clock.monotonic()
        soon = now + self._visibility_seconds / 2
        due = [held for held in self._held if held.hidden_until is not None and held.hidden_until < soon]
        if not due:
            return
        try:
            faults = await self._queue.change_visibility([held.message for held in due], self._visibility_seconds)
        except QueueUnavailableError as error:
            _log.warning("change_visibility_failed", messages=len(due), reason=str(error))
            return
        for held, fault in zip(due, faults, strict=True):
            held.hidden_until = now + self._visibility_seconds if fault is None else None
            if fault:  # another receiver may have it now, which harms nothing: the archive takes it once
                _log.warning("receipt_expired", reason=fault.reason, receive_count=held.message.receive_count)

    async def drain(self) -> None:
        """Let deletes wait for others no longer."""
        await self._deletes.drain()

    async def release_all(self) -> None:
        """Release whatever has not ended."""
        await asyncio.gather(*(self.release(held) for held in list(self._held)))

    async def _make_visible(self, messages: Sequence[Message]) -> list[EntryFault | None]:
        faults = await self._queue.change_visibility(messages, 0)
        _log.info("messages_released", messages=len(messages))
        return faults

    def _end(self, held: Held) -> None:
        self._held.remove(held)
        self._breaker.message_ended()
        if held.has_slot:
            self._slots.free(1)
        else:
            self._room_for_deletes.release()
