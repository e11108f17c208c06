"""Measure the intake beside the ceiling of its stack, nginx and the first design, and under crowds.

All rows are measured in turns, so that what drifts meets them alike. Exits with 1 where a server fails, or loses a
message that it has answered 200. docs/performance.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import resource
import shlex
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import results
import rows
from disk import add_directory
from intake_run import Conditions, run
from load import LoadFailedError, wrk_version
from machine import commit, describe
from plot import write_plots
from processes import busy_cores, cores
from report import markdown
from serving import ServerFailedError

if TYPE_CHECKING:
    from rows import Row

HERE: Final = Path(__file__).parents[1]
BUSY: Final = 0.2  # cores, before anything is measured


def main() -> None:
    """Run, write the results, and print them."""
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended by SIGTERM."))  # and with it what it has started
    if wrk_version() is None:
        sys.exit("wrk is not installed (Debian: apt-get install wrk).")
    allow_descriptors(max(rows.CROWDS) + 1_000)
    chosen, remarks = choose(arguments)
    conditions = Conditions(
        seconds=arguments.seconds, latency=arguments.latency, directory=arguments.directory, cores=cores()
    )
    if conditions.cores.shared:
        remarks.append("This process may use one core only: the load takes its time from the server's.")
    if (busy := busy_cores(2)) > BUSY:
        remarks.append(f"The machine was busy with other things ({busy:.1f} cores): these figures are doubtful.")
    checkouts = {"": HERE, **({"the other": arguments.against} if arguments.against else {})}
    found = results.Results(
        measured_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        command=arguments.command or shlex.join(["python", *sys.argv]),
        machine=describe(arguments.directory),
        commits={name: commit(path) for name, path in checkouts.items()},
        conditions={"rounds": arguments.rounds, "seconds": arguments.seconds, "latency": arguments.latency},
        remarks=remarks,
        rows=[results.Measured(key=row.key, title=row.title, clients=row.clients, rounds={}) for row in chosen],
    )
    try:
        measure(chosen, conditions, arguments.rounds, found)
    except (LoadFailedError, ServerFailedError) as error:
        sys.exit(str(error))
    arguments.results.mkdir(parents=True, exist_ok=True)
    results.write(found, arguments.results / "intake.json")
    (arguments.results / "intake.md").write_text(markdown(found))
    write_plots(found, arguments.results)
    sys.stdout.write(f"{markdown(found)}\nWritten to {arguments.results}.\n")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure the intake.")
    add_directory(parser)
    parser.add_argument("--against", type=Path, metavar="PATH", help="another checkout, measured in turn with this one")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=3, help="under each load (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0.01, help="seconds per call to AWS (default: %(default)s)")
    parser.add_argument("--rows", default="", metavar="KEY,KEY", help="those whose keys begin so; all without")
    parser.add_argument("--results", type=Path, default=HERE / "bench/results", metavar="PATH", help="where to write")
    parser.add_argument("--command", default="", help="what the results name as the command; without, this one")
    arguments = parser.parse_args()
    if arguments.against and not (arguments.against / "apps/processing_requests").is_dir():
        parser.error(f"--against: {arguments.against} is no checkout: it has no apps/processing_requests")
    if arguments.against:
        arguments.against = arguments.against.resolve()
    return arguments


def choose(arguments: argparse.Namespace) -> tuple[list[Row], list[str]]:
    """The rows that were asked for, and a line for each that cannot run here."""
    (ceiling, *others), missing = rows.baselines()
    ours, ours_missing = rows.intake(HERE)
    theirs, theirs_missing = rows.intake(arguments.against, is_other=True) if arguments.against else ([], [])
    # What is compared most closely is measured one right after the other.
    order = {row.key: place for place, row in enumerate(ours)}
    both = sorted([*ours, *theirs], key=lambda row: order.get(row.key.removesuffix(rows.OTHER), len(order)))
    asked = tuple(arguments.rows.split(","))
    chosen = [row for row in (ceiling, *both, *others) if row.key.startswith(asked)]
    return chosen, missing + ours_missing + theirs_missing


def measure(chosen: list[Row], conditions: Conditions, rounds: int, found: results.Results) -> None:
    """Add the figures of all rounds to the results."""
    for number in range(rounds):
        for row, measured in zip(chosen, found.rows, strict=True):
            sys.stderr.write(f"round {number + 1} of {rounds}: {row.title}\n")
            for name, value in run(row, conditions).items():
                measured.rounds.setdefault(name, []).append(value)


def allow_descriptors(count: int) -> None:
    """Raise the limit of open files, for this process and all that it starts. Exits where it may not be so high."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        sys.exit(f"{count} open files are needed, and the hard limit is {hard} (ulimit -Hn).")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
