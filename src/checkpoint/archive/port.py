"""What an object store is to Checkpoint: objects that can be created and compared, never overwritten."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class ArchiveUnavailableError(Exception):
    """The store did not do what it was asked: an outage, a missing bucket, a denied right, a full disk.

    Its text names the cause, never an object's content.
    """


class ObjectUnreadableError(Exception):
    """One object cannot be compared with anything, and the fault is its own: the store answers, and others are fine.

    name: the object's. reason: why it cannot be read, and the way out.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")
        self.name = name
        self.reason = reason


class ObjectStore(Protocol):
    """Create-only objects. Every call raises ArchiveUnavailableError where the store did not answer."""

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:
        """Create an object; True: it is durable; False: the name is taken, and nothing was changed.

        sha256: of the body, in hexadecimal digits.
        """
        ...

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:
        """The SHA-256 of the object under a name: `sha256` where its bytes are those of `body`; None without an object.

        Empty where they are other bytes and it is not known which; so, too, for what no e-mail ever was: a directory.
        An answer that contradicts itself is an outage; whether the next one says the same, is for the caller to ask.
        Raises ObjectUnreadableError.
        """
        ...


@runtime_checkable
class ProbedStore(Protocol):
    """What an ObjectStore may have besides: a way to tell, without an object, whether one could be created.

    The broker asks before it receives its first message, and receives none until the store is available. A store that
    cannot tell by the rights that its puts need has no such method: then the first message shows it.
    """

    async def probe(self) -> None:
        """Return where an object could be created now. Raises ArchiveUnavailableError, with the cause and the way out.

        It leaves nothing behind.
        """
        ...
