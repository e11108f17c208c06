"""An object store in memory, for tests: its objects in view, its outages at the test's word."""

from __future__ import annotations

import asyncio

from checkpoint.archive.port import ArchiveUnavailableError


class MemoryObjects:
    """Keeps the ObjectStore protocol.

    unavailable: set it to a text and every call raises ArchiveUnavailableError with it; None ends the outage.
    let: cleared, every create waits.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.unavailable: str | None = None
        self.calls: list[tuple[str, str]] = []
        self.let = asyncio.Event()
        self.let.set()

    async def create(self, name: str, body: bytes) -> bool:
        """As the port says."""
        self.calls.append(("create", name))
        await self.let.wait()
        self._check()
        return self.objects.setdefault(name, body) is body

    async def read(self, name: str, *, at_most: int) -> bytes | None:
        """As the port says."""
        self.calls.append(("read", name))
        self._check()
        body = self.objects.get(name)
        return b"" if body is not None and len(body) > at_most else body

    def _check(self) -> None:
        if self.unavailable is not None:
            raise ArchiveUnavailableError(self.unavailable)
