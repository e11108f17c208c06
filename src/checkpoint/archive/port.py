"""What an object store is to Checkpoint: objects that can be created and compared, never overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


class ArchiveUnavailableError(Exception):
    """The store did not do what it was asked: an outage, a missing bucket, a denied right, a full disk.

    Its text names the cause, never an object's content.

    code: the cause in one word, as the store has it, for a metric; empty where there is none.
    """

    def __init__(self, reason: str = "", *, code: str = "") -> None:
        super().__init__(reason)
        self.code = code


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


@runtime_checkable
class LocalStore(Protocol):
    """What an ObjectStore on a local volume has besides."""

    def free_bytes(self) -> int:
        """What is free on the volume. Raises OSError. For any thread."""
        ...

    def free_inodes(self) -> int | None:
        """How many more files it can have; None where nothing but its bytes bounds them. As `free_bytes`."""
        ...


class StoredObject(NamedTuple):
    """An object as a listing tells of it.

    size: in bytes. md5: of its bytes, in hexadecimal digits; None where the store does not tell, or may tell another
    thing: an ETag is not always one. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """

    name: str
    size: int
    md5: str | None


@runtime_checkable
class ListedStore(Protocol):
    """What an ObjectStore may have besides: its objects can be listed and read. Operators need it, and no service does.

    Every call raises ArchiveUnavailableError where the store did not answer.
    """

    def objects(self, prefix: str = "") -> AsyncIterator[Sequence[StoredObject]]:
        """All objects whose names begin so, some hundreds or thousands at a time, in no promised order.

        What is created or deleted meanwhile may or may not be among them.
        """
        ...

    async def read(self, name: str) -> bytes | None:
        """An object's bytes; None without an object. Raises ObjectUnreadableError."""
        ...
