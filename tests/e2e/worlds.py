"""What the services stand in: a queue and an archive, arranged and looked at past the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager


class DeadLetter(NamedTuple):
    body: bytes
    reason: str


class World(Protocol):
    """A fresh, empty queue and archive.

    environment: what leads the services there, and nothing else.
    cuttable: what a service gets besides, so that `queue_away` cuts it off.
    is_searchable: whether an operator can look at messages that wait.
    """

    environment: dict[str, str]
    is_searchable: bool

    @property
    def cuttable(self) -> Mapping[str, str]: ...

    def limit_receives(self, count: int) -> None:
        """Let the queue hand out a message so often, then make it a dead letter; said before a service starts."""
        ...

    def put(self, body: bytes) -> None:
        """Put a message straight on the queue, which a service has opened before."""
        ...

    def waiting(self) -> int:
        """Messages on the queue, hidden ones too."""
        ...

    def dead_letters(self) -> list[DeadLetter]:
        """What was dead-lettered so far."""
        ...

    def bury(self, body: bytes, reason: str) -> None:
        """Put a message straight among the dead letters; as `put`."""
        ...

    def objects(self) -> dict[str, str]:
        """Every object in the archive: the MD5 of its content, by name."""
        ...

    def read(self, name: str) -> bytes:
        """An object's content."""
        ...

    def plant(self, name: str, content: bytes) -> None:
        """Make an object as somebody else would."""
        ...

    def remove(self, name: str) -> None:
        """Delete an object."""
        ...

    def archive_away(self) -> AbstractContextManager[None]:
        """Objects can be neither written nor read while the body runs."""
        ...

    def queue_away(self) -> AbstractContextManager[None]:
        """The queue cannot be reached while the body runs."""
        ...
