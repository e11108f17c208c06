"""Whether an archive's directory could be written to, told without writing to it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from checkpoint.archive.directory import STAGING, Directory, unavailable

if TYPE_CHECKING:
    from pathlib import Path


def inspect_directory(path: Path, *, is_made: bool) -> str:
    """What the broker would find there, in a few words. is_made: whether it makes the directory where it is missing.

    Raises ArchiveUnavailableError, with the cause and the way out.
    """
    if is_made and not os.path.lexists(path):
        parent = next(each for each in path.parents if os.path.lexists(each))
        _expect_writable(parent)
        return f"{path} is not there yet, and is made at the broker's start"
    with Directory(path).look():
        _expect_writable(path)
        if (staging := path / STAGING).is_dir():
            _expect_writable(staging)
    return f"{path} is there, and can be written to"


def _expect_writable(directory: Path) -> None:
    """By its rights and its file system; root has every right. Raises ArchiveUnavailableError."""
    volume = os.statvfs(directory)
    if not directory.is_dir():
        code = errno.ENOTDIR
    elif volume.f_flag & os.ST_RDONLY:
        code = errno.EROFS
    elif not os.access(directory, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        code = errno.EACCES
    elif not volume.f_bavail or (volume.f_files and not volume.f_favail):
        code = errno.ENOSPC
    else:
        return
    raise unavailable(OSError(code, os.strerror(code)), directory)
