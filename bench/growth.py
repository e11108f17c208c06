"""Whether memory grows, and by how much, from samples of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP_KIB: Final = 128  # a rise from one sample to the next that counts as a step


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """All in KiB of resident memory.

    first, last, highest: of the samples. highest_at: the minute of the first sample that no later one exceeds.
    steps: samples that lie a step above the one before; late_steps: of these, those in the second half of the time.
    per_million: growth per million e-mails, by a least-squares line through the second half of the samples.
    late_growth: by how much that line rises from its first e-mail to its last.
    """

    first: int
    last: int
    highest: int
    highest_at: float
    steps: int
    late_steps: int
    per_million: float
    late_growth: float

    def __str__(self) -> str:
        verdict = "still growing" if self.late_growth >= STEP_KIB else "no longer growing"
        return (
            f"{verdict}: {self.first:,} → {self.last:,} KiB, at most {self.highest:,}, reached in minute "
            f"{self.highest_at:.1f}; {self.steps} steps of {STEP_KIB} KiB or more, {self.late_steps} of them in the "
            f"second half, where it grew by {self.late_growth:,.0f} KiB, {self.per_million:,.0f} per million e-mails"
        )


def growth(samples: Sequence[tuple[float, int, int]]) -> Growth:
    """How memory grew.

    samples: minutes, e-mails so far and KiB of each, in order; four or more. Raises ValueError where they are fewer.
    """
    if len(samples) < 4:  # noqa: PLR2004  a line needs two, and there are two halves
        raise ValueError("growth takes four samples or more")
    minutes, _, resident = zip(*samples, strict=True)
    half = minutes[-1] / 2
    steps = [at for (_, _, before), (at, _, after) in pairwise(samples) if after - before >= STEP_KIB]
    emails, late = zip(*[(emails, kib) for at, emails, kib in samples if at >= half], strict=True)
    slope = linear_regression(emails, late).slope
    return Growth(
        first=resident[0],
        last=resident[-1],
        highest=max(resident),
        highest_at=minutes[resident.index(max(resident))],
        steps=len(steps),
        late_steps=sum(at >= half for at in steps),
        per_million=1e6 * slope,
        late_growth=slope * (emails[-1] - emails[0]),
    )
