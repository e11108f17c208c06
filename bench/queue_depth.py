"""Measure what it costs to tell the depth of a SQLite queue, and to search it, by the number of its messages.

Each depth is told by a connection of its own, whose cache is empty. A tenth as many are dead letters.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import time
from contextlib import closing
from statistics import median
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.sqlite.adapter import open_admin, open_sending
from disk import add_directory, empty_directory, file_system

if TYPE_CHECKING:
    from pathlib import Path

_MESSAGES: Final = (1_000, 100_000, 1_000_000)
_BODY_BYTES: Final = 700  # an e-mail of a paragraph
_TIMES: Final = 9
_FILL: Final = """
WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?)
"""
_MESSAGE: Final = f"{_FILL} INSERT INTO messages (sent_at, body) SELECT 1e9, randomblob(?) FROM numbers"  # noqa: S608  a constant
_DEAD_LETTER: Final = f"""
{_FILL} INSERT INTO dead_letters (dead_at, receive_count, reason, body) SELECT 1e9, 1, 'bad', randomblob(?) FROM numbers
"""  # noqa: S608  a constant


async def _measure(path: Path, messages: int) -> str:
    url = f"sqlite:///{path}"
    async with open_sending(url) as sending:
        await sending.probe()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_MESSAGE, (messages, _BODY_BYTES))
        connection.execute(_DEAD_LETTER, (messages // 10, _BODY_BYTES))
    async with open_admin(url) as admin:
        seconds, cpu = [], time.process_time()
        for _ in range(_TIMES):
            began = time.perf_counter()
            await admin.depth()
            seconds.append(time.perf_counter() - began)
        cpu = (time.process_time() - cpu) / _TIMES
        began = time.perf_counter()
        assert not [message async for message in admin.find(lambda body: b"no such text" in body)]  # noqa: S101  as tests
        search = time.perf_counter() - began
    return f"{messages:>9,} {median(seconds) * 1_000:>13.1f} {cpu * 1_000:>12.1f} {search:>10.2f}"


async def _report(directory: Path) -> None:
    sys.stdout.write(f"{file_system(directory)}, SQLite {sqlite3.sqlite_version}\n\n")
    sys.stdout.write(" messages   depth, ms   CPU of it   search, s\n")
    for messages in _MESSAGES:
        sys.stdout.write(f"{await _measure(directory / f'{messages}.db', messages)}\n")


def main() -> None:
    """Print a line for each number of messages."""
    parser = argparse.ArgumentParser(description="What the depth of a SQLite queue costs.")
    add_directory(parser)
    with empty_directory(parser.parse_args().directory) as directory:
        asyncio.run(_report(directory))


if __name__ == "__main__":
    main()
