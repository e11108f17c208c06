"""The slots that bound how many messages are worked on: a semaphore that is taken a batch at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

_LINGER_SECONDS: Final = 0.1


class Slots:
    """A slot is taken before a message is asked for, so that no more is received than can be worked on."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._wanted = 1
        self._turn = asyncio.Lock()
        self._some_are_free = asyncio.Event()
        self._enough_are_free = asyncio.Event()
        self.free(0)

    async def reserve(self, wanted: int) -> int:
        """Take as many slots as are wanted once they are free, or those that were free for 100 ms; gives how many.

        It waits because a call for few messages costs as much as a call for many.
        """
        async with self._turn:
            await self._some_are_free.wait()
            self._wanted = wanted
            if self._free < wanted:
                self._enough_are_free.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LINGER_SECONDS):
                        await self._enough_are_free.wait()
            taken = min(wanted, self._free)
            self._free -= taken
            if not self._free:
                self._some_are_free.clear()
            return taken

    def free(self, count: int) -> None:
        """Give slots back."""
        self._free += count
        if self._free:
            self._some_are_free.set()
        if self._free >= self._wanted:
            self._enough_are_free.set()
