"""An object store in memory, for tests: its objects in view, its outages at the test's word."""

from __future__ import annotations

import asyncio
import hashlib

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError


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
