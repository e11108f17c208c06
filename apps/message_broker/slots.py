"""The slots that bound how many messages are worked on, and their bytes: a semaphore, taken a batch at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_LINGER_SECONDS: Final = 0.1


class Reservation(NamedTuple):
    """Slots that were taken, and the bytes that messages in them may have together."""

    messages: int
    payload_bytes: int


class Slots:
    """A slot is taken before a message is asked for, so that no more is received than can be worked on.

    count: how many there are.
    max_bytes: what the messages in them may have together. A single receive always has a place: else one that could
    bring more than that would never be made.
    most_bytes: what a receive of so many messages may bring.
    """

    def __init__(self, count: int, *, max_bytes: int, most_bytes: Callable[[int], int]) -> None:
        self._free = count
        self._free_bytes = self._max_bytes = max_bytes
        self._most_bytes = most_bytes
        self._turn = asyncio.Lock()
        self._wanted = 1
        self._enough = asyncio.Event()

    async def reserve(self, wanted: int) -> Reservation:
        """Take as many slots as are wanted once they are free, or those that were free for 100 ms.

        It waits because a call for few messages costs as much as a call for many.
        """
        async with self._turn:
            if not self._fit(wanted):
                await self._until_free(1)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LINGER_SECONDS):
                        await self._until_free(wanted)
            messages = next((fewer for fewer in range(wanted, 1, -1) if self._fit(fewer)), 1)
            reserved = Reservation(messages, self._most_bytes(messages))
            self._free -= reserved.messages
            self._free_bytes -= reserved.payload_bytes
            return reserved

    def free(self, messages: int, payload_bytes: int) -> None:
        """Give slots back, and the bytes that were reserved or received for them."""
        self._free += messages
        self._free_bytes += payload_bytes
        if not self._enough.is_set() and self._fit(self._wanted):
            self._enough.set()

    async def _until_free(self, wanted: int) -> None:
        self._wanted = wanted
        while not self._fit(wanted):
            self._enough.clear()
            await self._enough.wait()

    def _fit(self, messages: int) -> bool:
        if messages > self._free:
            return False
        nothing_is_held = self._free_bytes == self._max_bytes
        return self._most_bytes(messages) <= self._free_bytes or (messages == 1 and nothing_is_held)
