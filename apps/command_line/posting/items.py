"""What is posted: lines of JSON, each an e-mail or a whole request."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import msgspec

from checkpoint.email import MAX_BODY_BYTES
from command_line.posting.reading import cut_into_lines, read
from command_line.running import CommandError, ExitCode
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

# A request is longer than its e-mail.
_LONGEST_LINE: Final = MAX_BODY_BYTES + 64 * 1024
_BLANKS: Final = b" \t\r\n"  # of JSON: RFC 8259, 2
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Item:
    """Something to post.

    place: where it comes from, for a report: a file and a line, or an object's name.
    text: the e-mail's JSON as it is to be posted. fault: why it cannot be posted; empty where it can.
    """

    place: str
    text: bytes = field(repr=False)
    fault: str = ""


class _Line(msgspec.Struct):
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    email_subject: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    email_sender: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    email_timestream: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    email_content: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def is_request(self) -> bool:
        """An e-mail may have a member `data` of its own, beside its fields."""
        fields = (self.email_subject, self.email_sender, self.email_timestream, self.email_content)
        return self.data is not msgspec.UNSET and all(each is msgspec.UNSET for each in fields)


_decoder: Final = msgspec.json.Decoder(_Line)


class Lines:
    """The lines of files, one file after the other; `-` is stdin. They are opened on entry, so that none is missing.

    total_bytes: of all files; None where one has no length. read_bytes: so far.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._descriptors: list[int] = []
        self._opened = ExitStack()
        self.total_bytes: int | None = 0
        self.read_bytes = 0

    def __enter__(self) -> Self:
        for path in self._files:
            descriptor = 0 if str(path) == "-" else self._open(path)
            self._descriptors.append(descriptor)
            found = os.fstat(descriptor)
            if self.total_bytes is not None:
                self.total_bytes = self.total_bytes + found.st_size if stat.S_ISREG(found.st_mode) else None
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    async def items(self) -> AsyncIterator[Sequence[Item]]:
        """Some at a time; blank lines are passed over. Raises CommandError where a file cannot be read."""
        for path, descriptor in zip(self._files, self._descriptors, strict=True):
            try:
                async for items in self._items_of(harmless(str(path)), descriptor):
                    yield items
            except OSError as error:
                raise _failure(path, error) from None

    async def _items_of(self, name: str, descriptor: int) -> AsyncIterator[Sequence[Item]]:
        number = 0
        async for lines in cut_into_lines(self._count(read(descriptor)), longest=_LONGEST_LINE):
            items = []
            for line in lines:
                number += 1
                if line is None:
                    items.append(Item(f"{name}:{number}", b"", f"The line is longer than {_LONGEST_LINE} bytes."))
                elif text := (line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line).strip(_BLANKS):
                    items.append(_item(f"{name}:{number}", text))
            yield items

    async def _count(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self.read_bytes += len(chunk)
            yield chunk

    def _open(self, path: Path) -> int:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _failure(path, error) from None
        self._opened.callback(os.close, descriptor)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise CommandError(f"{harmless(str(path))} is a directory.", ExitCode.MISUSED)
        return descriptor


def _failure(path: Path, error: OSError) -> CommandError:
    return CommandError(f"{harmless(str(path))}: {error.strerror}", ExitCode.MISUSED)


def _item(place: str, line: bytes) -> Item:
    try:
        found = _decoder.decode(line)
    except (ValueError, RecursionError):
        return Item(place, b"", "The line is not a JSON object.")
    return Item(place, bytes(found.data) if found.is_request else line)  # type: ignore[arg-type]  # it has data
