"""What many histories came to: a table for people, JSON for programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulation.awaits import all_points
from simulation.plan import ALL

if TYPE_CHECKING:
    from simulation.awaits import Point
    from simulation.history import Verdict


@dataclass
class Report:
    """Sums over histories. failed: what was broken, by seed. longest_settling: seconds from the last fault on."""

    histories: int = 0
    virtual_seconds: float = 0.0
    seconds: float = 0.0
    posts: int = 0
    kept: int = 0
    longest_settling: float = 0.0
    tally: Counter[str] = field(default_factory=Counter)
    crashed_at: Counter[Point] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        """Count one history."""
        self.histories += 1
        self.virtual_seconds += verdict.virtual_seconds
        self.posts += verdict.posts
        self.kept += verdict.kept
        self.longest_settling = max(self.longest_settling, verdict.settled_after)
        self.tally.update(verdict.tally)
        self.crashed_at.update(verdict.crashed_at)
        if verdict.violations:
            self.failed[verdict.seed] = verdict.violations

    def merge(self, other: Report) -> None:
        """Count the histories of another."""
        self.histories += other.histories
        self.virtual_seconds += other.virtual_seconds
        self.posts += other.posts
        self.kept += other.kept
        self.longest_settling = max(self.longest_settling, other.longest_settling)
        self.tally.update(other.tally)
        self.crashed_at.update(other.crashed_at)
        self.failed.update(other.failed)

    @property
    def never_crashed_at(self) -> list[Point]:
        """Places where a service waits, and where no process was ever killed."""
        return [point for point in all_points() if not self.crashed_at[point]]

    def as_json(self) -> dict[str, Any]:
        """For docs and other programs. Times are seconds."""
        return {
            "histories": self.histories,
            "virtual_hours": round(self.virtual_seconds / 3600, 1),
            "seconds": round(self.seconds, 1),
            "requests": self.posts,
            "emails_kept": self.kept,
            "longest_settling_seconds": round(self.longest_settling, 1),
            "faults": {kind: self.tally[kind] for kind in ALL},
            "awaits": len(all_points()),
            "awaits_crashed_at": len(all_points()) - len(self.never_crashed_at),
            "never_crashed_at": [str(point) for point in self.never_crashed_at],
            "crashes_at": {str(point): self.crashed_at[point] for point in all_points()},
            "counter_examples": {str(seed): broken for seed, broken in sorted(self.failed.items())},
        }

    def as_text(self) -> str:
        """For people."""
        awaits, never = len(all_points()), self.never_crashed_at
        settled = f"settled within {self.longest_settling:,.0f} s of the last fault"
        lines = [
            f"{self.histories:,} histories, {self.virtual_seconds / 3600:,.0f} virtual hours, in {self.seconds:,.0f} s",
            f"{self.posts:,} requests, {self.kept:,} e-mails kept; {settled}",
            "",
            *(f"  {self.tally[kind]:>12,}  {kind}" for kind in ALL),
            "",
            f"Killed at {awaits - len(never)} of {awaits} awaits of both services",
            *(f"  never at {point}" for point in never),
            f"{len(self.failed)} counter-examples",
        ]
        return "\n".join(lines)
