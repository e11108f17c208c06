"""From the queue: no more than there are slots for, and nothing while the circuit is open."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import QueueUnavailableError
from message_broker.circuit_breaker import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.clock import Clock
    from checkpoint.message_queue.port import Message, ReceivingQueue
    from checkpoint.operations.health import Health
    from message_broker.circuit_breaker import CircuitBreaker
    from message_broker.in_flight import Held, InFlight
    from message_broker.slots import Slots

QUEUE: Final = "queue"

# The shortest long poll of SQS: a poll that was started for a backlog ends soon when there is none any more.
_EXTRA_POLL_SECONDS: Final = 1.0
# For what a busy queue is handing over when the stop comes; the long poll of an idle one is not waited for.
_LAST_RECEIVES_SECONDS: Final = 0.75


@dataclass(eq=False, kw_only=True)
class Fetcher:
    """Receives messages in batches, and hands each one over.

    start: takes over each message.
    batch: messages that one call asks for. most_polls: calls that may be under way together.
    wait_seconds: of long polling. visibility_seconds: for which a received message is hidden from other receivers.
    """

    queue: ReceivingQueue
    start: Callable[[Held], None]
    slots: Slots
    in_flight: InFlight
    breaker: CircuitBreaker
    health: Health
    clock: Clock
    batch: int
    most_polls: int
    wait_seconds: float
    visibility_seconds: int

    def __post_init__(self) -> None:
        self._polls = 0
        self._receives = 0
        self._no_receives = asyncio.Event()
        self._no_receives.set()
        self._is_closed = False

    async def fetch(self) -> None:
        """Receive until cancelled."""
        async with asyncio.TaskGroup() as polls:
            polls.create_task(self._poll(polls))

    async def close(self) -> None:
        """Start no more calls, and let those under way bring what the queue has already handed to them.

        Cancelled, a call of a busy queue would leave its messages hidden for a whole visibility timeout.
        """
        self._is_closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_RECEIVES_SECONDS):
                await self._no_receives.wait()

    async def _poll(self, polls: asyncio.TaskGroup, *, extra: bool = False) -> None:
        """One poll goes on for ever; extra ones come and go with a backlog.

        A poll that brings as much as it asks for starts an extra one, and an extra one that brings nothing ends. So an
        idle queue is asked by one long poll in all: SQS is paid by the call.
        """
        self._polls += 1
        failures = 0
        try:
            while not self._is_closed:
                try:
                    asked, brought = await self._fetch_batch(extra=extra)
                except QueueUnavailableError as error:
                    self.health.unhealthy(QUEUE, str(error))
                    await self.breaker.open_and_wait(failures)
                    failures += 1
                    continue
                failures = 0
                if extra and not brought:
                    return
                if brought == asked and self._polls < self.most_polls:
                    polls.create_task(self._poll(polls, extra=True))
        finally:
            self._polls -= 1

    async def _fetch_batch(self, *, extra: bool) -> tuple[int, int]:
        """Wait for free slots, wait for the breaker, receive, start; gives how many it asked for, and how many came."""
        reserved = await self.slots.reserve(self.batch)
        messages: list[Message] = []
        try:
            if extra and self.breaker.state is not State.CLOSED:
                return 0, 0
            asked = await self.breaker.admit(reserved)
            asked_at = self.clock.monotonic()
            if not self._is_closed:
                wait_seconds = min(_EXTRA_POLL_SECONDS, self.wait_seconds) if extra else self.wait_seconds
                messages = await self._receive(asked, wait_seconds)
        finally:
            self.slots.free(reserved - len(messages))
        for message in messages:
            self.start(self.in_flight.add(message, received_at=asked_at))
        return asked, len(messages)

    async def _receive(self, at_most: int, wait_seconds: float) -> list[Message]:
        self._receives += 1
        self._no_receives.clear()
        try:
            messages = await self.queue.receive(
                at_most,
                # Until a receive has succeeded the service is not ready, so that one must not wait for a message.
                wait_seconds=wait_seconds if self.health.is_healthy(QUEUE) else 0,
                visibility_seconds=self.visibility_seconds,
            )
        finally:
            self._receives -= 1
            if not self._receives:
                self._no_receives.set()
        # While deletes are tried again, only they can tell that the queue is healthy.
        if self.breaker.state is State.CLOSED or not self.in_flight.count:
            self.health.healthy(QUEUE)
        return messages
