"""A service beyond the network: what may become of a call to it, and of the call's answer.

Both ports say that a call which raises "unavailable" may have happened all the same; so each call can be refused, be
done without that its answer arrives, hang, be late on the way there or back, or be made twice, as SDKs retry.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from simulation.loop import ProcessLoop
    from simulation.plan import Fault
    from simulation.process import Process
    from simulation.scheduler import Scheduler
    from simulation.trace import Trace

    Answer = Callable[[Any], None]
    # What the service does; it gives its answer, or an exception, to the function that it is called with.
    Effect = Callable[["Fate", Answer], None]

# What can become of any call. The other kinds are of one of the two services alone.
OUTAGE: Final = "outage"
THROTTLING: Final = "throttling"
LOST_ANSWERS: Final = "lost_answers"
HANGS: Final = "hangs"
LATE_ANSWERS: Final = "late_answers"
SLOW_CALLS: Final = "slow_calls"
REPEATED_CALLS: Final = "repeated_calls"
OF_ANY_CALL: Final = (OUTAGE, THROTTLING, LOST_ANSWERS, HANGS, LATE_ANSWERS, SLOW_CALLS, REPEATED_CALLS)

_SHORTEST_SECONDS: Final = 0.001
_USUAL_SECONDS: Final = 0.03


class Surroundings(NamedTuple):
    """What a service is simulated in. tally: how often each fault has happened."""

    scheduler: Scheduler
    random: Random
    tally: Counter[str]
    trace: Trace


class Window:
    """A fault of a service while it goes on."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.random = Random(fault.seed)

    def hits(self, operation: str) -> bool:
        """Whether it happens now, to a call of this name."""
        if self.fault.operations and operation not in self.fault.operations:
            return False
        return self.fault.share >= 1 or self.random.random() < self.fault.share


@dataclass(slots=True)
class Fate:
    """What becomes of one call. there, back: seconds on the way.

    refused: it fails, and nothing was done. is_done: unless it hangs before that. answer_is_lost: it fails though it
    may have been done in whole or in part. repeats: it is done twice; the second answer counts.
    """

    there: float
    back: float
    refused: bool = False
    hangs: bool = False
    answer_is_lost: bool = False
    repeats: bool = False

    @property
    def is_harmed(self) -> bool:
        """Whether the caller may not get what it asked for, though it was done."""
        return self.hangs or self.answer_is_lost or self.repeats or self.back > 1


class _Call:
    """One call on its way to the service and back."""

    def __init__(
        self, service: ServiceModel, loop: ProcessLoop, operation: str, effect: Effect, fate: Fate, *, about: str
    ) -> None:
        self.future = loop.create_future()
        self._service = service
        self._loop = loop
        self._effect = effect
        self._fate = fate
        self._name = f"{operation} {about}" if service.trace.is_read else operation
        self._answers_left = 2 if fate.repeats and not fate.refused else 1
        if service.trace.is_read:
            service.trace(loop.name, f"{self._name} …")

    def arrive(self) -> None:
        """At the service."""
        if self._loop.is_dead and self._service.random.random() < 0.5:
            return  # it never left the machine
        self._effect(self._fate, self.answer)

    def answer(self, outcome: Any) -> None:
        """By the service. An exception is what the call shall raise."""
        fate, scheduler = self._fate, self._service.scheduler
        self._answers_left -= 1
        if self._answers_left:
            scheduler.after(fate.there, self._effect, fate, self.answer)
        elif not fate.hangs or fate.refused:
            if fate.answer_is_lost:
                outcome = self._service.error(f"{self._name}: connection reset")
            scheduler.after(fate.back + (fate.there if fate.refused else 0), self._loop.deliver, self.settle, outcome)

    def settle(self, outcome: Any) -> None:
        """In the process: the first that comes, an answer or the deadline."""
        if self.future.done():
            return
        if self._service.trace.is_read:
            self._service.trace(self._loop.name, f"{self._name} → {outcome!r}")
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class ServiceModel:
    """A simulated service. error: what a call to it raises where it was not confirmed."""

    def __init__(self, name: str, error: type[Exception], surroundings: Surroundings) -> None:
        self.name = name
        self.windows: list[Window] = []
        self.scheduler, self.random, self._tally, self.trace = surroundings
        self._error = error

    def struck(self, kind: str, operation: str) -> Window | None:
        """The fault of this kind that happens to a call or an entry now, counted."""
        return next(self._strikes(operation, (kind,)), None)

    async def call(self, process: Process, operation: str, effect: Effect, *, seconds: float, about: str = "") -> Any:
        """Make a call in the name of a process, whose adapter waits for so long. about: for the trace."""
        loop = process.loop
        if loop is None or loop.is_dead:  # a `finally` of what is being buried
            raise self._error("the process is gone")
        fate = self._fate(operation, seconds)
        call = _Call(self, loop, operation, effect, fate, about=about)
        if fate.refused:
            call.answer(self._error(f"{operation}: unavailable"))
        elif not (fate.hangs and self.random.random() < 0.5):
            self.scheduler.after(fate.there, call.arrive)
        no_answer = self._error(f"{operation}: no answer within {seconds:g} s")
        deadline = loop.call_later(seconds, call.settle, no_answer)
        try:
            return await call.future
        finally:
            deadline.cancel()

    def error(self, text: str) -> Exception:
        """What a call raises where it was not confirmed."""
        return self._error(text)

    def _fate(self, operation: str, seconds: float) -> Fate:
        uniform = self.random.uniform
        fate = Fate(uniform(_SHORTEST_SECONDS, _USUAL_SECONDS), uniform(_SHORTEST_SECONDS, _USUAL_SECONDS))
        for window in self._strikes(operation, OF_ANY_CALL):
            match window.fault.kind.partition("_")[2]:
                case "outage" | "throttling":
                    fate.refused = True
                case "lost_answers":
                    fate.answer_is_lost = True
                case "hangs":
                    fate.hangs = True
                case "late_answers":
                    late = window.random.uniform(0, 2 * seconds)
                    if window.random.random() < 0.5:
                        fate.there += late
                    else:
                        fate.back += late
                case "slow_calls":
                    fate.there += window.random.uniform(0, 2)
                    fate.back += window.random.uniform(0, 2)
                case "repeated_calls":
                    fate.repeats = True
        return fate

    def _strikes(self, operation: str, kinds: tuple[str, ...]) -> Iterator[Window]:
        for window in self.windows:
            if window.fault.kind.removeprefix(f"{self.name}_") in kinds and window.hits(operation):
                self._tally[window.fault.kind] += 1
                yield window
