"""What the intake shall reach, and what it reached."""

from __future__ import annotations

from dataclasses import dataclass
from operator import sub, truediv
from typing import TYPE_CHECKING, Final

from rows import CLIENTS, MANY

if TYPE_CHECKING:
    from results import Results

CROWDS: Final = ("sqlite_crowd_600", "sqlite_crowd_3000", "sqlite_crowd_6000", "sqlite_spinning")


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and its bound. relation: `≥` or `≤`. measured: None where its rows were left out."""

    name: str
    relation: str
    bound: float
    form: str
    unit: str
    measured: float | None

    @property
    def is_met(self) -> bool:
        """Whether it was measured and keeps to the bound."""
        if self.measured is None:
            return False
        return self.measured >= self.bound if self.relation == "≥" else self.measured <= self.bound


def highest(results: Results) -> float:
    """The most e-mails per second that the intake kept on `sqlite:`, whatever the number of clients."""
    return max(results.figure(key, "kept_per_second") or 0 for key in ("sqlite", *CROWDS))


def targets(results: Results) -> list[Target]:
    """All of them."""

    def cpu(key: str) -> float | None:
        return results.combined(("ceiling", "cpu_us"), (key, "cpu_us"), truediv)

    def added(key: str) -> float | None:
        return results.combined((f"{key}_alone", "p50_ms"), (f"{key}_direct", "p50_ms"), sub)

    def tail(key: str) -> float | None:
        return results.combined((key, "half_p99_ms"), (key, "half_p50_ms"), truediv)

    def gain(key: str) -> float | None:
        return results.combined((f"{key}_2_workers", "kept_per_second"), (key, "kept_per_second"), truediv)

    most = highest(results)
    found = [
        Target("the ceiling's CPU µs / the intake's, on `sqlite:`", "≥", 0.75, ".2f", "", cpu("sqlite")),
        Target("the same on SQS", "≥", 0.14, ".2f", "", cpu("sqs")),
        Target("sends per message on SQS", "≤", 0.11, ".3f", "", results.figure("sqs", "sends_per_message")),
        Target("p50 that batching adds for one client, `sqlite:`", "≤", 0.3, ".2f", " ms", added("sqlite")),
        Target("the same on SQS", "≤", 1, ".2f", " ms", added("sqs")),
        Target("p99 / p50 at half load, `sqlite:`", "≤", 10, ".1f", "", tail("sqlite")),
        Target("the same on SQS", "≤", 10, ".1f", "", tail("sqs")),
        Target("peak memory, `sqlite:`", "≤", 60, ".0f", " MiB", results.figure("sqlite", "peak_mib")),
        Target(f"two workers / one, on SQS, {CLIENTS} clients", "≥", 1.6, ".2f", " times", gain("sqs")),
        Target(f"the same with {MANY} clients", "≥", 1.6, ".2f", " times", gain(f"sqs_{MANY}")),
    ]
    for key in CROWDS:
        if (row := results.row(key)) is None:
            continue
        name = f"{row.clients:,} clients{' that spin on refusals' if key == 'sqlite_spinning' else ''}"
        kept = row.figure("kept_per_second")
        found += [
            Target(f"{name}: kept, of the highest rate", "≥", 0.8, ".0%", "", kept / most if kept and most else None),
            Target(f"{name}: peak memory", "≤", 160, ".0f", " MiB", row.figure("peak_mib")),
        ]
        if key == "sqlite_spinning":
            refused = row.figure("refused_p99_ms")
            found.append(Target(f"{name}: refusals' p99", "≤", 1_000, ".0f", " ms", refused))
    return found
