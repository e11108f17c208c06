"""Objects as files in one directory, durable before they are visible under their name.

obstore's LocalStore does not sync: after a power cut a name can hold an empty or torn file, and a create-only name
that is torn can never be mended. So this one writes and syncs a staging file first and links it to its name after.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from checkpoint.archive.directory import MARKER, Directory, create_file, default_directory, unavailable
from checkpoint.archive.inspection import inspect_directory
from checkpoint.archive.listed_files import ListedFiles, read_file
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.batching.batcher import Batcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from checkpoint.archive.directory import Opened

# A broker that was stopped for longer while it wrote one finds its file gone, and puts the e-mail again.
_ABANDONED_SECONDS: Final = 3600
_CLEARING_SECONDS: Final = 600
_CLEARED: Final = "a file was cleared from the staging area before it had its name"
# A second thread works while the first waits for the disk. What other numbers would change, bench/local_files.py shows.
_FILES_PER_SYNC: Final = 64
_SYNCS_AT_ONCE: Final = 2


class LocalFiles:
    """A create-only object store in a directory; several processes may share it.

    files_per_sync: files that share a sync of the directory, at most. syncs_at_once: threads that write.
    """

    def __init__(
        self, directory: Directory, *, files_per_sync: int = _FILES_PER_SYNC, syncs_at_once: int = _SYNCS_AT_ONCE
    ) -> None:
        self._directory = directory
        self._batcher = Batcher(self._create_in_thread, entries=files_per_sync, calls_at_once=syncs_at_once)

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:  # noqa: ARG002  a file's bytes are at hand
        """As ObjectStore says; files created together share one sync of the directory."""
        created = await self._batcher.submit((name, body))
        if isinstance(created, ArchiveUnavailableError):
            raise created
        return created

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:
        """As ObjectStore says; a file of another length is not read."""
        held = await asyncio.to_thread(self._read, name, len(body))
        if held is None:
            return None
        return sha256 if held == body else hashlib.sha256(held).hexdigest() if held else ""

    async def probe(self) -> None:
        """As ProbedStore says: a file of one byte is written in the staging area, and removed."""
        await asyncio.to_thread(self._probe)

    def free_bytes(self) -> int:
        """As LocalStore says."""
        volume = os.statvfs(self._directory.path)
        return volume.f_bavail * volume.f_frsize

    def free_inodes(self) -> int | None:
        """As LocalStore says. Btrfs, for one, counts none: https://man7.org/linux/man-pages/man3/statvfs.3.html."""
        volume = os.statvfs(self._directory.path)
        return volume.f_favail if volume.f_files else None

    async def close(self) -> None:
        """Finish what is under way."""
        await self._batcher.drain()

    async def clear_staging_periodically(self) -> None:
        """Remove what killed brokers left in the staging area, once it is an hour old. Until cancelled."""
        while True:
            with suppress(ArchiveUnavailableError):  # whether it is available, its puts tell
                await asyncio.to_thread(self._clear_staging)
            await asyncio.sleep(_CLEARING_SECONDS)

    async def _create_in_thread(self, objects: Sequence[tuple[str, bytes]]) -> Sequence[bool | ArchiveUnavailableError]:
        return await asyncio.to_thread(self._create_all, objects)

    def _create_all(self, objects: Sequence[tuple[str, bytes]]) -> Sequence[bool | ArchiveUnavailableError]:
        try:
            with self._directory.open() as opened:
                outcomes = [self._create(opened, name, body) for name, body in objects]
                os.fsync(opened.directory)
        except ArchiveUnavailableError as error:
            return [error] * len(objects)
        return outcomes

    def _create(self, opened: Opened, name: str, body: bytes) -> bool | ArchiveUnavailableError:
        staged = f"{name}.{secrets.token_hex(8)}"
        try:
            create_file(staged, body, dir_fd=opened.staging)
            try:
                os.link(staged, name, src_dir_fd=opened.staging, dst_dir_fd=opened.directory)
            except FileExistsError:
                return False
            except FileNotFoundError:
                return ArchiveUnavailableError(_CLEARED)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(staged, dir_fd=opened.staging)
        except OSError as error:
            return unavailable(error, self._directory.path)
        return True

    def _read(self, name: str, length: int) -> bytes | None:
        with self._directory.open() as opened:
            return read_file(name, opened.directory, length=length)

    def _probe(self) -> None:
        with self._directory.open() as opened:
            name = f"probe.{secrets.token_hex(8)}"
            create_file(name, b"x", dir_fd=opened.staging)
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=opened.staging)

    def _clear_staging(self) -> None:
        with self._directory.open() as opened:
            for name in os.listdir(opened.staging):  # noqa: PTH208  a Path knows no descriptors
                with suppress(OSError):  # another broker has cleared it, or it is a directory, which none of ours is
                    modified_at = os.stat(name, dir_fd=opened.staging).st_mtime
                    if name != MARKER and time.time() - modified_at > _ABANDONED_SECONDS:
                        os.unlink(name, dir_fd=opened.staging)


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[LocalFiles]:
    """The directory at `file:///absolute/path`; while it is open, its staging area is cleared periodically.

    Nothing need be there yet. Only the default directory is made by itself.
    Raises ValueError for another URL.
    """
    path = _path(url)
    files = LocalFiles(Directory(path, is_made=path == default_directory()))
    clearing = asyncio.create_task(files.clear_staging_periodically())
    try:
        yield files
    finally:
        clearing.cancel()
        await asyncio.wait([clearing])
        await files.close()


async def inspect(url: str) -> str:
    """Whether the directory could be written to: see `inspect_archive`."""
    path = _path(url)
    return await asyncio.to_thread(inspect_directory, path, is_made=path == default_directory())


@asynccontextmanager
async def open_listed(url: str) -> AsyncIterator[ListedFiles]:
    """The same directory, only to be looked at: nothing is made there, and nothing cleared. Raises ValueError."""
    files = ListedFiles(Directory(_path(url)))
    try:
        yield files
    finally:
        await files.close()


def _path(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/") or "\0" in path:
        raise ValueError("a file: URL has three slashes and an absolute path: file:///srv/archive.")
    return Path(path)
