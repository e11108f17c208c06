"""How many messages the broker may hold at once."""

from __future__ import annotations

import asyncio


class Slots:
    """A slot is taken before a message is asked for, so that no more is received than can be worked on."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = count
        self._some_are_free = asyncio.Event()
        self._all_are_free = asyncio.Event()
        self.give_back(0)

    @property
    def taken(self) -> int:
        """Slots in use."""
        return self._count - self._free

    async def take(self, at_most: int) -> int:
        """Wait for a free slot, then take up to `at_most` of those that are free; gives how many."""
        await self._some_are_free.wait()
        taken = min(at_most, self._free)
        self._free -= taken
        self._all_are_free.clear()
        if not self._free:
            self._some_are_free.clear()
        return taken

    def give_back(self, count: int) -> None:
        """Free slots that were taken."""
        self._free += count
        if self._free:
            self._some_are_free.set()
        if self._free == self._count:
            self._all_are_free.set()

    async def wait_until_none_is_taken(self) -> None:
        """Wait until nothing is in flight."""
        await self._all_are_free.wait()
