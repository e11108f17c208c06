"""Small disks of the suite's own, which get full, read-only, lost or replaced: file systems in memory (tmpfs).

They need the right to mount, which `chaos.__main__` takes by a namespace of its own where the system lets it: there the
suite harms nobody's mounts, and the disks are gone with its last process. The services find a disk by a symbolic link,
which changes from one moment to the next; a mount takes several steps, between which something else is there.
"""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TRIES: Final = 50
_OPTIONS: Final = "nr_inodes=0"  # as many files as there is room for


class Disk:
    """A file system, and the link by which the services find it.

    behind: where it is, whatever the services find. at: the link.
    """

    def __init__(self, behind: Path, at: Path, *, megabytes: int) -> None:
        self._size = megabytes * 1024 * 1024
        self._read_only = behind.with_name(f"{behind.name}-read-only")
        # What is done to the disk as a whole is done in turns.
        self._turn = threading.RLock()
        self.behind = behind
        self.at = at
        for directory in (behind, self._read_only, at.parent):
            directory.mkdir(parents=True, exist_ok=True)
        at.symlink_to(behind)

    def mount(self) -> None:
        """Make it a disk of its own size. Raises OSError where that is not permitted; it is a directory then."""
        _run("mount", "-t", "tmpfs", "-o", f"size={self._size},{_OPTIONS}", "tmpfs", str(self.behind))
        _run("mount", "--bind", str(self.behind), str(self._read_only))
        _run("mount", "-o", "remount,bind,ro", str(self._read_only))

    def unmount(self) -> None:
        """Give it up."""
        for path in (self._read_only, self.behind):
            with suppress(OSError):
                _run("umount", "--lazy", str(path))

    @contextmanager
    def full(self, *, spare_bytes: int) -> Iterator[None]:
        """Let it have that much room beside what is on it; a smaller disk costs less memory than a file of zeros."""
        with self._turn:
            for _ in range(_TRIES):
                with suppress(OSError):  # more was written meanwhile
                    self._resize(self._used_bytes() + spare_bytes)
                    break
            try:
                yield
            finally:
                self._resize(self._size)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nothing be written by its path; who has a file open goes on writing to it."""
        with self._found_at(self._read_only):
            yield

    @contextmanager
    def lost(self) -> Iterator[None]:
        """Let an empty directory be found instead, as below a disk that is not mounted."""
        empty = self.behind.with_name(f"{self.behind.name}-lost")
        empty.mkdir(exist_ok=True)
        with self._found_at(empty):
            yield

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let a file be found instead."""
        file = self.behind.with_name(f"{self.behind.name}-file")
        file.touch()
        with self._found_at(file):
            yield

    @contextmanager
    def _found_at(self, path: Path) -> Iterator[None]:
        with self._turn:
            self._lead_to(path)
            try:
                yield
            finally:
                self._lead_to(self.behind)

    def _lead_to(self, path: Path) -> None:
        link = self.at.with_name(f"{self.at.name}.new")
        link.symlink_to(path)
        link.replace(self.at)

    def _used_bytes(self) -> int:
        found = os.statvfs(self.behind)
        return found.f_frsize * (found.f_blocks - found.f_bfree)

    def _resize(self, size: int) -> None:
        _run("mount", "-o", f"remount,size={size},{_OPTIONS}", str(self.behind))


def _run(*command: str) -> None:
    """Raises OSError."""
    ended = subprocess.run(command, capture_output=True, check=False)
    if ended.returncode:
        raise OSError(ended.stderr.decode(errors="replace").strip())
