"""Whether a queue's file could be used, told without opening it by SQLite, which makes files beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from checkpoint.message_queue.port import QueueFullError, QueueUnavailableError
from checkpoint.message_queue.sqlite.schema import VERSION

if TYPE_CHECKING:
    from pathlib import Path

# The header of a database: https://sqlite.org/fileformat2.html#the_database_header
_MAGIC: Final = b"SQLite format 3\0"
_HEADER_BYTES: Final = 100
_USER_VERSION: Final = slice(60, 64)


def inspect_file(path: Path, *, reserve_bytes: int) -> str:
    """What a service would find there, in a few words. reserve_bytes: what must be free on its volume.

    Raises QueueUnavailableError, with the cause, and QueueFullError.
    """
    try:
        return _inspect(path.absolute(), reserve_bytes)
    except OSError as error:
        raise QueueUnavailableError(f"{path}: {error.strerror}") from None


def _inspect(path: Path, reserve_bytes: int) -> str:
    directory = next(each for each in path.parents if os.path.lexists(each))
    if not directory.is_dir():
        raise QueueUnavailableError(f"{directory}: is no directory")
    volume = os.statvfs(directory)
    if volume.f_flag & os.ST_RDONLY:
        raise QueueUnavailableError(f"{directory}: its file system is mounted read-only")
    if not _may(directory, os.W_OK | os.X_OK):  # the write-ahead log is made and removed beside the file
        raise QueueUnavailableError(f"{directory}: this user may not write there")
    if volume.f_bavail * volume.f_frsize <= reserve_bytes:
        raise QueueFullError(f"{directory}: is full: {reserve_bytes} bytes of its volume are kept for receiving")
    if not os.path.lexists(path):
        return f"{path} is not there yet, and is made at the first start"
    if not path.is_file():
        raise QueueUnavailableError(f"{path}: is no file")
    if not _may(path, os.R_OK | os.W_OK):
        raise QueueUnavailableError(f"{path}: this user may not read and write it")
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if header and not header.startswith(_MAGIC):
        raise QueueUnavailableError(f"{path}: is no database of SQLite")
    if (version := int.from_bytes(header[_USER_VERSION], "big")) > VERSION:
        known = f"the file has version {version}, and this program knows versions up to {VERSION}"
        raise QueueUnavailableError(f"{path}: {known}: run a newer Checkpoint")
    return f"{path} is there, and can be written to"


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
