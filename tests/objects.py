"""An object store in memory, for tests: its objects in view, its outages at the test's word."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError, StoredObject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


class MemoryObjects:
    """Keeps the ObjectStore protocol.

    unavailable: set it to a text and every call raises ArchiveUnavailableError with it; None ends the outage.
    failing: by name, the text with which every call for that object raises ArchiveUnavailableError.
    unreadable: by name, why an object that is there cannot be compared.
    let: cleared, every create waits.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.unavailable: str | None = None
        self.unreadable: dict[str, str] = {}
        self.failing: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.let = asyncio.Event()
        self.let.set()

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:  # noqa: ARG002  bytes are at hand
        """As the port says."""
        self.calls.append(("create", name))
        await self.let.wait()
        self._check(name)
        if name in self.objects:
            return False
        self.objects[name] = body
        return True

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:
        """As the port says."""
        self.calls.append(("holder", name))
        self._check(name)
        if name in self.unreadable:
            raise ObjectUnreadableError(name, self.unreadable[name])
        held = self.objects.get(name)
        if held is None:
            return None
        return sha256 if held == body else hashlib.sha256(held).hexdigest()

    def _check(self, name: str) -> None:
        if self.unavailable is not None:
            raise ArchiveUnavailableError(self.unavailable)
        if name in self.failing:
            raise ArchiveUnavailableError(self.failing[name])


class ListedObjects:
    """Keeps the ListedStore protocol.

    bodies: the objects, by name. tells_md5: whether a listing does; other_md5: by name, what it tells instead, as the
    ETag of an encrypted object does. unavailable, unreadable: as in MemoryObjects. reads: names that were read.
    """

    def __init__(self, bodies: dict[str, bytes] | None = None) -> None:
        self.bodies = {} if bodies is None else bodies
        self.tells_md5 = True
        self.other_md5: dict[str, str] = {}
        self.unavailable: str | None = None
        self.unreadable: dict[str, str] = {}
        self.reads: list[str] = []
        self.listings = 0

    async def objects(self, prefix: str = "") -> AsyncIterator[Sequence[StoredObject]]:
        """As the port says, two per page."""
        self.listings += 1
        self._check()
        names = [name for name in self.bodies if name.startswith(prefix)]
        for first in range(0, len(names), 2):
            yield [self._stored(name) for name in names[first : first + 2] if name in self.bodies]

    async def read(self, name: str) -> bytes | None:
        """As the port says."""
        self.reads.append(name)
        self._check()
        if name in self.unreadable:
            raise ObjectUnreadableError(name, self.unreadable[name])
        return self.bodies.get(name)

    def _stored(self, name: str) -> StoredObject:
        body = self.bodies[name]
        md5 = self.other_md5.get(name) or hashlib.md5(body, usedforsecurity=False).hexdigest()
        return StoredObject(name, len(body), md5 if self.tells_md5 else None)

    def _check(self) -> None:
        if self.unavailable is not None:
            raise ArchiveUnavailableError(self.unavailable)
