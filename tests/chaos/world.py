"""What the chaos suite runs in: a queue and an archive that can be harmed, read past Checkpoint's adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from random import Random

    from conservation.history import Confirmation, Destroyed


class Fault(Protocol):
    """Something that goes wrong for a while.

    name: for the report; a snake_case noun of the field, such as `throttling` or `full_disk`.
    count: how often it has happened: calls that it hit, processes that it killed.
    """

    name: str
    count: int

    def going_on(self, random: Random) -> AbstractContextManager[None]:
        """Let it happen while the body runs; on exit it is over and mended. `random` decides what it leaves open."""
        ...


class World(Protocol):
    """A fresh, empty queue and archive, and the faults that they can have.

    faults: what can happen to the queue, the archive, and the way to them; each may go on beside any other.
    """

    name: str
    faults: Sequence[Fault]

    def environment(self, program: str, number: int) -> Mapping[str, str]:
        """What leads a process there: the `number`-th of `processing_requests` or `message_broker`, restarts included.

        So the calls of one process can be told from those of another.
        """
        ...

    def put(self, body: bytes) -> None:
        """Put a message straight on the queue."""
        ...

    def waiting(self) -> int:
        """Messages on the queue, hidden ones too."""
        ...

    def dead_letters(self) -> list[str]:
        """The SHA-256 of each message that was dead-lettered."""
        ...

    def objects(self) -> dict[str, str]:
        """The SHA-256 of each object's bytes, by its name."""
        ...

    def confirmations(self) -> list[Confirmation]:
        """What the queue told the intake, by `time.monotonic`; empty where nobody can see it."""
        ...


@runtime_checkable
class Destroying(Protocol):
    """A World, some of whose faults destroy messages."""

    def destroyed(self) -> list[Destroyed]:
        """The messages whose only copy a fault destroyed, by `time.monotonic`: exactly those, and no more."""
        ...


@runtime_checkable
class Damageable(Protocol):
    """A World whose queue can be damaged, so that it works for some messages and not for others."""

    def damage(self) -> str:
        """What is wrong with the queue itself; empty where nothing is."""
        ...


@runtime_checkable
class Killing(Protocol):
    """A World that sees processes at work, and kills them there.

    kill: kills a process by its program and number, as `environment` has them, and says whether it did.
    """

    kill: Callable[[str, int], bool] | None


@runtime_checkable
class Failing(Protocol):
    """A World that can let single objects fail."""

    def failing(self, name: str) -> AbstractContextManager[None]:
        """While the body runs, no object of this name can be put or read, as if the store were not available."""
        ...
