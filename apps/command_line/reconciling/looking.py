"""A look at each name that an e-mail may have: the last word on what a listing did not show."""

from __future__ import annotations

import asyncio
import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Final

from checkpoint.archive.port import ObjectUnreadableError
from checkpoint.email import Email, NotAnEmailError, object_names
from command_line.receipts.table import Mark, State
from command_line.reconciling.matching import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checkpoint.archive.port import ListedStore
    from command_line.receipts.receipt import Receipt
    from command_line.receipts.table import ReceiptTable

_LOOKS_AT_ONCE: Final = 16


async def look_at_each(table: ReceiptTable, store: ListedStore, state: State) -> None:
    """Mark every receipt of a state with what is under its names now. Raises ArchiveUnavailableError."""
    rows = table.rows(state)
    while some := list(islice(rows, _LOOKS_AT_ONCE)):
        table.mark(await asyncio.gather(*(look(store, row.receipt) for row in some)))


async def look(store: ListedStore, receipt: Receipt) -> Mark:
    """What is under the names of a receipt's e-mail now.

    An object is called changed only where its bytes were read and are those of no e-mail that may have its name.
    """
    changed = unreadable = ""
    for name in object_names(receipt.timestream, receipt.identity):
        body = await read(store, name)
        if isinstance(body, ObjectUnreadableError):
            unreadable = unreadable or str(body)
        elif body is not None:
            if hashlib.sha256(body).hexdigest() == receipt.identity:
                return Mark(receipt.timestream, receipt.identity, State.ARCHIVED)
            if not _may_be_there(body, name):
                changed = changed or name
    if changed:
        return Mark(receipt.timestream, receipt.identity, State.CHANGED, changed)
    if unreadable:
        return Mark(receipt.timestream, receipt.identity, State.UNREADABLE, unreadable)
    return Mark(receipt.timestream, receipt.identity, State.MISSING)


def _may_be_there(body: bytes, name: str) -> bool:
    """Whether the bytes are those of an e-mail that has that name: another of the same second."""
    try:
        names: Iterable[str] = Email.read(body).names
    except NotAnEmailError:
        return False
    return name in names
