"""How much is asked of the queue, and when: no more than there are slots for, and nothing that cannot be archived."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import QueueUnavailableError
from message_broker.patience import backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.message_queue.port import Message, ReceivingQueue
    from checkpoint.operations.health import Health
    from message_broker.leases import Leases
    from message_broker.patience import PatientArchive
    from message_broker.slots import Slots

RECEIVING: Final = "receiving"

# The shortest long poll: a receiver for crowds is to notice soon that the crowd has gone.
_CROWD_WAIT_SECONDS: Final = 1.0
_LAST_CALLS_SECONDS: Final = 0.75


class Receiver:
    """Receives for the broker; several calls may be under way at once.

    wait_seconds: of long polling. visibility_seconds: for which a received message is hidden.
    delay: seconds to wait after the n-th failure in a row.
    """

    def __init__(
        self,
        queue: ReceivingQueue,
        archive: PatientArchive,
        *,
        slots: Slots,
        leases: Leases,
        health: Health,
        wait_seconds: float,
        visibility_seconds: int,
        delay: Callable[[int], float] = backoff,
    ) -> None:
        self._queue = queue
        self._archive = archive
        self._slots = slots
        self._leases = leases
        self._health = health
        self._wait_seconds = wait_seconds
        self._visibility_seconds = visibility_seconds
        self._delay = delay
        self._failures = 0
        self._crowded = asyncio.Event()
        self._canary = asyncio.Lock()
        self._proven = False
        self._failed_ends = 0
        self._calls = 0
        self._no_calls = asyncio.Event()
        self._no_calls.set()
        self.is_closed = False

    async def receive(self, *, only_in_crowds: bool = False) -> list[Message]:
        """Messages, a slot taken and a lease held for each; none, where none came or the queue is away.

        Waits while the archive is away, for a slot, and after a failure.
        only_in_crowds: wait, too, until other receives bring as much as they ask for. An idle queue is then polled
        once, and not as often as a busy one needs: SQS is paid by the call.
        """
        if only_in_crowds:
            await self._crowded.wait()
        await self._archive.wait_until_up()
        try:
            if self._proven:
                wait_seconds = min(self._wait_seconds, _CROWD_WAIT_SECONDS) if only_in_crowds else self._wait_seconds
                messages = await self._ask(self._queue.limits.entries, wait_seconds)
            else:
                messages = await self._ask_for_canary()
        except QueueUnavailableError as error:
            self._health.unhealthy(RECEIVING, str(error))
            await asyncio.sleep(self._delay(self._failures))
            self._failures += 1
            return []
        self._failures = 0
        return messages

    def went_the_whole_way(self) -> None:
        """A message was archived and deleted: more than one at a time may follow."""
        self._proven = True
        self._failed_ends = 0

    def could_not_be_deleted(self) -> None:
        """A message was archived but not deleted: one at a time until that works."""
        self._proven = False
        self._failed_ends += 1

    async def close(self) -> None:
        """Start no more calls, and let those under way bring what the queue has already handed to them.

        Cancelled, a call of a busy queue would leave its messages hidden for a whole visibility timeout; a long poll of
        an idle one is not waited for.
        """
        self.is_closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_CALLS_SECONDS):
                await self._no_calls.wait()

    async def _ask_for_canary(self) -> list[Message]:
        """A single message, when nothing else is in flight.

        Until one has gone the whole way, more would be careless: a broker that is started again and again while the
        archive is away, or that may not delete, would each time use up the receive counts of a slot-full of good ones.
        """
        async with self._canary:
            await self._slots.wait_until_none_is_taken()
            if self._failed_ends:
                await asyncio.sleep(self._delay(self._failed_ends))
            return [] if self._proven else await self._ask(1, self._wait_seconds)

    async def _ask(self, at_most: int, wait_seconds: float) -> list[Message]:
        free = await self._slots.take(at_most)
        messages: list[Message] = []
        try:
            if not self.is_closed:
                messages = await self._call(free, wait_seconds)
        finally:
            self._slots.give_back(free - len(messages))
        if len(messages) == free:
            self._crowded.set()
        else:
            self._crowded.clear()
        return messages

    async def _call(self, free: int, wait_seconds: float) -> list[Message]:
        self._calls += 1
        self._no_calls.clear()
        try:
            asked_at = self._leases.now()
            # Until a receive has succeeded the service is not ready, so that one must not wait for a message.
            messages = await self._queue.receive(
                free,
                wait_seconds=wait_seconds if self._health.is_healthy(RECEIVING) else 0,
                visibility_seconds=self._visibility_seconds,
            )
        finally:
            self._calls -= 1
            if not self._calls:
                self._no_calls.set()
        self._health.healthy(RECEIVING)
        self._leases.hold(messages, since=asked_at)
        return messages
