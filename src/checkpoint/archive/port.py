"""What an object store is to Checkpoint: objects that can be created and read, never overwritten."""

from __future__ import annotations

from typing import Protocol


class ArchiveUnavailableError(Exception):
    """The store did not do what it was asked: an outage, a missing bucket, a denied right, a full disk.

    Its text names the cause, never an object's content.
    """


class ObjectStore(Protocol):
    """Create-only objects. Every call raises ArchiveUnavailableError where the store did not answer."""

    async def create(self, name: str, body: bytes) -> bool:
        """Create an object; True: it is durable; False: the name is taken, and nothing was changed."""
        ...

    async def read(self, name: str, *, at_most: int) -> bytes | None:
        """The object's bytes; None where there is none; b'' for one that is larger than `at_most` bytes."""
        ...
