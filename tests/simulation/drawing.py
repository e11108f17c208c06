"""The plan of a seed."""

from __future__ import annotations

from random import Random
from typing import Final

from simulation.drawn_faults import any_faults, crash_at_a_place, fault_of_a_name, long_outage
from simulation.plan import Mail, Plan

# A message whose call alone fails holds the circuit open for ten attempts; their backoffs have no more than 92 s. Where
# there are several, it may be one after another.
_ALONE_SECONDS: Final = 95.0
_FAILING: Final = "1700000000"


def draw(seed: int) -> Plan:
    """The history of a seed: of any kind, or a quiet one, a long outage, a crash at a place of the code."""
    random = Random(seed)
    kind = random.choices(("any", "quiet", "long", "armed"), (57, 10, 3, 30))[0]
    intakes = random.choice((1, 1, 2))
    brokers = random.choice((1, 1, 2, 2, 3)) if kind != "armed" else random.choice((1, 1, 2))
    slots = random.choice((4, 4, 6, 8, 8, 16, 64)) if kind != "armed" else random.choice((4, 4, 8))
    seconds = {
        "any": random.choice((40.0, 40.0, 120.0, 120.0, 300.0)),
        "quiet": _quiet_after(slots) + 260.0,
        "long": random.uniform(1_800, 2_700),
        "armed": random.choice((40.0, 80.0)),
    }[kind]
    mails = _mails(random, seconds, slots=slots, kind=kind)
    processes = [f"intake-{n}" for n in range(intakes)] + [f"broker-{n}" for n in range(brokers)]
    timestreams = sorted({mail.timestream for mail in mails})
    if kind == "quiet":
        faults = [fault_of_a_name(random, _FAILING)]
    else:
        faults = any_faults(random, seconds, processes, timestreams)
    if kind == "long":
        faults = long_outage(random, seconds, processes)
    elif kind == "armed":
        faults = faults[:2] + crash_at_a_place(random, seconds, processes, timestreams)
    return Plan(
        seed=seed,
        seconds=seconds,
        intakes=intakes,
        brokers=brokers,
        mails=mails,
        bad=[random.uniform(0, seconds * 0.8) for _ in range(random.choice((0, 0, 1, 3)))],
        faults=sorted(faults, key=lambda fault: fault.at),
        slots=slots,
        visibility_seconds=random.choice((30, 30, 60)) if kind != "quiet" else 30,
        wait_seconds=random.choice((0, 2, 2, 20, 20, 20, 20, 20)) if seconds < 100 else 20,
        max_receives=10 if kind == "long" else 20,  # the fewest that Terraform takes, and the default
        entries=random.choice((1, 3, 10, 10)),
        calls_at_once=random.choice((1, 2, 8)),
        linger_seconds=random.choice((0, 0.005)),
        max_waiting=random.choice((2, 8, 4096, 4096)),
        says_others=random.random() < 0.7,
        is_probed=random.random() < 0.4,
        quiet_after=_quiet_after(slots) if kind == "quiet" else None,
        has_last_wave=slots <= 8 and random.random() < 0.4,
    )


def _mails(random: Random, seconds: float, *, slots: int, kind: str) -> list[Mail]:
    mails = []
    burst_at = random.uniform(0, seconds * 0.7)
    bursts = random.random() < (0.8 if kind == "armed" else 0.4)
    quiet = kind == "quiet"
    for number in range(random.randint(5, 20) + (_failing(slots) if quiet else 0)):
        if quiet:
            timestream = _FAILING if number < _failing(slots) else str(1_700_000_001 + number)
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


def _failing(slots: int) -> int:
    """How many e-mails have the object that fails alone: no more than may wait for it beside a trial and one other."""
    return min(slots - 2, 10)


def _quiet_after(slots: int) -> float:
    """When each of them has failed for long enough to keep no others waiting. One may begin after the other."""
    return 15 + _ALONE_SECONDS * _failing(slots)
