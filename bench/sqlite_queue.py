"""Measure what one call of `send` costs over SQLite: one commit, synced to the disk, for all bodies of the call.

Beside it, the same commit by executemany between BEGIN and COMMIT: a statement for each body. Each way is measured
while the event loop waits for it, and beside an event loop that never rests, as that of a busy intake: it holds
Python's lock, which the queue's thread needs between any two statements. There the rest of the loop's turn is in the
time. One statement holds the file's lock for less than the first time; many hold it for nearly all of the second.

Each line sends to a file of its own, so checkpoints of the write-ahead log are in it as often as they come.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import sys
import time
from contextlib import asynccontextmanager
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

import uvloop

from checkpoint.message_queue.sqlite.database import Database, transaction
from checkpoint.message_queue.sqlite.queue import SQLiteSendingQueue
from checkpoint.message_queue.sqlite.statements import SEND
from disk import add_directory, empty_directory, file_system

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Send = Callable[[Database, list[bytes]], Awaitable[object]]

KIB: Final = 1024
MIB: Final = 1024 * KIB

# Bodies per commit, and bytes per body. 131 bytes: the README's e-mail. 4 MiB: the most that one call carries.
CALLS: Final = [
    *((bodies, 131) for bodies in (1, 16, 64, 256, 1024, 2048, 4096)),
    *((bodies, 16 * KIB) for bodies in (1, 16, 64, 256)),
    *((bodies, 256 * KIB) for bodies in (1, 16)),
    (1, MIB),
    (1, 5 * MIB),
    (1, 16 * MIB),
]
EMAIL: Final = json.dumps({"email_timestream": "1706213694", "email_content": "x" * 64})
REQUESTS_PER_TURN: Final = 64  # as many as there are clients on a small machine


class Figures(NamedTuple):
    """Medians per commit: milliseconds, and those beside a busy loop; microseconds of CPU time per body."""

    ms: float
    ms_beside_busy_loop: float
    cpu_us_per_body: float


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description="Measure the commits of the SQLite queue.")
    add_directory(parser)
    parser.add_argument("--commits", type=int, default=50, help="per line and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", action="store_true", help="leave out what is measured beside a busy loop")
    parser.add_argument("--most", type=int, default=4096, help="bodies per commit; lines of more are left out")
    arguments = parser.parse_args()
    calls = [(bodies, size) for bodies, size in CALLS if bodies <= arguments.most]
    sys.stdout.write(
        f"{file_system(arguments.directory)} at {arguments.directory}, "
        f"median of {arguments.rounds} rounds of {arguments.commits} commits\n"
        f"{'':>34}{'send, which is one statement':>36}{'executemany':>36}\n"
        f"{'bodies per commit':>18}{'bytes per body':>16}"
        + f"{'ms':>10}{'busy loop':>12}{'CPU µs/body':>14}" * 2
        + "\n"
    )
    # Round by round, so that what else the machine does meets all lines alike.
    rounds = [
        [
            [
                measure(arguments.directory, send, [b"x" * size] * bodies, arguments.commits, idle=arguments.idle)
                for send in (sent, inserted)
            ]
            for bodies, size in calls
        ]
        for _ in range(arguments.rounds)
    ]
    for (bodies, size), each in zip(calls, zip(*rounds, strict=True), strict=True):
        ways = (Figures(*map(median, zip(*figures, strict=True))) for figures in zip(*each, strict=True))
        sys.stdout.write(f"{bodies:>18,}{size:>16,}{''.join(map(columns, ways))}\n")


def columns(way: Figures) -> str:
    """The figures of one way."""
    return f"{way.ms:>10,.2f}{way.ms_beside_busy_loop:>12,.2f}{way.cpu_us_per_body:>14,.1f}"


async def sent(database: Database, bodies: list[bytes]) -> None:
    """What the intake does."""
    await SQLiteSendingQueue(database).send(bodies)


async def inserted(database: Database, bodies: list[bytes]) -> None:
    """The other way: a statement for each body."""

    def insert(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            connection.executemany(SEND, [(time.time(), body) for body in bodies])

    await database.run(insert)


def measure(parent: Path, send: Send, bodies: list[bytes], commits: int, *, idle: bool) -> Figures:
    """Make so many calls, one after the other, to a new queue, and as many beside a busy loop unless `idle`."""

    async def run() -> Figures:
        with empty_directory(parent) as directory:
            async with Database(directory / "queue.db") as database:
                await send(database, bodies)  # the file is there, and its tables
                cpu_began = time.process_time()
                ms = await median_ms(database, send, bodies, commits)
                cpu_seconds = time.process_time() - cpu_began
                if idle:
                    return Figures(ms, math.nan, cpu_seconds / commits / len(bodies) * 1e6)
                async with busy_loop():
                    ms_beside_busy_loop = await median_ms(database, send, bodies, commits)
        return Figures(ms, ms_beside_busy_loop, cpu_seconds / commits / len(bodies) * 1e6)

    return uvloop.run(run())


async def median_ms(database: Database, send: Send, bodies: list[bytes], commits: int) -> float:
    """The median of so many calls."""
    taken = []
    for _ in range(commits):
        began = time.perf_counter()
        await send(database, bodies)
        taken.append(time.perf_counter() - began)
    return median(taken) * 1000


@asynccontextmanager
async def busy_loop() -> AsyncIterator[None]:
    """Give the event loop requests to check all the time, so that it never waits."""

    async def check() -> None:
        while True:
            for _ in range(REQUESTS_PER_TURN):
                hashlib.sha256(json.dumps(json.loads(EMAIL)).encode()).digest()
            await asyncio.sleep(0)

    checking = asyncio.create_task(check())
    try:
        yield
    finally:
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)


if __name__ == "__main__":
    main()
