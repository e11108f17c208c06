"""The results of a measurement: kept as JSON, one list of figures per row, one figure per round."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Measured(msgspec.Struct):
    """One row. rounds: its figures by name, one per round, all of the same round in the same place."""

    key: str
    title: str
    clients: int
    rounds: dict[str, list[float]]

    def figure(self, name: str) -> float | None:
        """The median over the rounds; None where it was not measured."""
        return median(self.rounds[name]) if name in self.rounds else None


class Results(msgspec.Struct):
    """All of it.

    machine, commits: by what they describe. conditions: as the program's options have them.
    remarks: a line for each thing that was left out, or that makes the figures doubtful.
    """

    measured_at: str
    command: str
    machine: dict[str, str]
    commits: dict[str, str]
    conditions: dict[str, float]
    remarks: list[str]
    rows: list[Measured]

    def row(self, key: str) -> Measured | None:
        """A row; None where it was left out."""
        return next((row for row in self.rows if row.key == key), None)

    def figure(self, key: str, name: str) -> float | None:
        """A row's median; None where it was not measured."""
        return row.figure(name) if (row := self.row(key)) else None

    def combined(
        self, first: tuple[str, str], second: tuple[str, str], how: Callable[[float, float], float]
    ) -> float | None:
        """The median of what two figures, each by row and name, give in each round: what drifts meets both alike."""
        found = [row.rounds.get(name) if (row := self.row(key)) else None for key, name in (first, second)]
        if found[0] is None or found[1] is None:
            return None
        return median(how(*each) for each in zip(found[0], found[1], strict=True))


def write(results: Results, path: Path) -> None:
    """Write them as JSON, indented."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def read(path: Path) -> Results:
    """Read them again. Raises OSError or msgspec.DecodeError."""
    return msgspec.json.decode(path.read_bytes(), type=Results)
