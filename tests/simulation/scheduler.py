"""Virtual time, and whose turn it is: the seed decides which of the processes that could run has the next round."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

# A process that has so many rounds without that time goes on asks for something again and again, and never waits.
_MOST_ROUNDS_AT_ONCE: Final = 20_000


class SpinningError(Exception):
    """A process runs without end and never waits."""


class Loop(Protocol):
    """The loop of a process, to the scheduler. next_at: when it has something to run; infinite: nothing."""

    next_at: float


class Runnable(Protocol):
    """A process, to the scheduler. busy_until: it has no round before."""

    name: str
    is_paused: bool
    busy_until: float

    @property
    def loop(self) -> Loop | None:
        """None where it does not run."""
        ...

    def run_round(self, now: float) -> None:
        """Run what is in line."""
        ...


class Scheduler:
    """What happens next.

    now: seconds since the history began.
    """

    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self.processes: Sequence[Runnable] = []
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
        heappush(self._events, (self.now + seconds, next(self._numbers), event, args))

    def run(self, until: float, *, unless: Callable[[], bool] | None = None) -> bool:
        """Go on to a time; False where `unless`, asked in each instant, ended it before."""
        rounds, choose, events = 0, self._random.random, self._events
        while True:
            runnable, when = self._look(until)
            if runnable:
                process = runnable[int(choose() * len(runnable))] if len(runnable) > 1 else runnable[0]
                process.run_round(self.now)
                rounds += 1
                if rounds > _MOST_ROUNDS_AT_ONCE:
                    raise SpinningError(process.name)
                continue
            if unless is not None and unless():
                return False
            if events and events[0][0] < when:
                when = events[0][0]
            if when >= until:
                self.now = max(self.now, until)
                return True
            if when > self.now:
                self.now, rounds = when, 0
            while events and events[0][0] <= when:
                _, _, event, args = heappop(events)
                event(*args)

    def _look(self, until: float) -> tuple[list[Runnable], float]:
        """The processes that can run now, and when the next of the others can."""
        now, when = self.now, until
        runnable = []
        for process in self.processes:
            if (loop := process.loop) is None or process.is_paused:
                continue
            at = loop.next_at
            at = max(at, process.busy_until)
            if at <= now:
                runnable.append(process)
            elif at < when:
                when = at
        return runnable, when
