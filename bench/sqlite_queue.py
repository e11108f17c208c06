"""Measure what one call of `send` costs over SQLite: one commit, synced to the disk, for all bodies of the call.

Each line sends to a file of its own, so checkpoints of the write-ahead log are in it as often as they come.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.adapters import open_sending
from disk import add_directory, empty_directory, file_system

if TYPE_CHECKING:
    from pathlib import Path

KIB: Final = 1024
MIB: Final = 1024 * KIB

# Bodies per commit, and bytes per body. 131 bytes: the README's e-mail. 4 MiB: the most that one call carries.
CALLS: Final = [
    *((bodies, 131) for bodies in (1, 16, 64, 256, 1024)),
    *((bodies, 16 * KIB) for bodies in (1, 16, 64, 256)),
    *((bodies, 256 * KIB) for bodies in (1, 16)),
    (1, MIB),
    (1, 5 * MIB),
    (1, 16 * MIB),
]


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description="Measure the commits of the SQLite queue.")
    add_directory(parser)
    parser.add_argument("--commits", type=int, default=50, help="per line and round")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sys.stdout.write(
        f"{file_system(arguments.directory)} at {arguments.directory}, "
        f"median of {arguments.rounds} rounds of {arguments.commits} commits\n\n"
        f"{'bodies per commit':>18}{'bytes per body':>16}{'ms per commit':>15}{'bodies/s':>12}{'MiB/s':>9}\n"
    )
    # Round by round, so that what else the machine does meets all lines alike.
    rounds = [
        [
            asyncio.run(seconds_per_commit(arguments.directory, [b"x" * size] * bodies, arguments.commits))
            for bodies, size in CALLS
        ]
        for _ in range(arguments.rounds)
    ]
    for (bodies, size), each in zip(CALLS, zip(*rounds, strict=True), strict=True):
        seconds = median(each)
        sys.stdout.write(
            f"{bodies:>18,}{size:>16,}{seconds * 1000:>15,.2f}"
            f"{bodies / seconds:>12,.0f}{bodies * size / MIB / seconds:>9,.1f}\n"
        )


async def seconds_per_commit(parent: Path, bodies: list[bytes], commits: int) -> float:
    """The median of so many calls, one after the other, to a new queue."""
    taken = []
    with empty_directory(parent) as directory:
        async with open_sending(f"sqlite:///{directory}/queue.db") as queue:
            await queue.probe()  # the file is there, and its tables
            for _ in range(commits):
                began = time.perf_counter()
                await queue.send(bodies)
                taken.append(time.perf_counter() - began)
    return median(taken)


if __name__ == "__main__":
    main()
