"""What can happen to the embedded queue and archive, beside what happens to processes."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from random import Random

    from chaos.embedded.disks import Disk
    from chaos.embedded.queue_file import QueueFile
    from chaos.world import Fault

_SPARE_BYTES: Final = (0, 64 * 1024, 1024 * 1024)


class Once:
    """A fault that is over when it has happened."""

    def __init__(self, name: str, happen: Callable[[], None]) -> None:
        self.name = name
        self.count = 0
        self._happen = happen

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:  # noqa: ARG002  nothing is left open
        """Let it happen."""
        with suppress(OSError, sqlite3.Error):  # another fault does not let it
            self._happen()
            self.count += 1
        yield


class Lasting:
    """A fault that lasts as long as a context manager's body runs."""

    def __init__(self, name: str, during: Callable[[Random], AbstractContextManager[None]]) -> None:
        self.name = name
        self.count = 0
        self._during = during

    @contextmanager
    def going_on(self, random: Random) -> Iterator[None]:
        """Let it go on."""
        with ExitStack() as stack:
            with suppress(OSError, sqlite3.Error):  # as above
                stack.enter_context(self._during(random))
                self.count += 1
            yield


def faults_of_queue_file(queue: QueueFile) -> Sequence[Fault]:
    """Somebody deletes, replaces or truncates the queue's file."""
    return [
        Once("queue_file_deleted", queue.delete),
        Once("queue_file_replaced", queue.replace),
        Once("queue_file_emptied", queue.empty),
        Lasting("queue_file_cut_short", lambda _: queue.cut_short()),
    ]


def faults_of_disks(queue: Disk, archive: Disk) -> Sequence[Fault]:
    """Disks that are full or read-only: only where they could be mounted."""
    return [
        Lasting("queue_disk_full", lambda random: queue.full(spare_bytes=random.choice(_SPARE_BYTES))),
        Lasting("queue_read_only", lambda _: queue.read_only()),
        Lasting("archive_disk_full", lambda random: archive.full(spare_bytes=random.choice(_SPARE_BYTES))),
        Lasting("archive_read_only", lambda _: archive.read_only()),
    ]


def faults_of_paths(archive: Disk) -> Sequence[Fault]:
    """The archive is not where it was."""
    return [
        Lasting("archive_away", lambda _: archive.away()),
        Lasting("archive_mount_lost", lambda _: archive.lost()),
    ]
