"""Virtual time, and whose turn it is: the seed decides which of the processes that could run has the next round."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

# A process that has so many rounds without that time goes on asks for something again and again, and never waits.
_MOST_ROUNDS_AT_ONCE: Final = 20_000


class SpinningError(Exception):
    """A process runs without end and never waits."""


class Runnable(Protocol):
    """A process, to the scheduler."""

    name: str

    def runs_at(self) -> float | None:
        """When it could have its next round; None: not before something happens."""
        ...

    def run_round(self, now: float) -> None:
        """Have one."""
        ...


class Scheduler:
    """What happens next.

    now: seconds since the history began.
    """

    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self.processes: list[Runnable] = []
        self._random = random
        self._events: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._numbers = count()
        self._last_stamp = 0.0

    def stamp(self) -> float:
        """The time now, later than any stamp before: what happened first can be told in one instant, too."""
        self._last_stamp = max(self.now, self._last_stamp + 1e-9)
        return self._last_stamp

    def after(self, seconds: float, event: Callable[..., object], *args: Any) -> None:
        """Let something happen outside of the processes: in a service, in the network, to a machine."""
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), event, args))

    def run(self, until: float, *, unless: Callable[[], bool] | None = None) -> bool:
        """Go on to a time; False where `unless`, asked in each instant, ended it before."""
        rounds, choose, events = 0, self._random.random, self._events
        while True:
            times = [(at, process) for process in self.processes if (at := process.runs_at()) is not None]
            runnable = [process for at, process in times if at <= self.now]
            if runnable:
                process = runnable[int(choose() * len(runnable))] if len(runnable) > 1 else runnable[0]
                process.run_round(self.now)
                rounds += 1
                if rounds > _MOST_ROUNDS_AT_ONCE:
                    raise SpinningError(process.name)
                continue
            if unless is not None and unless():
                return False
            when = min((at for at, _ in times), default=until)
            if events and events[0][0] < when:
                when = events[0][0]
            if when >= until:
                self.now = max(self.now, until)
                return True
            if when > self.now:
                self.now, rounds = when, 0
            while events and events[0][0] <= self.now:
                _, _, event, args = heapq.heappop(events)
                event(*args)
