"""A circuit breaker around the whole way of a message: receive, put, delete.

https://learn.microsoft.com/en-us/azure/architecture/patterns/circuit-breaker
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from checkpoint.clock import Random

_FIRST_BACKOFF_SECONDS: Final = 0.25
_LONGEST_BACKOFF_SECONDS: Final = 30.0


class State(Enum):
    """What may be received."""

    CLOSED = "closed"  # as much as there are slots
    OPEN = "open"  # nothing
    HALF_OPEN = "half-open"  # one message, while no other is in flight


class CircuitBreaker:
    """Starts half-open: a broker that is restarted in an outage then uses up the receive count of one message only."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._in_flight = 0
        self._admission_changed = asyncio.Event()
        self._closed = asyncio.Event()
        self._stopped = asyncio.Event()
        self.state = State.HALF_OPEN

    def message_received(self) -> None:
        """Report that one more message is in flight."""
        self._in_flight += 1

    def message_ended(self) -> None:
        """Report that one message is in flight no more."""
        self._in_flight -= 1
        if not self._in_flight:
            self._admission_changed.set()

    async def admit(self, wanted: int) -> int:
        """Wait until messages may be received; gives how many: those that are wanted, or one."""
        while self.state is not State.CLOSED:
            if self.state is State.HALF_OPEN and not self._in_flight:
                return 1
            self._admission_changed.clear()
            await self._admission_changed.wait()
        return wanted

    def close(self) -> None:
        """Report that a message has gone the whole way; those who wait after a failure try again at once."""
        self._change_to(State.CLOSED)

    async def open_and_wait(self, attempt: int) -> None:
        """Report a failure, and wait before the next attempt: until a backoff ends (half-open), or the circuit closes.

        attempt: how many failures in a row came before this one.
        """
        self._change_to(State.OPEN)
        try:
            await self._wait(self._closed, attempt)
        finally:
            if self.state is State.OPEN:
                self._change_to(State.HALF_OPEN)

    async def wait_alone(self, attempt: int) -> None:
        """Wait out a backoff for a message that fails while others succeed: the state stays as it is.

        Meanwhile it does not count as in flight, because a half-open circuit is tried only when nothing is.
        """
        self.message_ended()
        try:
            await self._wait(self._stopped, attempt)
        finally:
            self.message_received()

    def stop(self) -> None:
        """Let nobody wait after a failure any more."""
        self._stopped.set()
        self._closed.set()

    async def _wait(self, event: asyncio.Event, attempt: int) -> None:
        """Wait for an event, or a backoff: exponential, capped, with full jitter.

        https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
        """
        longest = min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2 ** min(attempt, 16))
        with suppress(TimeoutError):
            async with asyncio.timeout(self._random.uniform(0, longest)):
                await event.wait()

    def _change_to(self, state: State) -> None:
        self.state = state
        if state is State.CLOSED:
            self._closed.set()
        elif not self._stopped.is_set():
            self._closed.clear()
        self._admission_changed.set()
