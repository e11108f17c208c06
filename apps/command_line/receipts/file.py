"""A file of receipts: appended to as e-mails are confirmed, read whatever its writer died of."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from command_line.receipts.receipt import Receipt, decode, encode
from command_line.running import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

# A receipt has about 230 bytes.
_LONGEST_LINE: Final = 4096


class ReceiptFile:
    """Appends receipts. One program at a time: another is refused, for the file would not be whole.

    A receipt is in the file when `add` returns, so it outlives a kill of this program; after `sync`, a power cut too.
    Raises CommandError where the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _failure(path, error) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._mend_the_end()
        except OSError as error:
            os.close(self._descriptor)
            raise _failure(path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.sync()
        finally:
            os.close(self._descriptor)

    def add(self, receipt: Receipt) -> None:
        """Append one."""
        unwritten = encode(receipt)
        try:
            while unwritten:
                unwritten = unwritten[os.write(self._descriptor, unwritten) :]
        except OSError as error:
            with suppress(OSError):
                self._mend_the_end()
            raise _failure(self._path, error) from None

    def sync(self) -> None:
        """Return when all of them are durable. For any thread."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.EROFS}:  # a pipe or a device has nothing to sync: fsync(2)
                raise _failure(self._path, error) from None

    def _mend_the_end(self) -> None:
        """End a last line that was cut off, or drop it where it is no receipt: nothing may be appended to it."""
        length = os.fstat(self._descriptor).st_size
        first = max(0, length - _LONGEST_LINE)
        _, newline, rest = os.pread(self._descriptor, length - first, first).rpartition(b"\n")
        last = rest if newline or not first else b""
        if not last:
            return
        try:
            decode(last)
        except ValueError:
            os.ftruncate(self._descriptor, length - len(last))
        else:
            os.write(self._descriptor, b"\n")


def read_receipts(path: Path) -> Iterator[Receipt]:
    """Every receipt of a file, in its order; a last line that was cut off is passed over.

    Raises CommandError for a file that cannot be read, and for any other line that is no receipt.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
                if not line.strip():
                    continue
                try:
                    receipt = decode(line)
                except ValueError as error:
                    if not line.endswith(b"\n") and not file.read(1):
                        return
                    raise CommandError(f"{path}:{number} {error}", ExitCode.MISUSED) from None
                yield receipt
    except OSError as error:
        raise _failure(path, error) from None


def _failure(path: Path, error: OSError) -> CommandError:
    if error.errno in {errno.EAGAIN, errno.EACCES} and isinstance(error, BlockingIOError):
        return CommandError(f"{path} is being written by another program.", ExitCode.MISUSED)
    code = ExitCode.UNAVAILABLE if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO} else ExitCode.MISUSED
    return CommandError(f"{path}: {error.strerror}", code)
