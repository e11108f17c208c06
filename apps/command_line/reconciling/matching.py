"""Receipts against a listing: by names, sizes and MD5s, and by bodies only where those do not tell."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from checkpoint.archive.port import ObjectUnreadableError
from checkpoint.email import MAX_BODY_BYTES
from command_line.receipts.table import Mark, State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from checkpoint.archive.port import ListedStore, StoredObject
    from command_line.receipts.table import ReceiptTable

    _Body = bytes | ObjectUnreadableError | None

PREFIX: Final = "sqs_message_"
# The digits of an identity in a name are 16 or 64: `checkpoint.email.object_names`.
_NAME: Final = re.compile(r"sqs_message_([0-9]{1,20})(?:_([0-9a-f]{64}|[0-9a-f]{16}))?\.json")
_READS_AT_ONCE: Final = 64
_BYTES_AT_ONCE: Final = 64 * 1024 * 1024


class _Named(NamedTuple):
    """A listed object. digits: of an identity, as far as its name has them."""

    stored: StoredObject
    timestream: str
    digits: str


class Matching:
    """Finds each receipt's object. It marks what is archived, and what may be wrong, which takes another look.

    extra: told of each object without a receipt, by the first listing. objects, extras: how many it saw.
    """

    def __init__(self, table: ReceiptTable, store: ListedStore, extra: Callable[[StoredObject], None]) -> None:
        self._table = table
        self._store = store
        self._extra = extra
        self._is_first = True
        self._marked: dict[tuple[str, str], Mark] = {}
        self.objects = 0
        self.extras = 0

    async def list_all(self) -> None:
        """Look through the whole archive. Raises ArchiveUnavailableError."""
        async for page in self._store.objects(PREFIX):
            unclear = []
            for stored in page:
                named = _NAME.fullmatch(stored.name)
                if named is None:
                    self._pass_over(stored)
                    continue
                found = _Named(stored, named[1], named[2] or "")
                if not (self._match_by_identity(found) if found.digits else self._match_plain(found)):
                    unclear.append(found)
            async for found, body in self._read(unclear):
                self._match_by_body(found, body)
            self._table.mark(self._marked.values())
            self._marked.clear()
            self.objects += len(page) if self._is_first else 0
        self._is_first = False

    def _match_by_identity(self, found: _Named) -> bool:
        """Whether name, size and MD5 tell."""
        stored = found.stored
        receipts = self._table.beginning(found.timestream, found.digits)
        if not receipts:
            self._pass_over(stored)
            return True
        alike = [each for each in receipts if each[2] == stored.size]
        if not alike:
            self._suspect(found)
            return True
        if len(receipts) == 1 and stored.md5 is not None and alike[0][1].hex() == stored.md5:
            self._archived(found, alike[0][0].hex(), alike[0][3])
            return True
        return False

    def _match_plain(self, found: _Named) -> bool:
        stored = found.stored
        if stored.md5 is not None:
            alike = self._table.alike(found.timestream, stored.size, stored.md5)
            if len(alike) == 1:  # of two with one MD5 which somebody has made so, the bytes tell
                self._archived(found, alike[0][0].hex(), alike[0][1])
                return True
        if self._table.has_size(found.timestream, stored.size):
            return False
        self._pass_over(stored)
        return True

    def _match_by_body(self, found: _Named, body: _Body) -> None:
        if isinstance(body, ObjectUnreadableError):
            self._suspect(found, State.UNREADABLE, body.reason)
        elif body is not None:
            identity = hashlib.sha256(body).hexdigest()
            state = self._table.state_of(found.timestream, identity)
            if state is not None and identity.startswith(found.digits):
                self._archived(found, identity, state)
            elif found.digits:
                self._suspect(found)
            else:
                self._pass_over(found.stored)

    def _archived(self, found: _Named, identity: str, before: State) -> None:
        key = (found.timestream, identity)
        earlier = self._marked.get(key)
        if before == State.ARCHIVED or (earlier and earlier.state == State.ARCHIVED):
            self._pass_over(found.stored)  # a second object of the e-mail
        self._marked[key] = Mark(found.timestream, identity, State.ARCHIVED)

    def _suspect(self, found: _Named, state: State = State.CHANGED, reason: str = "") -> None:
        """Its bytes are not those that its name promises. Its e-mail may have the longest name all the same."""
        detail = f"{found.stored.name} {reason}".strip()
        for identity, _, size, _ in self._table.beginning(found.timestream, found.digits):
            if state == State.CHANGED or size == found.stored.size:
                mark = Mark(found.timestream, identity.hex(), state, detail)
                self._marked.setdefault((found.timestream, identity.hex()), mark)

    def _pass_over(self, stored: StoredObject) -> None:
        if self._is_first:
            self.extras += 1
            self._extra(stored)

    async def _read(
        self, unclear: Sequence[_Named]
    ) -> AsyncIterator[tuple[_Named, bytes | ObjectUnreadableError | None]]:
        """Bodies, some at a time. None is longer than an e-mail, for each has the size of one."""
        some: list[_Named] = []
        held = 0
        for found in unclear:
            if len(some) == _READS_AT_ONCE or held + found.stored.size > _BYTES_AT_ONCE:
                for pair in await self._read_some(some):
                    yield pair
                some, held = [], 0
            if found.stored.size <= MAX_BODY_BYTES:
                some.append(found)
                held += found.stored.size
        for pair in await self._read_some(some):
            yield pair

    async def _read_some(self, some: Sequence[_Named]) -> Sequence[tuple[_Named, _Body]]:
        bodies = await asyncio.gather(*(read(self._store, each.stored.name) for each in some))
        return list(zip(some, bodies, strict=True))


async def read(store: ListedStore, name: str) -> bytes | ObjectUnreadableError | None:
    """An object's bytes, or why they cannot be read. Raises ArchiveUnavailableError."""
    try:
        return await store.read(name)
    except ObjectUnreadableError as error:
        return error
