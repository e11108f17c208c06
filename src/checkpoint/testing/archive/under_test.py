"""An archive as the contract's tests see it: opened through its adapter, looked at past it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from checkpoint.email import Email

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from checkpoint.archive.archive import Archive
    from checkpoint.archive.port import ListedStore


class ArchiveUnderTest(Protocol):
    """A place for a fresh, empty archive."""

    def open(self) -> AbstractAsyncContextManager[Archive]:
        """The archive there; called several times, also while others are open."""
        ...

    def open_out_of_reach(self) -> AbstractAsyncContextManager[Archive]:
        """An archive that cannot be reached."""
        ...

    def objects(self) -> dict[str, bytes]:
        """Every object's bytes, by name."""
        ...

    def plant(self, name: str, body: bytes) -> None:
        """Put an object there as somebody else would; the archive was opened before."""
        ...


class ListedUnderTest(ArchiveUnderTest, Protocol):
    """A place for a fresh, empty archive whose objects can be listed.

    many: more objects than a listing gives at a time.
    """

    @property
    def many(self) -> int: ...

    def open_listed(self) -> AbstractAsyncContextManager[ListedStore]:
        """What the command line opens of it."""
        ...

    def open_listed_out_of_reach(self) -> AbstractAsyncContextManager[ListedStore]:
        """As `open_out_of_reach`; nothing of this archive was opened before."""
        ...


def email(content: str = "Your Content", *, timestream: str = "1706213694", size: int | None = None) -> Email:
    """An e-mail.

    size: of its body in bytes; as it comes where it is None.
    """
    data = {
        "email_subject": "Your Subject",
        "email_sender": "Your Sender",
        "email_timestream": timestream,
        "email_content": content,
    }
    body = json.dumps(data, ensure_ascii=False).encode()
    if size is not None:
        body = body.replace(content.encode(), b"x" * (size - len(body) + len(content.encode())))
    return Email(timestream, body)
