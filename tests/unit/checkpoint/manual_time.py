"""The running loop's time at a test's word, and calls that end when a test says so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clocks import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

TURNS = 10  # more than anything in a Batcher takes


async def settle() -> None:
    """Let the loop do whatever it can do now."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class ManualTime:
    """The time of a loop: timers fire when a test lets their time pass."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._clock = ManualClock(1_024)  # to such a time asyncio can still add its clock's resolution
        loop.time = self._clock.monotonic  # type: ignore[method-assign]  # asyncio's own loop asks itself

    @property
    def now(self) -> float:
        """Seconds, by the loop's clock."""
        return self._clock.now

    async def pass_(self, seconds: float) -> None:
        """Let time pass, and the loop do what is due."""
        self._clock.now = round(self._clock.now + seconds, 6)
        await settle()


@dataclass(eq=False)
class Call:
    """A call under way."""

    items: list[str]
    ended: asyncio.Future[Sequence[str]]


class HeldCalls:
    """A called side whose calls are under way until a test ends them.

    carried: the items of each call so far. under_way: in the order of their start.
    """

    def __init__(self) -> None:
        self.carried: list[list[str]] = []
        self.under_way: list[Call] = []

    async def __call__(self, items: Sequence[str]) -> Sequence[str]:
        call = Call(list(items), asyncio.get_running_loop().create_future())
        self.carried.append(call.items)
        self.under_way.append(call)
        try:
            return await call.ended
        finally:
            self.under_way.remove(call)

    async def end(self, place: int = 0) -> None:
        """Answer each item of a call in capitals."""
        call = self.under_way[place]
        call.ended.set_result([item.upper() for item in call.items])
        await settle()

    async def fail(self, error: Exception, place: int = 0) -> None:
        """Let a call raise."""
        self.under_way[place].ended.set_exception(error)
        await settle()
