"""A service beyond the network: what may become of a call to it, and of the call's answer.

Both ports say that a call which raises "unavailable" may have happened all the same; so each call can be refused, be
done without that its answer arrives, hang, be late on the way there or back, or be made twice, as SDKs retry.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulation.plan import Fault
    from simulation.process import Process
    from simulation.scheduler import Scheduler
    from simulation.trace import Trace

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


class ServiceModel:
    """A simulated service. error: what a call to it raises where it was not confirmed."""

    def __init__(
        self, name: str, error: type[Exception], scheduler: Scheduler, random: Random, tally: Counter[str], trace: Trace
    ) -> None:
        self.name = name
        self.windows: list[Window] = []
        self.scheduler = scheduler
        self.random = random
        self.trace = trace
        self._error = error
        self._tally = tally

    def struck(self, kind: str, operation: str) -> Window | None:
        """The fault of this kind that happens to a call or an entry now, counted."""
        return next(self._strikes(operation, (kind,)), None)

    async def call(
        self,
        process: Process,
        operation: str,
        effect: Callable[[Fate, Callable[[Any], None]], None],
        *,
        seconds: float,
        about: str = "",
    ) -> Any:
        """Make a call in the name of a process, whose adapter waits for so long.

        effect: what the service does; it gives its answer, or an exception, to the function that it is called with.
        """
        loop = process.loop
        if loop is None or loop.is_dead:  # a `finally` of what is being buried
            raise self._error("the process is gone")
        fate = self._fate(operation, seconds)
        future = loop.create_future()
        answers = 2 if fate.repeats else 1

        def settle(outcome: Any) -> None:
            if not future.done():
                if self.trace.is_read:
                    self.trace(process.name, f"{operation} {about} → {outcome!r}")
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)

        def answer(outcome: Any) -> None:
            nonlocal answers
            answers -= 1
            if answers:
                self.scheduler.after(fate.there, effect, fate, answer)
            elif not fate.hangs:
                outcome = self._error(f"{operation}: connection reset") if fate.answer_is_lost else outcome
                self.scheduler.after(fate.back, loop.deliver, settle, outcome)

        def arrive() -> None:
            if loop.is_dead and self.random.random() < 0.5:
                return  # it never left the machine
            effect(fate, answer)

        if self.trace.is_read:
            self.trace(process.name, f"{operation} {about} …")
        if fate.refused:
            error = self._error(f"{operation}: unavailable")
            self.scheduler.after(fate.there + fate.back, loop.deliver, settle, error)
        elif not (fate.hangs and self.random.random() < 0.5):
            self.scheduler.after(fate.there, arrive)
        deadline = loop.call_later(seconds, settle, self._error(f"{operation}: no answer within {seconds:g} s"))
        try:
            return await future
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
