"""Where an e-mail may be: in the archive, on the queue, among the dead letters; in several at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from checkpoint.email import MAX_BODY_BYTES
from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from command_line.body import identity_of, timestream_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from checkpoint.archive.port import ListedStore
    from checkpoint.message_queue.admin import AdminQueue, DeadLetter, QueuedMessage
    from checkpoint.message_queue.port import Depth
    from command_line.finding.sought import Sought

_READS_AT_ONCE: Final = 32


@dataclass(slots=True)
class Found:
    """An e-mail, and all the places where it is.

    objects: the names of its objects; more than one is a fault of the archive. queued, dead_letters: as the queue said.
    """

    identity: str
    timestream: str
    objects: list[str] = field(default_factory=list)
    queued: list[QueuedMessage] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)


@dataclass(slots=True)
class Search:
    """What a search came to.

    found: by identity. problems: what could not be asked, and why. depth: of a queue that cannot be searched.
    has_dead_letter_queue: False where there is none.
    """

    found: dict[str, Found] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    depth: Depth | None = None
    has_dead_letter_queue: bool = True

    def of(self, body: bytes) -> Found:
        """The e-mail of these bytes."""
        identity = identity_of(body)
        if identity not in self.found:
            self.found[identity] = Found(identity, timestream_of(body))
        return self.found[identity]


async def search(
    sought: Sought, queue: AdminQueue, store: ListedStore, on_objects: Callable[[int], None] = lambda _: None
) -> Search:
    """Look everywhere. What cannot be asked is among the problems. on_objects: is told how many were listed so far.

    The queue first: an e-mail that is archived meanwhile is then found twice, and not missed.
    """
    result = Search()
    try:
        await _search_queue(sought, queue, result)
    except QueueUnavailableError as error:
        result.problems.append(f"QUEUE_URL: {error}")
    try:
        await _search_archive(sought, store, result, on_objects)
    except ArchiveUnavailableError as error:
        result.problems.append(f"ARCHIVE_URL: {error}")
    return result


async def _search_queue(sought: Sought, queue: AdminQueue, result: Search) -> None:
    if queue.is_searchable:
        async for message in queue.find(sought.matches):
            result.of(message.body).queued.append(message)
    else:
        result.depth = await queue.depth()
    shown: list[DeadLetter] = []
    try:
        async for letter in queue.dead_letters():
            shown.append(letter)
            if sought.matches(letter.body):
                result.of(letter.body).dead_letters.append(letter)
    except NoDeadLetterQueueError:
        result.has_dead_letter_queue = False
    finally:
        if shown:
            await queue.release(shown)


async def _search_archive(
    sought: Sought, store: ListedStore, result: Search, on_objects: Callable[[int], None]
) -> None:
    reading = asyncio.Semaphore(_READS_AT_ONCE)

    async def look(name: str) -> None:
        async with reading:
            try:
                body = await store.read(name)
            except ObjectUnreadableError as error:
                result.problems.append(f"an object that may be it: {error}")
                return
        if body is not None and sought.matches(body):
            result.of(body).objects.append(name)

    async for names in _candidates(sought, store, on_objects):
        await asyncio.gather(*map(look, names))


async def _candidates(
    sought: Sought, store: ListedStore, on_objects: Callable[[int], None]
) -> AsyncIterator[Sequence[str]]:
    """Names page by page; what is longer than any e-mail is none, and is not read."""
    listed = 0
    for prefix in sought.prefixes:
        async for objects in store.objects(prefix):
            listed += len(objects)
            on_objects(listed)
            yield [each.name for each in objects if each.size <= MAX_BODY_BYTES and sought.may_be_under(each.name)]
