"""When to post next: at a rate, and after a failure with a growing, jittered delay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from checkpoint.clock import Clock, Random

_FIRST_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 10.0
_LONGEST_ASKED_SECONDS: Final = 3600.0


class Pace:
    """Lets so many requests per second begin, evenly; as many as come where there is no rate."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._next = 0.0

    async def wait(self) -> None:
        """Return when one more may begin."""
        if not self._interval:
            return
        now = self._clock.monotonic()
        begins = max(now, self._next)
        self._next = begins + self._interval
        if begins > now:
            await asyncio.sleep(begins - now)


def delay(failures: int, asked: float, random: Random) -> float:
    """Seconds to wait after so many failures in a row.

    They double, and half of them is chance: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    asked: what Retry-After asks for, which is the least, and an hour the most that is heeded of it.
    """
    backoff = min(_LONGEST_SECONDS, _FIRST_SECONDS * float(2 ** min(failures - 1, 30)))
    return min(asked, _LONGEST_ASKED_SECONDS) + random.uniform(backoff / 2, backoff)
