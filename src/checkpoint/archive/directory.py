"""The archive's directory, opened only where it is on the volume that it was on: never what lies under a lost mount.

A marker inside of the directory, with a random id, is on the archive's volume. A file beside the directory has the same
id, and stays where it is when the volume is away. So a lost mount can be told from a first start.
"""

from __future__ import annotations

import errno
import os
import secrets
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.durable_directories import make_directory, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

# In the staging area, so that a listing of the archive's files shows nothing but e-mails.
STAGING: Final = ".staging"
MARKER: Final = "archive-id"
_MARKER_PATH: Final = f"{STAGING}/{MARKER}"
_MARKER_MEANING: Final = "The id of the archive on this volume. Without this file it counts as lost."
_BESIDE_MEANING: Final = "The id of the archive in {}, which tells a lost mount from a first start."
_ID_BYTES: Final = 16
# Versions without a marker clear from the staging area, at their start, what was last modified more than an hour ago.
# The last day that every file system can tell: https://docs.kernel.org/filesystems/ext4/inodes.html
_NEVER_ABANDONED: Final = 2**31 - 1

_WAYS_OUT: Final = {
    errno.EACCES: "give the broker's user the right to write there",
    errno.EDQUOT: "make room there",
    errno.ENOENT: "make the directory, or mount its volume",
    errno.ENOSPC: "make room there",
    errno.ENOTDIR: "a directory must be there",
    errno.EROFS: "mount it for writing",
}


class Opened(NamedTuple):
    """Descriptors of the directory and of its staging area: what is done by them is done on the archive's volume."""

    directory: int
    staging: int


class Directory:
    """The directory at a path.

    is_made: whether it is made where it is missing, until it was opened once.
    """

    def __init__(self, path: Path, *, is_made: bool = False) -> None:
        self.path: Final = path
        self._is_made = is_made
        self._beside = path.parent / f".{path.name}.checkpoint"
        self._is_beside = False
        self._id: str | None = None
        self._identifying = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """Open it. Raises ArchiveUnavailableError, also for an OSError of the body, with the cause and the way out."""
        try:
            with self._open_or_make() as directory:
                if not self._is_identified(directory):
                    with self._identifying:  # once, however many threads have just begun
                        if not self._is_identified(directory):
                            self._id = self._identify(directory)
                with _opened(STAGING, dir_fd=directory) as staging:
                    yield Opened(directory, staging)
        except OSError as error:
            raise unavailable(error, self.path) from None

    @contextmanager
    def look(self) -> Iterator[int]:
        """A descriptor of the directory, only to look at it: nothing is made, marked or remembered.

        Raises ArchiveUnavailableError, also for an OSError of the body: the directory is missing, or lost its volume.
        """
        try:
            with _opened(self.path) as directory:
                known = _read_id(str(self._beside))
                if known is not None and known != _read_id(_MARKER_PATH, dir_fd=directory):
                    raise self._lost(f"remove {self._beside}")
                yield directory
        except OSError as error:
            raise unavailable(error, self.path, is_written=False) from None

    @contextmanager
    def _open_or_make(self) -> Iterator[int]:
        if self._is_made and self._id is None and not os.path.lexists(self.path):
            # A lost mount leaves the directory that it was on. This one was removed: what was known of it is over.
            self._beside.unlink(missing_ok=True)
            make_directory(self.path)
        with _opened(self.path) as directory:
            yield directory

    def _is_identified(self, directory: int) -> bool:
        return self._id is not None and _read_id(_MARKER_PATH, dir_fd=directory) == self._id

    def _identify(self, directory: int) -> str:
        """The id of the archive in an open directory; a new one at a first start."""
        # Read first, for another broker at its first start makes the marker first.
        known = self._read_beside()
        found = _read_id(_MARKER_PATH, dir_fd=directory)
        if found is None and known is None:
            _make_marker(directory)
            found = _read_id(_MARKER_PATH, dir_fd=directory)
        if found is None or found != (known or found):
            raise self._lost(f"remove {self._beside}" if self._is_beside else "start the broker again")
        if not self._is_beside:
            with suppress(OSError):  # a broker that starts without it takes what it finds
                _create_id(str(self._beside), found, _BESIDE_MEANING.format(self.path.name))
                sync_directory(self._beside.parent)
                self._is_beside = True
        return found

    def _lost(self, on_purpose: str) -> ArchiveUnavailableError:
        return ArchiveUnavailableError(
            f"{self.path} does not hold its archive: mount its volume. "
            f"If the archive was moved or emptied on purpose, {on_purpose}."
        )

    def _read_beside(self) -> str | None:
        """The id of the archive that was here; None where none was known, and where its file was removed since."""
        try:
            beside = _read_id(str(self._beside))
        except OSError:
            return self._id
        if beside is None and not self._is_beside:
            return self._id
        self._is_beside = beside is not None
        return beside


def default_directory() -> Path:
    """The archive of who names none: the one directory that the broker makes by itself."""
    return Path("data/archive").absolute()


def create_file(name: str, body: bytes, *, dir_fd: int | None = None) -> None:
    """Create a file that is durable, but for its name. Raises OSError, and then there is no such file."""
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=dir_fd)
    try:
        unwritten = memoryview(body)
        while unwritten:
            unwritten = unwritten[os.write(descriptor, unwritten) :]
        os.fsync(descriptor)
    except OSError:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=dir_fd)
        raise
    finally:
        os.close(descriptor)


def unavailable(error: OSError, directory: Path, *, is_written: bool = True) -> ArchiveUnavailableError:
    """Names no object: one outage has one reason, however many objects wait for its end.

    is_written: whether it was to be written, and not only looked at.
    """
    code = errno.errorcode.get(error.errno or 0, "OSError")
    way_out = _WAYS_OUT.get(error.errno or 0)
    if not is_written and error.errno == errno.EACCES:
        way_out = "ask as a user who has the right to read there"
    reason = f"{code}: {error.strerror} ({directory})" + (f": {way_out}" if way_out else "")
    return ArchiveUnavailableError(reason, code=code)


@contextmanager
def _opened(path: str | Path, *, dir_fd: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read_id(name: str, *, dir_fd: int | None = None) -> str | None:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
    except FileNotFoundError:
        return None
    try:
        return os.read(descriptor, 2 * _ID_BYTES).decode("ascii", "replace")
    finally:
        os.close(descriptor)


def _create_id(name: str, archive_id: str, meaning: str, *, dir_fd: int | None = None) -> None:
    """Create a file of an id, whole; or leave the one that is there."""
    staged = f"{name}.{secrets.token_hex(8)}"
    create_file(staged, f"{archive_id}\n{meaning}\n".encode(), dir_fd=dir_fd)
    try:
        os.link(staged, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except FileExistsError:
        pass
    finally:
        os.unlink(staged, dir_fd=dir_fd)


def _make_marker(directory: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(STAGING, dir_fd=directory)
    _create_id(_MARKER_PATH, secrets.token_hex(_ID_BYTES), _MARKER_MEANING, dir_fd=directory)
    with suppress(OSError):
        os.utime(_MARKER_PATH, (_NEVER_ABANDONED, _NEVER_ABANDONED), dir_fd=directory)
    with _opened(STAGING, dir_fd=directory) as staging:
        os.fsync(staging)
    os.fsync(directory)
