"""Objects as files in one directory, durable before they are visible under their name.

obstore's LocalStore does not sync: after a power cut a name can hold an empty or torn file, and a create-only name
that is torn can never be mended. So this one writes and syncs a staging file first and links it to its name after.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import secrets
import stat
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from checkpoint.batching.batcher import Batcher
from checkpoint.durable_directories import make_directory, sync_directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

_STAGING: Final = ".staging"
_ABANDONED_SECONDS: Final = 3600
# A second thread works while the first waits for the disk. What other numbers would change, bench/local_files.py shows.
_FILES_PER_SYNC: Final = 64
_SYNCS_AT_ONCE: Final = 2


class LocalFiles:
    """A create-only object store in a directory; several processes may share it.

    files_per_sync: files that share a sync of the directory, at most. syncs_at_once: threads that write.
    """

    def __init__(
        self, directory: Path, *, files_per_sync: int = _FILES_PER_SYNC, syncs_at_once: int = _SYNCS_AT_ONCE
    ) -> None:
        self._directory = directory
        self._batcher = Batcher(self._create_in_thread, entries=files_per_sync, calls_at_once=syncs_at_once)

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:  # noqa: ARG002  a file's bytes are at hand
        """As ObjectStore says; files created together share one sync of the directory."""
        created = await self._batcher.submit((name, body))
        if isinstance(created, OSError):
            raise _unavailable(created, self._directory)
        return created

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:
        """As ObjectStore says; a file of another length is not read."""
        try:
            held = await asyncio.to_thread(_read, self._directory / name, len(body))
        except OSError as error:
            raise _unavailable(error, self._directory) from None
        if held is None:
            return None
        return sha256 if held == body else hashlib.sha256(held).hexdigest() if held else ""

    async def close(self) -> None:
        """Finish what is under way."""
        await self._batcher.drain()

    async def _create_in_thread(self, objects: Sequence[tuple[str, bytes]]) -> list[bool | OSError]:
        return await asyncio.to_thread(self._create_all, objects)

    def _create_all(self, objects: Sequence[tuple[str, bytes]]) -> list[bool | OSError]:
        try:
            # Made anew where a directory came back empty; the directory itself is not, for it may be a lost mount.
            (self._directory / _STAGING).mkdir(exist_ok=True)
            outcomes = [self._create(name, body) for name, body in objects]
            sync_directory(self._directory)
        except OSError as error:
            return [error] * len(objects)
        return outcomes

    def _create(self, name: str, body: bytes) -> bool | OSError:
        staged = f"{self._directory}/{_STAGING}/{name}.{secrets.token_hex(8)}"
        try:
            _write(staged, body)
            try:
                os.link(staged, self._directory / name)
            except FileExistsError:
                return False
            finally:
                os.unlink(staged)  # noqa: PTH108  the hot path makes no Path per file
        except OSError as error:
            return error
        return True


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[LocalFiles]:
    """The directory at `file:///absolute/path`.

    Makes it where it is missing, and clears what brokers that were killed left in its staging area.
    Raises ValueError for another URL, and for a directory that cannot be made.
    """
    parts = urlsplit(url)
    if parts.netloc or not parts.path.startswith("/"):
        raise ValueError("a file: URL has three slashes and an absolute path: file:///srv/archive.")
    directory = Path(unquote(parts.path))
    try:
        make_directory(directory / _STAGING)
        for left in (directory / _STAGING).iterdir():
            with suppress(FileNotFoundError):  # another broker is at work
                if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                    left.unlink()
    except OSError as error:
        raise ValueError(str(_unavailable(error, directory))) from None
    files = LocalFiles(directory)
    try:
        yield files
    finally:
        await files.close()


def _write(path: str, body: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        unwritten = memoryview(body)
        while unwritten:
            unwritten = unwritten[os.write(descriptor, unwritten) :]
        os.fsync(descriptor)
    except OSError:
        os.unlink(path)  # noqa: PTH108  as above
        raise
    finally:
        os.close(descriptor)


def _read(path: Path, length: int) -> bytes | None:
    """The file's bytes; None where there is no file; b"" for one of another length, and for what is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # without waiting for who writes to a named pipe
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            return b""
        if error.errno == errno.ELOOP:
            raise ObjectUnreadableError(path.name, "is a link that leads to itself: remove it.") from None
        if error.errno in {errno.ENOENT, errno.ENOTDIR} and path.is_symlink():
            raise ObjectUnreadableError(path.name, "is a link to a file that is not there: remove it.") from None
        if error.errno == errno.ENOENT:
            return None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size != length:
            return b""
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(length)
    finally:
        os.close(descriptor)


def _unavailable(error: OSError, directory: Path) -> ArchiveUnavailableError:
    """Names no object: one outage has one reason, however many objects wait for its end."""
    code = errno.errorcode.get(error.errno or 0, "OSError")
    return ArchiveUnavailableError(f"{code}: {error.strerror} ({directory})")
