"""The embedded default: a queue in a SQLite file, and an archive that is a directory."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from chaos.embedded.disks import Disk
from chaos.embedded.faults import faults_of_disks, faults_of_paths, faults_of_queue_file
from chaos.embedded.queue_file import QueueFile
from conservation.history import identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from chaos.world import Fault
    from conservation.history import Confirmation, Destroyed

MAX_RECEIVES: Final = 8
_TOO_LONG: Final = 300
_QUEUE_MEGABYTES: Final = 64
_ARCHIVE_MEGABYTES: Final = 4_096  # no more than what is written is taken


@contextmanager
def open_world(directory: Path) -> Iterator[Embedded]:
    """A fresh one below a directory, in which the services must be started."""
    queue = Disk(directory / "disks" / "queue", directory / "data" / "queue", megabytes=_QUEUE_MEGABYTES)
    archive = Disk(directory / "disks" / "archive", directory / "data" / "archive", megabytes=_ARCHIVE_MEGABYTES)
    file = QueueFile(queue.behind / "queue.db")
    faults = [*faults_of_queue_file(file), *faults_of_paths(archive)]
    try:
        queue.mount()
        archive.mount()
        faults += faults_of_disks(queue, archive)
        has_disks = True
    except OSError as error:
        has_disks = False
        print(f"Skipped: full and read-only disks, for mounts are not permitted: {error}", file=sys.stderr)  # noqa: T201  a program's output
    try:
        yield Embedded(file, queue, archive, faults, has_disks=has_disks)
    finally:
        archive.unmount()
        queue.unmount()


class Embedded:
    """A World.

    queue: its file. has_disks: whether the disks are disks, and not only directories.
    """

    name = "embedded"

    def __init__(
        self, queue: QueueFile, queue_disk: Disk, archive_disk: Disk, faults: Sequence[Fault], *, has_disks: bool
    ) -> None:
        self._queue = queue
        self.queue_disk = queue_disk
        self.archive_disk = archive_disk
        self.has_disks = has_disks
        self._read: dict[str, tuple[tuple[int, ...], str]] = {}
        self.faults = faults

    def environment(self, program: str, number: int) -> Mapping[str, str]:  # noqa: ARG002  all go the same way
        """As World says."""
        return {"QUEUE_URL": f"sqlite:///data/queue/queue.db?max_receives={MAX_RECEIVES}"}

    def put(self, body: bytes) -> None:
        """As World says."""
        self._queue.put(body)

    def waiting(self) -> int:
        """As World says."""
        return len(self._queue.bodies("messages"))

    def dead_letters(self) -> list[str]:
        """As World says; those too that were in a file that was destroyed."""
        return [*self._queue.dead_letters, *self._queue.bodies("dead_letters")]

    def damage(self) -> str:
        """As Damageable says."""
        return self._queue.damage()

    def objects(self) -> dict[str, str]:
        """As World says; a file is read again when any of its times, its size or the file itself is another."""
        found = {}
        for path in self.archive_disk.behind.iterdir():
            if path.is_symlink() or not path.is_file() or path.name.startswith("."):
                continue
            stat = path.stat()
            state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            read, digest = self._read.get(path.name, ((), ""))
            if read != state:
                digest = identity(path.read_bytes())
                self._read[path.name] = (state, digest)
            found[path.name] = digest
        return found

    @contextmanager
    def failing(self, name: str) -> Iterator[None]:
        """As Failing says: the name leads to another one that is too long, which the system reports as an error."""
        link = self.archive_disk.behind / name
        link.symlink_to("x" * _TOO_LONG)
        try:
            yield
        finally:
            link.unlink()

    def confirmations(self) -> list[Confirmation]:
        """Nobody can see what a file confirms."""
        return []

    def destroyed(self) -> list[Destroyed]:
        """As Destroying says."""
        return self._queue.destroyed
