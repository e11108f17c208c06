"""The faults of a history, drawn at random, each kind within what the services promise to survive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulation.awaits import BROKER, INTAKE, points
from simulation.plan import (
    CLOCK_JUMP,
    CRASH,
    CRASH_AT_AWAIT,
    OF_PROCESSES,
    OF_QUEUE,
    OF_STORE,
    PAUSE,
    RESTART,
    SLOW_PROCESS,
    Fault,
)
from simulation.service_model import (
    HANGS,
    LATE_ANSWERS,
    LOST_ANSWERS,
    OF_ANY_CALL,
    OUTAGE,
    REPEATED_CALLS,
    SLOW_CALLS,
    THROTTLING,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

# Of the calls, or of the entries of calls, that a fault hits: at least and at most.
_SHARES: Final = {
    OUTAGE: (1.0, 1.0),
    THROTTLING: (0.2, 0.8),
    LOST_ANSWERS: (0.1, 0.8),
    HANGS: (0.1, 0.6),
    LATE_ANSWERS: (0.1, 0.6),
    SLOW_CALLS: (0.2, 1.0),
    REPEATED_CALLS: (0.2, 1.0),
    "full": (1.0, 1.0),
    "dead_letter_outage": (1.0, 1.0),
    "no_dead_letter_queue": (1.0, 1.0),
}
_OPERATIONS: Final = (
    ("send", "probe"),
    ("receive",),
    ("delete",),
    ("change_visibility",),
    ("delete", "change_visibility", "dead_letter"),
    ("send",),
)
_THAT_LEAD_THERE: Final = (
    ("queue_slow_calls", "queue", 0.5),
    ("store_slow_calls", "store", 0.5),
    ("queue_hangs", "queue", 0.2),
    ("queue_outage", "queue", 0.15),
    ("store_hangs", "store", 0.2),
    ("store_outage", "store", 0.2),
    ("store_wrong_reads", "store", 0.2),
    ("store_unreadable_name", "", 0.3),
    ("store_failing_name", "", 0.3),
)


def fault_of_a_name(random: Random, timestream: str) -> Fault:
    kind = random.choice(("store_failing_name", "store_unreadable_name"))
    return Fault(kind, 0.0, 400.0, timestream, seed=random.getrandbits(32))


def any_faults(random: Random, seconds: float, processes: Sequence[str], timestreams: Sequence[str]) -> list[Fault]:
    faults = []
    for _ in range(random.choice((0, 1, 2, 3, 4, 6, 8))):
        draw_one = random.choices((_of_process, _of_queue, _of_store), (5, 3, 3))[0]
        faults.append(draw_one(random, seconds, processes, timestreams))
    if random.random() < 0.1:  # a rolling restart, one process after another
        at, gap = random.uniform(0, seconds / 2), random.uniform(0.5, 20)
        faults += [
            Fault(RESTART, at + number * gap, random.uniform(0, 3), name, seed=random.getrandbits(32))
            for number, name in enumerate(processes)
        ]
    return faults


def long_outage(random: Random, seconds: float, processes: Sequence[str]) -> list[Fault]:
    """One in which every message would be received too often if it were not held, with brokers that start in it."""
    at = random.uniform(0, 60)
    faults = [Fault("store_outage", at, seconds - at - 10, "store", seed=random.getrandbits(32))]
    for _ in range(random.randint(0, 3)):
        broker = random.choice([name for name in processes if name.startswith(BROKER)])
        kind = random.choice((CRASH, RESTART))
        faults.append(Fault(kind, random.uniform(60, seconds), 5.0, broker, seed=random.getrandbits(32)))
    return faults


def crash_at_a_place(
    random: Random, seconds: float, processes: Sequence[str], timestreams: Sequence[str]
) -> list[Fault]:
    """A crash at a place of the code, and what leads there: slow calls, objects that fail, a restart."""
    role = random.choices((INTAKE, BROKER), (1, 4))[0]
    target = random.choice([name for name in processes if name.startswith(role)])
    place = random.randrange(len(points(role)))

    def fault(kind: str, at: float, lasts: float, target: str, *, share: float = 1.0, amount: float = 0.0) -> Fault:
        return Fault(kind, at, lasts, target, share=share, amount=amount, seed=random.getrandbits(32))

    faults = [fault(CRASH_AT_AWAIT, random.uniform(0.6, 5), random.uniform(0.1, 10), target, amount=place)]
    for kind, service, chance in _THAT_LEAD_THERE:
        if random.random() < chance:
            at = random.uniform(0, seconds / 2)
            name = random.choice(timestreams) if kind.endswith("_name") else service
            faults.append(fault(kind, at, random.uniform(5, seconds - at), name, share=random.uniform(0.3, 1)))
    if random.random() < 0.7:
        faults.append(fault(RESTART, random.uniform(1, seconds * 0.9), random.uniform(0, 3), target))
    return faults


def _of_process(random: Random, seconds: float, processes: Sequence[str], _timestreams: Sequence[str]) -> Fault:
    kind = random.choices(OF_PROCESSES, (3, 8, 4, 3, 1, 1))[0]
    target = random.choice(processes)
    role = BROKER if target.startswith(BROKER) else INTAKE
    at = random.uniform(0, seconds)
    lasts, amount = random.uniform(0.1, 10), 0.0
    if kind == CRASH_AT_AWAIT:
        at = random.uniform(0, seconds * 0.7)
        amount = random.randrange(len(points(role)))
    elif kind == PAUSE:
        lasts = random.choice((1.0, 8.0, 35.0, 70.0)) * random.uniform(0.8, 1.2)
    elif kind == SLOW_PROCESS:
        lasts, amount = random.uniform(5, 40), random.choice((0.01, 0.1, 0.5))
    elif kind == CLOCK_JUMP:
        lasts, amount = random.uniform(5, 100), random.choice((-1e8, -3600.0, -1.0, 1.0, 3600.0, 1e8))
    return Fault(kind, at, lasts, target, amount=amount, seed=random.getrandbits(32))


def _of_queue(random: Random, seconds: float, _processes: Sequence[str], _timestreams: Sequence[str]) -> Fault:
    kind = random.choice(OF_QUEUE)
    return _of_service(random, seconds, kind, "queue", (), *_OPERATIONS)


def _of_store(random: Random, seconds: float, _processes: Sequence[str], timestreams: Sequence[str]) -> Fault:
    kind = random.choice(OF_STORE)
    if kind.endswith("_name"):
        # Not for longer than the queue allows receives, should every one of them be used up by it.
        lasts = random.uniform(5, 400)
        return Fault(kind, random.uniform(0, seconds), lasts, random.choice(timestreams), seed=random.getrandbits(32))
    return _of_service(random, seconds, kind, "store", (), ("create",), ("holder",))


def _of_service(random: Random, seconds: float, kind: str, service: str, *operations: tuple[str, ...]) -> Fault:
    fault = kind.partition("_")[2]
    of_any = fault in OF_ANY_CALL
    lasts = random.uniform(1, 90)
    least, most = _SHARES.get(fault, (0.1, 0.9))
    return Fault(
        kind,
        random.uniform(0, seconds),
        lasts,
        service,
        share=random.uniform(least, most),
        operations=random.choice(operations) if of_any else (),
        seed=random.getrandbits(32),
    )
