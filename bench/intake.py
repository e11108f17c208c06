"""Measure the intake beside the ceiling of its stack and other servers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median
from typing import Final

import rows
from disk import add_directory, file_system
from load import LoadFailedError
from measure import Conditions, measure
from processes import cores
from serving import ServerFailedError

HERE: Final = Path(__file__).parents[1]


def main() -> None:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_directory(parser)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--warm-up", type=float, default=1)
    parser.add_argument("--latency", type=float, default=0.01)
    parser.add_argument("--rows", default="")
    arguments = parser.parse_args()
    conditions = Conditions(
        seconds=arguments.seconds,
        warm_up_seconds=arguments.warm_up,
        latency=arguments.latency,
        directory=arguments.directory,
        cores=cores(),
    )
    table = rows.baselines() + rows.intake(HERE)
    if arguments.against:
        table += rows.intake(arguments.against.resolve(), " (other)")
    if arguments.rows:
        table = [row for row in table if row.key in arguments.rows.split(",")]
    try:
        rounds = [{row.key: measure(row, conditions) for row in table} for _ in range(arguments.rounds)]
    except (LoadFailedError, ServerFailedError) as error:
        sys.exit(str(error))
    sys.stdout.write(f"{file_system(arguments.directory)}\n")
    for row in table:
        figures = {name: round(median(each[row.key][name] for each in rounds), 3) for name in rounds[0][row.key]}
        sys.stdout.write(f"{row.key}: {figures}\n")


if __name__ == "__main__":
    main()
