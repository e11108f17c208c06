"""Measure how fast the archive makes files, by how many share a sync of their directory and by how many threads.

Beside it, obstore's own LocalStore, with the file and its directory synced after each put, as an archive would need.
CPU time is that of the whole process, its event loop included.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Final

import obstore
from obstore.store import LocalStore

from checkpoint.archive.directory import Directory
from checkpoint.archive.local_files import LocalFiles
from checkpoint.durable_directories import sync_directory
from disk import add_directory, empty_directory, file_system

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from pathlib import Path

    Figures = tuple[float, float]  # files per second, CPU seconds per file
    Put = Callable[[str, bytes], Awaitable[object]]

FILES_PER_SYNC: Final = (1, 8, 64, 256)
THREADS: Final = (1, 2, 4)
AT_ONCE: Final = 256  # puts under way, as with the broker's default of SLOTS


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description="Measure the archive of local files.")
    add_directory(parser)
    parser.add_argument("--files", type=int, default=2_000, help="per line and round")
    parser.add_argument("--size", type=int, default=131, help="bytes per file")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sys.stdout.write(
        f"{file_system(arguments.directory)} at {arguments.directory}, {os.cpu_count()} cores, "
        f"{arguments.files} files of {arguments.size} bytes, median of {arguments.rounds} rounds\n\n"
        f"{'files per sync':>16}{'threads':>9}{'files/s':>10}{'CPU µs per file':>18}\n"
    )
    lines: dict[tuple[str, str], Callable[[], Coroutine[None, None, Figures]]] = {
        (str(files_per_sync), str(threads)): partial(local_files, arguments, files_per_sync, threads)
        for files_per_sync in FILES_PER_SYNC
        for threads in THREADS
    }
    lines["LocalStore", "-"] = partial(local_store, arguments)
    # Round by round, so that what else the machine does meets all lines alike.
    rounds = [[asyncio.run(line()) for line in lines.values()] for _ in range(arguments.rounds)]
    for (files_per_sync, threads), figures in zip(lines, zip(*rounds, strict=True), strict=True):
        rate, cpu = (median(each) for each in zip(*figures, strict=True))
        sys.stdout.write(f"{files_per_sync:>16}{threads:>9}{rate:>10,.0f}{cpu * 1e6:>18,.0f}\n")


async def local_files(arguments: argparse.Namespace, files_per_sync: int, threads: int) -> Figures:
    """One round of this archive."""
    with empty_directory(arguments.directory) as parent:
        directory = parent / "archive"
        directory.mkdir()
        files = LocalFiles(Directory(directory), files_per_sync=files_per_sync, syncs_at_once=threads)

        async def put(name: str, body: bytes) -> None:
            await files.create(name, body, sha256=hashlib.sha256(body).hexdigest())

        return await measure(put, directory, arguments)


async def local_store(arguments: argparse.Namespace) -> Figures:
    """One round of obstore's own."""
    with empty_directory(arguments.directory) as directory:
        store = LocalStore(directory)

        async def put(name: str, body: bytes) -> None:
            await obstore.put_async(store, name, body, mode="create", use_multipart=False)
            await asyncio.to_thread(sync, directory / name)

        return await measure(put, directory, arguments)


def sync(path: Path) -> None:
    """Make a file and its name durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_directory(path.parent)


async def measure(put: Put, directory: Path, arguments: argparse.Namespace) -> Figures:
    """Put so many files; what that took. Exits where a file is missing afterwards."""
    body = b"x" * arguments.size
    names = iter([f"sqs_message_{number}.json" for number in range(arguments.files)])
    began, cpu_began = time.perf_counter(), time.process_time()
    await asyncio.gather(*(put_each(put, names, body) for _ in range(AT_ONCE)))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    if (made := count(directory, arguments.size)) != arguments.files:
        sys.exit(f"Of {arguments.files} files {made} are there.")
    return arguments.files / seconds, cpu_seconds / arguments.files


def count(directory: Path, size: int) -> int:
    """The objects in a directory that have this size."""
    return sum(path.stat().st_size == size for path in directory.glob("*.json"))


async def put_each(put: Put, names: Iterator[str], body: bytes) -> None:
    """One of those who put at once."""
    for name in names:
        await put(name, body)


if __name__ == "__main__":
    main()
