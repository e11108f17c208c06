"""An event loop per simulated process: asyncio's rules within a process, virtual time, and no operating system.

A loop runs in rounds, as asyncio's own does: what has arrived and the timers that are due get in line, and whatever is
in line then runs, first in, first out. Between two rounds of one process any other process may have some of its own:
`scheduler.py` decides that. A loop that is dead takes nothing and runs nothing, whatever still holds on to it.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from asyncio import events
from collections import deque
from contextlib import contextmanager, suppress
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any, Final, TypeVarTuple, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextvars import Context
    from random import Random

    from simulation.scheduler import Scheduler


_Arguments = TypeVarTuple("_Arguments")
_MANY_TASKS: Final = 100  # after which those that have ended are looked for


class Task(asyncio.Task[Any]):
    """A task whose hash is its number, so that sets of tasks have the same order in each replay."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], *, loop: ProcessLoop, context: Context | None) -> None:
        self.number = next(loop.numbers)
        super().__init__(coroutine, loop=loop, context=context)

    def __hash__(self) -> int:
        return self.number


class ProcessLoop(asyncio.AbstractEventLoop):
    """The loop of one simulated process, from its start to its end.

    name: of the process. next_at: when it has something to run: now or earlier, later, or never.
    on_error: told of what asyncio would log: an exception that nobody took.
    """

    def __init__(
        self, name: str, scheduler: Scheduler, random: Random, on_error: Callable[[dict[str, Any]], None]
    ) -> None:
        self.name = name
        self.numbers = count(1)
        self.tasks: list[asyncio.Task[Any]] = []
        self.is_dead = False
        self.next_at = 0.0
        self._scheduler = scheduler
        self._random = random
        self._on_error = on_error
        self._ready: deque[asyncio.Handle] = deque()
        self._arrived: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timer_numbers = count()

    def deliver(self, callback: Callable[..., object], *args: Any) -> None:
        """Let something from outside arrive: an answer, a request, a signal. It runs in one of the next rounds."""
        if not self.is_dead:
            self._arrived.append(asyncio.Handle(callback, args, self))
            self.next_at = 0.0

    def run_round(self, now: float) -> None:
        """Run what is in line."""
        ready, timers = self._ready, self._timers
        arrived_first = not timers or not self._arrived or self._random.random() < 0.5  # asyncio's order, and libuv's
        if arrived_first:
            ready.extend(self._arrived)
        while timers and timers[0][0] <= now:
            ready.append(heappop(timers)[2])
        if not arrived_first:
            ready.extend(self._arrived)
        self._arrived.clear()
        events._set_running_loop(self)
        try:
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle._cancelled:
                    handle._run()
        finally:
            events._set_running_loop(None)
        while timers and timers[0][2]._cancelled:
            heappop(timers)
        self.next_at = 0.0 if ready else timers[0][0] if timers else inf

    def end(self) -> None:
        """The process is gone: nothing of it runs any more. Its tasks stay, as they are, until `bury`."""
        self.is_dead = True
        self._ready.clear()
        self._arrived.clear()
        self._timers.clear()

    def bury(self) -> None:
        """Close the coroutines of a loop that is dead, here and not whenever the garbage collector would.

        Their `finally` blocks run now, but what they call is dead too: no task starts, and no model hears of it. So
        what they complain of is nothing: the caller silences it, as `silenced` does.
        """
        events._set_running_loop(self)
        try:
            for task in self.tasks:
                if not task.done():
                    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio sets it for itself, too
                    with suppress(BaseException):
                        task.get_coro().close()
        finally:
            events._set_running_loop(None)
            self.tasks.clear()

    # What asyncio calls.

    def time(self) -> float:
        return self._scheduler.now

    def call_soon(
        self,
        callback: Callable[[Unpack[_Arguments]], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self.is_dead:
            self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[_Arguments]], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._scheduler.now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Arguments]], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        if not self.is_dead:
            heappush(self._timers, (when, next(self._timer_numbers), timer))
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        if self.is_dead:
            coro.close()
            return self.create_future()  # type: ignore[return-value]  # it has all of a task that is asked for here
        task = Task(coro, loop=self, context=context)
        if name is not None:
            task.set_name(name)
        tasks = self.tasks
        tasks.append(task)
        if len(tasks) > _MANY_TASKS:
            tasks[:] = [each for each in tasks if not each.done()]
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self.is_dead

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.is_dead:
            self._on_error(context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """As asyncio's own loops have it; `due_at` drops it."""


@contextmanager
def silenced() -> Iterator[None]:
    """Hear nothing of what processes that are gone complain of while they are buried: they are not there any more."""
    before = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.unraisablehook = before
