"""The fetch loop: it receives no more than there are slots for, and what the circuit breaker admits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from checkpoint.call_order import CallOrder
from checkpoint.message_queue.port import QueueUnavailableError
from message_broker.backoff import backoff_seconds
from message_broker.circuit_breaker import QUEUE, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from checkpoint.clock import Clock, Random
    from checkpoint.message_queue.port import Message, ReceivingQueue
    from checkpoint.operations.health import Health
    from message_broker.circuit_breaker import CircuitBreaker
    from message_broker.in_flight import Delivery, InFlight
    from message_broker.slots import Slots

# The shortest long poll of SQS. No poll is longer while messages are in flight, so that a stop can wait for its end.
# If it were cut off, it could go on at the queue and take what the stop releases: hidden for a visibility timeout.
_SHORT_POLL_SECONDS: Final = 1.0
_SHORT_POLL_ENDS_SECONDS: Final = 1.25
# With WAIT_SECONDS=0 an idle queue answers at once, and would be asked without end. So would one that does not wait.
_SHORT_POLL_PAUSE_SECONDS: Final = 0.1
# For what a busy queue is handing over when the stop comes; the long poll of an idle one is not waited for.
_LAST_RECEIVES_SECONDS: Final = 0.75


class _Fetched(NamedTuple):
    """How many messages had room, how many came, and whether the queue took about as long as it was let wait."""

    room: int
    brought: int
    has_waited: bool = True


@dataclass(eq=False, kw_only=True)
class Fetcher:
    """Receives messages in batches, and hands each one over.

    batch: messages that one call asks for. most_polls: calls that may be under way together.
    wait_seconds: of long polling. visibility_seconds: for which a received message is hidden from other receivers.
    """

    queue: ReceivingQueue
    hand_over: Callable[[Delivery], None]
    slots: Slots
    in_flight: InFlight
    breaker: CircuitBreaker
    health: Health
    clock: Clock
    random: Random
    batch: int
    most_polls: int
    wait_seconds: float
    visibility_seconds: int

    def __post_init__(self) -> None:
        self._polls = 0
        self._receives = 0
        self._calls = CallOrder()
        self._no_receives = asyncio.Event()
        self._no_receives.set()
        self._is_stopping = False

    async def fetch(self) -> None:
        """Receive until cancelled, or stopped."""
        async with asyncio.TaskGroup() as polls:
            self._start_poll(polls, extra=False)

    async def stop(self) -> None:
        """Start no more calls, and let those under way bring what the queue has already handed to them.

        Cancelled, a call of a busy queue would leave its messages hidden for a whole visibility timeout.
        """
        self._is_stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_SHORT_POLL_ENDS_SECONDS if self.in_flight.count else _LAST_RECEIVES_SECONDS):
                await self._no_receives.wait()

    def _start_poll(self, polls: asyncio.TaskGroup, *, extra: bool) -> None:
        self._polls += 1
        polls.create_task(self._poll(polls, extra=extra))

    async def _poll(self, polls: asyncio.TaskGroup, *, extra: bool) -> None:
        """Fetch batch after batch. One poll goes on until the stop; extra ones come and go with a backlog.

        A poll that brings more than half of what it has room for starts an extra one, and an extra one that brings
        nothing ends. So an idle queue is asked by one long poll in all: SQS is paid by the call.
        """
        failures = 0
        # The service is ready once a receive has succeeded, so the first one must not wait for a message.
        is_first = not extra
        try:
            while not self._is_stopping:
                try:
                    room, brought, has_waited = await self._fetch_batch(waits=not (is_first or failures), extra=extra)
                except QueueUnavailableError:
                    failures += 1
                    await asyncio.sleep(backoff_seconds(self.random, failures))
                    continue
                failures, is_first = 0, False
                if extra and not brought:
                    return
                if not (brought or (self.wait_seconds and has_waited)):
                    await asyncio.sleep(_SHORT_POLL_PAUSE_SECONDS)
                if 2 * brought > room and self._polls < self.most_polls:
                    self._start_poll(polls, extra=True)
        finally:
            self._polls -= 1

    async def _fetch_batch(self, *, waits: bool, extra: bool) -> _Fetched:
        """Wait for free slots, wait for the breaker, receive, hand over.

        Only the one poll tries a circuit that is not closed; an extra one asks for none then.
        """
        reserved = await self.slots.reserve(self.batch)
        messages: list[Message] = []
        received_bytes = 0
        try:
            if extra and self.breaker.state is not State.CLOSED:
                return _Fetched(0, 0)
            asked = await self.breaker.admit(reserved.messages)
            if self._is_stopping:
                return _Fetched(0, 0)
            asked_at = self.clock.monotonic()
            is_idle = not self.in_flight.count and self._polls == 1
            wait_seconds = self.wait_seconds if is_idle else min(_SHORT_POLL_SECONDS, self.wait_seconds)
            wait_seconds = wait_seconds if waits else 0
            messages = await self._receive(asked, wait_seconds)
            received_bytes = sum(len(message.body) for message in messages)
        finally:
            self.slots.free(reserved.messages - len(messages), reserved.payload_bytes - received_bytes)
        for message in messages:
            self.hand_over(self.in_flight.add(message, asked_at=asked_at))
        has_waited = self.clock.monotonic() - asked_at >= wait_seconds / 2
        return _Fetched(reserved.messages, len(messages), has_waited=has_waited)

    async def _receive(self, at_most: int, wait_seconds: float) -> list[Message]:
        self._receives += 1
        self._no_receives.clear()
        began = self._calls.now()
        try:
            messages = await self.queue.receive(
                at_most, wait_seconds=wait_seconds, visibility_seconds=self.visibility_seconds
            )
        except QueueUnavailableError as error:
            if self._calls.failed(began):
                self.health.unhealthy(QUEUE, str(error))
            raise
        finally:
            self._receives -= 1
            if not self._receives:
                self._no_receives.set()
        # A delete that is tried again tells more about the queue.
        if self._calls.succeeded(began) and not self.breaker.is_retrying(QUEUE):
            self.health.healthy(QUEUE)
        return messages
