"""The messages in flight: received, and not ended yet."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from checkpoint.batching.batcher import Batcher
from checkpoint.message_queue.port import QueueUnavailableError
from message_broker.circuit_breaker import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from checkpoint.message_queue.port import EntryFault, Message, ReceivingQueue
    from message_broker.circuit_breaker import CircuitBreaker
    from message_broker.slots import Slots
    from message_broker.visibility import VisibilityTimeouts

_log = structlog.get_logger()

# Nobody waits for a delete: fewer calls with more in each cost nothing but save processor time and money.
_LINGER_SECONDS: Final = 0.1
_DELETES_AT_ONCE: Final = 8
_MOST_DOUBLINGS: Final = 9
_CLOSE_SECONDS: Final = 5.0


class StaleReceiptError(Exception):
    """A message could not be deleted by this receipt: it comes again, or another receiver has it already."""


@dataclass(eq=False, slots=True)
class Delivery:
    """One delivery of a message, from its receive to its end here.

    hidden_until: when its visibility timeout ends, by the monotonic clock; None where its receipt is known to be stale.
    has_slot: from its receive until it waits for its delete.
    has_ended: once nothing more is done with it here, also where its last call failed.
    """

    message: Message
    hidden_until: float | None
    has_slot: bool = True
    has_ended: bool = False


class InFlight:
    """Owns each delivery until its one end: deleted, dead-lettered, or released.

    max_pending_deletes: deliveries that may wait for their delete, beside those that have a slot.
    """

    def __init__(
        self,
        queue: ReceivingQueue,
        *,
        slots: Slots,
        breaker: CircuitBreaker,
        visibility: VisibilityTimeouts,
        max_pending_deletes: int,
    ) -> None:
        self._queue = queue
        self._slots = slots
        self._breaker = breaker
        self._visibility = visibility
        self._room_for_deletes = asyncio.Semaphore(max_pending_deletes)
        self._deliveries: set[Delivery] = set()
        # What is released or dead-lettered now. A delete is not among them: it can fail and be tried again.
        self._endings: dict[Delivery, asyncio.Task[None]] = {}
        self._deletes: Batcher[Message, EntryFault | None] = Batcher(
            queue.delete,
            entries=queue.limits.entries,
            calls_at_once=min(_DELETES_AT_ONCE, queue.limits.calls_at_once),
            linger_seconds=_LINGER_SECONDS,
        )

    @property
    def count(self) -> int:
        """Messages in flight."""
        return len(self._deliveries)

    @property
    def payload_bytes(self) -> int:
        """The bytes of their bodies, of those that have a slot. The private port's threads ask, too."""
        deliveries = list(self._deliveries)  # in one step, so that the loop changes none of it meanwhile
        return sum(len(delivery.message.body) for delivery in deliveries)

    @property
    def oldest_sent_at(self) -> float | None:
        """When the oldest message of them was sent, as far as the queue says. For the private port's threads, too."""
        deliveries = list(self._deliveries)  # as above
        return min((each.message.sent_at for each in deliveries if each.message.sent_at is not None), default=None)

    def add(self, message: Message, *, asked_at: float) -> Delivery:
        """Take over a message for which a slot was reserved.

        asked_at: when the receive that brought it began, by the monotonic clock.
        """
        delivery = Delivery(message, asked_at + self._visibility.timeout_seconds)
        self._deliveries.add(delivery)
        self._breaker.trial_began()
        return delivery

    @asynccontextmanager
    async def release_unless_ended(self, delivery: Delivery) -> AsyncIterator[None]:
        """Around the life of a delivery: what did not end in it is released, for later where an error was raised.

        Where it is cancelled, it does not wait for the release; `close` does.
        """
        try:
            yield
        except asyncio.CancelledError:
            self._start_releases([delivery])
            raise
        except Exception:
            if not self._is_over(delivery):
                await self.release_later(delivery)
            raise
        if not self._is_over(delivery):
            await self.release(delivery)

    async def free_slot(self, delivery: Delivery) -> None:
        """Give the slot of a delivery whose object is durable to another; waits while too many deletes wait.

        The body goes too: what waits for its delete needs no memory to speak of.
        """
        await self._room_for_deletes.acquire()
        self._free_slot(delivery)
        delivery.message = replace(delivery.message, body=b"")

    async def delete(self, delivery: Delivery) -> None:
        """End a delivery by deleting the message, in a call that is shared with others.

        Raises QueueUnavailableError: it has not ended, and the delete can be tried again. StaleReceiptError: it has.
        """
        # Until the circuit is closed no other message is received, so there is none to wait for.
        fault = await self._deletes.submit(delivery.message, lingers=self._breaker.state is State.CLOSED)
        if fault and fault.is_transient:
            raise QueueUnavailableError(f"a delete failed: {fault.reason}")
        self._forget(delivery)
        if fault:
            raise StaleReceiptError(fault.reason)

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """End a delivery in the dead-letter queue; where that fails, the message comes again by its visibility timeout.

        Raises QueueUnavailableError, NoDeadLetterQueueError.
        """
        await self._end(delivery, partial(self._queue.dead_letter, delivery.message, reason))

    async def release_later(self, delivery: Delivery) -> None:
        """Release a message that would fail again at once: after 2 s, 4 s, 8 s, … by its receives so far."""
        await self.release(delivery, after_seconds=2 ** min(delivery.message.receive_count, _MOST_DOUBLINGS))

    async def release(self, delivery: Delivery, *, after_seconds: int = 0) -> None:
        """End a delivery by making the message visible to every receiver again, at once or after so many seconds.

        Where the queue is away, it becomes visible when its visibility timeout ends.
        """
        await self._end(delivery, partial(self._visibility.release, delivery, after_seconds=after_seconds))

    async def close(self) -> None:
        """Release whatever has not ended, and wait for what is ending, but no longer than 5 seconds."""
        self._start_releases(list(self._deliveries))
        endings = list(self._endings.values())
        if endings:
            await asyncio.wait(endings, timeout=_CLOSE_SECONDS)
        if self._deliveries:
            reason = f"the queue did not answer within {_CLOSE_SECONDS:g} s"
            _log.warning("release_failed", messages=len(self._deliveries), reason=reason)
        for ending in endings:
            ending.cancel()

    async def flush_deletes(self) -> None:
        """Let deletes wait for others no longer, from now on."""
        await self._deletes.drain()

    async def renew_visibility_periodically(self) -> None:
        """Keep what is in flight hidden from other receivers, until cancelled."""
        while True:
            await asyncio.sleep(self._visibility.timeout_seconds / 6)
            await self.renew_visibility()

    async def renew_visibility(self) -> None:
        """Renew the visibility timeouts that are due."""
        await self._visibility.renew(self._deliveries - self._endings.keys())

    def _start_releases(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if not self._is_over(delivery):
                self._start_ending(delivery, partial(self._visibility.release, delivery, after_seconds=0))

    def _is_over(self, delivery: Delivery) -> bool:
        return delivery.has_ended or delivery in self._endings

    async def _end(self, delivery: Delivery, call: Callable[[], Awaitable[None]]) -> None:
        """End a delivery by a call that goes on if the caller is cancelled: the message would stay hidden otherwise."""
        self._start_ending(delivery, call)
        await asyncio.shield(self._endings[delivery])

    def _start_ending(self, delivery: Delivery, call: Callable[[], Awaitable[None]]) -> None:
        async def end() -> None:
            try:
                await self._visibility.renewal_over()
                await call()
                self._breaker.trial_was_inconclusive()
            finally:
                self._forget(delivery)

        ending = self._endings[delivery] = asyncio.create_task(end())
        # Its caller has its error, unless that was cancelled.
        ending.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def _forget(self, delivery: Delivery) -> None:
        delivery.has_ended = True
        self._deliveries.remove(delivery)
        self._endings.pop(delivery, None)
        self._breaker.trial_ended()
        if delivery.has_slot:
            self._free_slot(delivery)
        else:
            self._room_for_deletes.release()

    def _free_slot(self, delivery: Delivery) -> None:
        delivery.has_slot = False
        self._slots.free(1, len(delivery.message.body))
