"""Say whether two runs of the intake's bench agree.

They do where medians, and CPU times as shares of the ceiling's, differ by 15 % at most, and tails by a factor of two.
Run: `python bench/compare.py ONE.json OTHER.json`. Exits with 1 where they do not agree.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from operator import truediv
from pathlib import Path
from typing import TYPE_CHECKING, Final

import results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from results import Results

MEDIANS_WITHIN: Final = 1.15
TAILS_WITHIN: Final = 2.0
MEDIANS: Final = ("p50_ms", "half_p50_ms")
TAILS: Final = ("p99_ms", "half_p99_ms", "refused_p99_ms")


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure of both runs, and by which factor they may differ."""

    row: str
    figure: str
    one: float
    other: float
    within: float

    @property
    def factor(self) -> float:
        """The larger over the smaller."""
        return max(self.one, self.other) / min(self.one, self.other)

    @property
    def agrees(self) -> bool:
        """Whether they do."""
        return self.factor <= self.within


def pairs(one: Results, other: Results) -> Iterator[Pair]:
    """The figures that both runs have."""
    for row in one.rows:
        figures: list[tuple[str, float | None, float | None, float]] = [
            ("CPU time / the ceiling's", _share(one, row.key), _share(other, row.key), MEDIANS_WITHIN),
            *((name, row.figure(name), other.figure(row.key, name), MEDIANS_WITHIN) for name in MEDIANS),
            *((name, row.figure(name), other.figure(row.key, name), TAILS_WITHIN) for name in TAILS),
        ]
        for name, first, second, within in figures:
            if first and second:
                yield Pair(row.key, name, first, second, within)


def _share(found: Results, key: str) -> float | None:
    return found.combined((key, "cpu_us"), ("ceiling", "cpu_us"), truediv)


def main() -> None:
    """Print where they differ by more than they may, and how many figures agree."""
    parser = argparse.ArgumentParser(description="Say whether two runs of the intake's bench agree.")
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    arguments = parser.parse_args()
    found = list(pairs(results.read(arguments.one), results.read(arguments.other)))
    differing = [pair for pair in found if not pair.agrees]
    for pair in differing:
        sys.stdout.write(
            f"{pair.row}: {pair.figure}: {pair.one:.3g} and {pair.other:.3g}, "
            f"a factor of {pair.factor:.2f} where {pair.within:g} is allowed\n"
        )
    sys.stdout.write(f"{len(found) - len(differing)} of {len(found)} figures agree.\n")
    sys.exit(bool(differing) or not found)


if __name__ == "__main__":
    main()
