"""What happens in a history: drawn from its seed before it begins, so that it can be read, replayed and shrunk."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from simulation.awaits import BROKER, INTAKE, points
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

CRASH: Final = "crash"
CRASH_AT_AWAIT: Final = "crash_at_await"
RESTART: Final = "restart"
PAUSE: Final = "pause"
SLOW_PROCESS: Final = "slow_process"
CLOCK_JUMP: Final = "clock_jump"
OF_PROCESSES: Final = (CRASH, CRASH_AT_AWAIT, RESTART, PAUSE, SLOW_PROCESS, CLOCK_JUMP)
OF_QUEUE: Final = (
    *(f"queue_{kind}" for kind in OF_ANY_CALL),
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

# Of the calls, or of the entries of calls, that a fault hits: at least and at most.
_SHARES: Final = {
    OUTAGE: (1.0, 1.0),
    THROTTLING: (0.2, 0.8),
    LOST_ANSWERS: (0.1, 0.8),
    HANGS: (0.1, 0.6),
    LATE_ANSWERS: (0.1, 0.6),
    SLOW_CALLS: (0.2, 1.0),
    REPEATED_CALLS: (0.2, 1.0),
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

    seconds: after which all faults are over. quiet_after: promise 4 is looked at from then on; None: it is not.
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
    quiet_after: float | None = None
    has_last_wave: bool = False


def draw(seed: int) -> Plan:
    """The history of a seed."""
    random = Random(seed)
    quiet = random.random() < 0.12
    long = random.random() < 0.04
    intakes = random.choice((1, 1, 2))
    brokers = random.choice((1, 1, 2, 2, 3))
    slots = random.choice((4, 4, 6, 8, 8, 16, 64))
    seconds = random.uniform(1_800, 5_400) if long else 420.0 if quiet else random.choice((40.0, 120.0, 120.0, 400.0))
    mails = _mails(random, seconds, slots=slots, quiet=quiet)
    timestreams = sorted({mail.timestream for mail in mails})
    if quiet:
        faults = [_fault_of_a_name(random, timestreams[0])]
    else:
        processes = [f"intake-{n}" for n in range(intakes)] + [f"broker-{n}" for n in range(brokers)]
        faults = _faults(random, seconds, processes, timestreams, long=long)
    return Plan(
        seed=seed,
        seconds=seconds,
        intakes=intakes,
        brokers=brokers,
        mails=mails,
        bad=[random.uniform(0, seconds * 0.8) for _ in range(random.choice((0, 0, 1, 3)))],
        faults=sorted(faults, key=lambda fault: fault.at),
        slots=slots,
        visibility_seconds=random.choice((30, 30, 60)) if not quiet else 30,
        wait_seconds=random.choice((0, 2, 2, 20, 20, 20, 20, 20)) if seconds < 100 else 20,
        max_receives=20,
        entries=random.choice((1, 3, 10, 10)),
        calls_at_once=random.choice((1, 2, 8)),
        linger_seconds=random.choice((0, 0.005)),
        max_waiting=random.choice((2, 8, 4096, 4096)),
        says_others=random.random() < 0.7,
        quiet_after=_QUIET_AFTER if quiet else None,
        has_last_wave=slots <= 8 and random.random() < 0.4,
    )


# A message whose call alone fails holds the circuit open for ten attempts; their backoffs have no more than 92 s.
_QUIET_AFTER: Final = 110.0
_FAILING: Final = "1700000000"


def _mails(random: Random, seconds: float, *, slots: int, quiet: bool) -> list[Mail]:
    mails = []
    burst_at = random.uniform(0, seconds * 0.7)
    bursts = random.random() < 0.4
    for number in range(random.randint(5, 20)):
        if quiet:
            # As many under the failing name as may wait for it beside the others.
            timestream = _FAILING if number < max(1, min(slots // 4, 3)) else str(1_700_000_001 + number)
            at = random.uniform(0, 5) if timestream == _FAILING else random.uniform(0, seconds - 100)
        else:
            timestream = str(1_700_000_000 + random.choice((number, number, random.randrange(4))))
            at = burst_at + random.uniform(0, 0.2) if bursts and random.random() < 0.7 else random.uniform(0, seconds)
        mails.append(
            Mail(
                number=number,
                timestream=timestream,
                at=at,
                times=1 if quiet and timestream == _FAILING else random.choice((1, 1, 1, 2, 2, 3)),
                gap=random.choice((0.0, 0.01, 1.0, 20.0)),
                patience=random.choice((2.0, 10.0, 60.0)),
                tries=random.choice((0, 0, 0, 1, 3)),
                size=random.choice((10, 10, 10, 1_000)),
            )
        )
    return mails


def _fault_of_a_name(random: Random, timestream: str) -> Fault:
    kind = random.choice(("store_failing_name", "store_unreadable_name"))
    return Fault(kind, 0.0, 400.0, timestream, seed=random.getrandbits(32))


def _faults(
    random: Random, seconds: float, processes: Sequence[str], timestreams: Sequence[str], *, long: bool
) -> list[Fault]:
    faults = []
    for _ in range(random.choice((0, 1, 2, 3, 4, 6, 8))):
        draw_one = random.choices((_of_process, _of_queue, _of_store), (5, 3, 3))[0]
        faults.append(draw_one(random, seconds, processes, timestreams))
    if long:  # an outage in which every message would be received too often if it were not held
        at = random.uniform(0, 60)
        faults.append(Fault("store_outage", at, seconds - at - 10, "store", seed=random.getrandbits(32)))
        for _ in range(random.randint(0, 3)):
            broker = random.choice([name for name in processes if name.startswith(BROKER)])
            kind = random.choice((CRASH, RESTART))
            faults.append(Fault(kind, random.uniform(60, seconds), 5.0, broker, seed=random.getrandbits(32)))
    elif random.random() < 0.1:  # a rolling restart, one process after another
        at, gap = random.uniform(0, seconds / 2), random.uniform(0.5, 20)
        faults += [
            Fault(RESTART, at + number * gap, random.uniform(0, 3), name, seed=random.getrandbits(32))
            for number, name in enumerate(processes)
        ]
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


def place_of(fault: Fault) -> object:
    """The place of the code that an armed crash is for."""
    places = points(BROKER if fault.target.startswith(BROKER) else INTAKE)
    return places[int(fault.amount)]
