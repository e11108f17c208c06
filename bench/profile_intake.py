"""Where the intake spends its time under load, on `sqlite:` with 64 clients, as py-spy samples it.

https://github.com/benfred/py-spy

It looks at the thread that holds Python's lock, so neither what waits nor what the system does meanwhile is in it. A
sample counts for the innermost function of this project that runs, with all that it calls elsewhere.
Run: `python bench/profile_intake.py`; `--into FILE` puts the table into a document, between the lines
`<!-- profile -->` and `<!-- /profile -->`.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import queues
from disk import add_directory, empty_directory
from documents import into, table
from load import EMAIL, LoadFailedError, saturate, wrk_version
from processes import cores
from rows import CLIENTS, VENV, intake
from serving import Server, ServerFailedError, running

HERE: Final = Path(__file__).parents[1]
SAMPLES_PER_SECOND: Final = 250
LEAST_SHARE: Final = 0.005
_OURS: Final = re.compile(r"^(?P<function>.+) \((?P<file>(?:processing_requests|checkpoint)/.+):\d+\)$")
_SERVING: Final = ("Runner.run (", "Thread._bootstrap (")  # begin what is no start
_IMPORT: Final = "_find_and_load ("
_ELSE: Final = "the event loop, and its executor"


def main() -> None:
    """Profile, and print the table."""
    parser = argparse.ArgumentParser(description="Where the intake spends its time.")
    add_directory(parser)
    parser.add_argument("--seconds", type=int, default=10, help="under load (default: %(default)s)")
    parser.add_argument("--into", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if wrk_version() is None:
        sys.exit("wrk is not installed (Debian: apt-get install wrk).")
    if not (VENV / "bin/py-spy").exists():
        sys.exit(f"{VENV}/bin/py-spy is missing: make bench-profile installs it.")
    try:
        counts = sample(arguments.directory, arguments.seconds)
    except (LoadFailedError, ServerFailedError) as error:
        sys.exit(str(error))
    text = shown(counts)
    if arguments.into:
        into(arguments.into, "profile", text)
    else:
        sys.stdout.write(text)


def sample(parent: Path, seconds: int) -> Counter[str]:
    """Samples by what ran."""
    where = cores()
    row = next(row for row in intake(HERE)[0] if row.key == "sqlite")
    with empty_directory(parent) as directory:
        raw = directory / "samples"
        options = ("--format", "raw", "--output", str(raw), "--rate", str(SAMPLES_PER_SECOND), "--gil")
        spy = (str(VENV / "bin/py-spy"), "record", *options, "--", *row.command)
        with (
            queues.opened(row.queue, directory, latency=0, cores=where.load) as queue,
            running(Server(spy, row.environment, where.server, signal.SIGINT), directory, queue.environment) as (
                _,
                url,
            ),
        ):
            saturate(url, EMAIL, clients=CLIENTS, seconds=seconds, cores=where.load)
        counts: Counter[str] = Counter()
        for line in raw.read_text().splitlines():
            stack, _, count = line.rpartition(" ")
            if what := running_in(stack.split(";")):
                counts[what] += int(count)
        return counts


def running_in(stack: list[str]) -> str | None:
    """What a sample counts for; None where it was taken at the start."""
    is_serving = any(frame.startswith(_SERVING) for frame in stack)
    if not is_serving or any(frame.startswith(_IMPORT) for frame in stack):
        return None
    for frame in reversed(stack):
        if ours := _OURS.match(frame):
            return f"`{ours['function']}` in {ours['file']}"
    return _ELSE


def shown(counts: Counter[str]) -> str:
    """The table."""
    total = counts.total()
    lines = [[what, f"{count / total:.1%}"] for what, count in counts.most_common() if count >= LEAST_SHARE * total]
    rest = 1 - sum(count for count in counts.values() if count >= LEAST_SHARE * total) / total
    return f"{table(['what runs', 'of the samples'], [*lines, ['all else', f'{rest:.1%}']])}\n"


if __name__ == "__main__":
    main()
