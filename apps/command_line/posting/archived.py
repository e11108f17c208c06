"""What is replayed: e-mails of an archive."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from checkpoint.archive.port import ObjectUnreadableError
from checkpoint.email import MAX_BODY_BYTES, Email, NotAnEmailError
from command_line.posting.items import Item
from command_line.terminal_text import harmless

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from checkpoint.archive.port import ListedStore

_NAME: Final = re.compile(r"sqs_message_([0-9]{1,20})(?:_[0-9a-f]+)?\.json")
_PREFIX: Final = "sqs_message_"
_READS_AT_ONCE: Final = 64
_BYTES_AT_ONCE: Final = 32 * 1024 * 1024


class Range(NamedTuple):
    """Timestreams in seconds since 1970, both included; None for no end."""

    first: int | None = None
    last: int | None = None

    def __contains__(self, timestream: object) -> bool:
        return (
            isinstance(timestream, int)
            and (self.first is None or timestream >= self.first)
            and (self.last is None or timestream <= self.last)
        )


async def archived_items(store: ListedStore, prefix: str, timestreams: Range) -> AsyncIterator[Sequence[Item]]:
    """The e-mails whose objects' names begin so. Raises ArchiveUnavailableError."""
    names: list[str] = []
    held = 0
    async for page in store.objects(prefix or _PREFIX):
        for stored in page:
            named = _NAME.fullmatch(stored.name)
            if named is None or int(named[1]) not in timestreams:
                continue
            if stored.size > MAX_BODY_BYTES:
                yield [_faulty(stored.name, f"The object is longer than {MAX_BODY_BYTES} bytes.")]
                continue
            if len(names) == _READS_AT_ONCE or held + stored.size > _BYTES_AT_ONCE:
                yield await _read_all(store, names)
                names, held = [], 0
            names.append(stored.name)
            held += stored.size
    yield await _read_all(store, names)


async def named_items(
    store: ListedStore, lines: AsyncIterator[Sequence[bytes | None]]
) -> AsyncIterator[Sequence[Item]]:
    """The e-mails of the objects that are named, one per line. Raises ArchiveUnavailableError."""
    async for some in lines:
        names = [line.strip().decode(errors="replace") for line in some if line]
        for name in filter(None, names):  # one at a time: how long an object is, only a listing would tell
            yield [await _read(store, name)]


async def _read_all(store: ListedStore, names: Sequence[str]) -> Sequence[Item]:
    return await asyncio.gather(*(_read(store, name) for name in names))


async def _read(store: ListedStore, name: str) -> Item:
    try:
        body = await store.read(name)
    except ObjectUnreadableError as error:
        return _faulty(name, f"The object {error.reason}")
    if body is None:
        return _faulty(name, "There is no such object.")
    try:
        Email.read(body)
    except NotAnEmailError:
        return _faulty(name, "The object is not an e-mail.")
    return Item(harmless(name), body)


def _faulty(name: str, fault: str) -> Item:
    return Item(harmless(name), b"", harmless(fault))
