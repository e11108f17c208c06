"""The files of an archive's directory, listed and read, and nothing of them changed."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from contextlib import ExitStack
from threading import Lock
from typing import TYPE_CHECKING, Final

from checkpoint.archive.directory import unavailable
from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError, StoredObject
from checkpoint.batching.batcher import Batcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from checkpoint.archive.directory import Directory

# As many as a page of S3 has: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
_PAGE: Final = 1_000
# A thread gives up the interpreter and the scan after so many names, however few of them are asked for.
_NAMES_PER_STEP: Final = 10_000
_READS_PER_THREAD: Final = 64
_THREADS: Final = 2


class ListedFiles:
    """A ListedStore in a directory. It looks for the directory anew at each call: a volume may come and go."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._reads = Batcher(self._read_in_thread, entries=_READS_PER_THREAD, calls_at_once=_THREADS)

    async def objects(self, prefix: str = "") -> AsyncIterator[Sequence[StoredObject]]:
        """As ListedStore says: plain files, and links that lead to one, for the broker takes those for objects too.

        The directory is held open meanwhile, so its volume cannot be unmounted.
        """
        scan = _Scan(self._directory, prefix)
        try:
            while (page := await asyncio.to_thread(scan.step)) is not None:
                if page:
                    yield page
        finally:
            scan.close()

    async def read(self, name: str) -> bytes | None:
        """As ListedStore says; reads that are asked for together share a thread."""
        found = await self._reads.submit(name)
        if isinstance(found, ArchiveUnavailableError | ObjectUnreadableError):
            raise found
        return found

    async def close(self) -> None:
        """Finish what is under way."""
        await self._reads.drain()

    async def _read_in_thread(
        self, names: Sequence[str]
    ) -> Sequence[bytes | ArchiveUnavailableError | ObjectUnreadableError | None]:
        return await asyncio.to_thread(self._read_all, names)

    def _read_all(
        self, names: Sequence[str]
    ) -> Sequence[bytes | ArchiveUnavailableError | ObjectUnreadableError | None]:
        try:
            with self._directory.look() as directory:
                return [self._read(name, directory) for name in names]
        except ArchiveUnavailableError as error:
            return [error] * len(names)

    def _read(self, name: str, directory: int) -> bytes | ArchiveUnavailableError | ObjectUnreadableError | None:
        if not name or "/" in name or "\0" in name or name in {".", ".."}:  # it would be of another directory
            return None
        try:
            return read_file(name, directory)
        except OSError as error:
            return unavailable(error, self._directory.path, is_written=False)
        except ObjectUnreadableError as error:
            return error


class _Scan:
    """One look through a directory, in steps, each on a thread."""

    def __init__(self, directory: Directory, prefix: str) -> None:
        self._directory = directory
        self._prefix = prefix
        self._opened = ExitStack()
        self._entries: Iterator[os.DirEntry[str]] | None = None
        # A scan that is closed while a thread is in it would take the process with it: readdir(3) after closedir(3).
        self._lock = Lock()
        self._is_closed = False

    def step(self) -> list[StoredObject] | None:
        """A page, which may be empty; None at the end."""
        with self._lock:
            if self._is_closed:
                return None
            try:
                return self._step()
            except OSError as error:
                raise unavailable(error, self._directory.path, is_written=False) from None

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._opened.close()

    def _step(self) -> list[StoredObject] | None:
        if self._entries is None:
            descriptor = self._opened.enter_context(self._directory.look())
            self._entries = self._opened.enter_context(os.scandir(descriptor))
        page: list[StoredObject] = []
        for seen, entry in enumerate(self._entries, 1):
            if entry.name.startswith(self._prefix) and (found := _stored(entry)):
                page.append(found)
            if len(page) == _PAGE or seen == _NAMES_PER_STEP:
                return page
        return page or None


def _stored(entry: os.DirEntry[str]) -> StoredObject | None:
    """None for what is no file, or is gone by now."""
    try:
        return StoredObject(entry.name, entry.stat().st_size, None) if entry.is_file() else None
    except FileNotFoundError:
        return None


def read_file(name: str, directory: int, *, length: int | None = None) -> bytes | None:
    """A file's bytes; None where there is no file; b"" for what is no file.

    directory: its descriptor. length: of the bytes; b"" for a file of another one, which is not read.
    Raises ObjectUnreadableError, OSError.
    """
    try:
        # Without waiting for who writes to a named pipe.
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            return b""
        if error.errno == errno.ELOOP:
            raise ObjectUnreadableError(name, "is a link that leads to itself: remove it.") from None
        if error.errno in {errno.ENOENT, errno.ENOTDIR} and _is_link(name, directory):
            raise ObjectUnreadableError(name, "is a link to a file that is not there: remove it.") from None
        if error.errno == errno.ENOENT:
            return None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size != (found.st_size if length is None else length):
            return b""
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(-1 if length is None else length)
    finally:
        os.close(descriptor)


def _is_link(name: str, directory: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
