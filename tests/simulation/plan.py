"""What happens in a history, known before it begins, so that it can be read, replayed and shrunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from simulation.awaits import BROKER, INTAKE, points
from simulation.service_model import OF_ANY_CALL

if TYPE_CHECKING:
    from collections.abc import Sequence

CRASH: Final = "crash"
CRASH_AT_AWAIT: Final = "crash_at_await"
RESTART: Final = "restart"
PAUSE: Final = "pause"
SLOW_PROCESS: Final = "slow_process"
CLOCK_JUMP: Final = "clock_jump"
OF_PROCESSES: Final = (CRASH, CRASH_AT_AWAIT, RESTART, PAUSE, SLOW_PROCESS, CLOCK_JUMP)
OF_QUEUE: Final = (
    *(f"queue_{kind}" for kind in OF_ANY_CALL),
    "queue_full",
    "queue_partial_failures",
    "queue_duplicates",
    "queue_copies_after_delete",
    "queue_dead_letter_outage",
    "queue_no_dead_letter_queue",
)
OF_STORE: Final = (
    *(f"store_{kind}" for kind in OF_ANY_CALL),
    "store_slow_puts",
    "store_wrong_reads",
    "store_failing_name",
    "store_unreadable_name",
)
ALL: Final = (*OF_PROCESSES, *OF_QUEUE, *OF_STORE)


class Fault(NamedTuple):
    """Something that goes wrong. at, seconds: when, and for how long; of a crash or a restart: until it starts again.

    target: a process's name, a service's name, or the timestream of the object that fails.
    share: of the calls that it hits. operations: those that it hits; empty: all. amount: seconds of a clock's jump, or
    of a slow process's rounds; which of the places of its code an armed crash is for. seed: of its own chances.
    """

    kind: str
    at: float
    seconds: float
    target: str
    share: float = 1.0
    operations: tuple[str, ...] = ()
    amount: float = 0.0
    seed: int = 0

    def __str__(self) -> str:
        parts = [f"{self.at:9.1f} s  {self.kind} of {self.target}, {self.seconds:.1f} s"]
        if self.share < 1:
            parts.append(f"{self.share:.0%} of calls")
        if self.operations:
            parts.append(" and ".join(self.operations))
        if self.kind == CRASH_AT_AWAIT:
            parts.append(str(place_of(self)))
        elif self.amount:
            parts.append(f"{self.amount:g} s")
        return ", ".join(parts)


class Mail(NamedTuple):
    """An e-mail that a client posts. at: when. times: how often, apart from what is tried again. gap: seconds between.

    patience: seconds that the client waits for an answer. tries: after which it gives up; 0: it does not.
    """

    number: int
    timestream: str
    at: float
    times: int
    gap: float
    patience: float
    tries: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A history's world, what clients do in it, and what goes wrong.

    seconds: after which all faults are over. says_others, is_probed: as `store_model.py` has it.
    quiet_after: promise 4 is looked at from then on; None: it is not.
    """

    seed: int
    seconds: float
    intakes: int
    brokers: int
    mails: Sequence[Mail]
    bad: Sequence[float]
    faults: Sequence[Fault]
    slots: int
    visibility_seconds: int
    wait_seconds: int
    max_receives: int
    entries: int
    calls_at_once: int
    linger_seconds: float
    max_waiting: int
    says_others: bool
    is_probed: bool
    quiet_after: float | None = None
    has_last_wave: bool = False


def place_of(fault: Fault) -> object:
    """The place of the code that an armed crash is for."""
    places = points(BROKER if fault.target.startswith(BROKER) else INTAKE)
    return places[int(fault.amount)]
