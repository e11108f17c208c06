"""Where an e-mail is, over a queue and an archive in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from checkpoint.email import MAX_BODY_BYTES
from checkpoint.message_queue.memory import MemoryAdminQueue, MemoryQueue
from checkpoint.message_queue.port import Depth, NoDeadLetterQueueError
from command_line.body import identity_of
from command_line.finding import commands
from command_line.finding.commands import _print
from command_line.finding.places import Search, search
from command_line.finding.sought import Sought
from command_line.running import CommandError, ExitCode
from emails import body
from objects import ListedObjects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from checkpoint.message_queue.admin import DeadLetter, QueuedMessage

ONE, TWO, OTHER = body("one", timestream="12"), body("two", timestream="12"), body("other", timestream="123")
ID = identity_of(TWO)


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def store() -> ListedObjects:
    """The second e-mail of a timestream under its longer name, and a neighbour whose timestream begins alike."""
    return ListedObjects(
        {
            "sqs_message_12.json": ONE,
            f"sqs_message_12_{ID[:16]}.json": TWO,
            "sqs_message_123.json": OTHER,
            "12.txt": TWO,
        }
    )


async def find(queue: MemoryQueue, store: ListedObjects, what: str, digits: str | None = None) -> Search:
    return await search(Sought.read(what, digits), MemoryAdminQueue(queue), store)


def places(result: Search) -> dict[str, tuple[list[str], int, int]]:
    return {
        identity: (found.objects, len(found.queued), len(found.dead_letters))
        for identity, found in result.found.items()
    }


async def test_a_timestream_finds_all_its_e_mails_and_no_others(queue: MemoryQueue, store: ListedObjects) -> None:
    found = await find(queue, store, "12")
    assert places(found) == {
        identity_of(ONE): (["sqs_message_12.json"], 0, 0),
        ID: ([f"sqs_message_12_{ID[:16]}.json"], 0, 0),
    }
    assert places(await find(queue, store, "1")) == {}


@pytest.mark.parametrize("digits", [ID, ID[:1], ID[:16], ID[:20], ID.upper()])
async def test_first_digits_choose_among_them(queue: MemoryQueue, store: ListedObjects, digits: str) -> None:
    assert places(await find(queue, store, "12", digits)) == {ID: ([f"sqs_message_12_{ID[:16]}.json"], 0, 0)}


async def test_only_what_may_be_it_is_read(queue: MemoryQueue, store: ListedObjects) -> None:
    assert list(places(await find(queue, store, "12", identity_of(ONE)))) == [identity_of(ONE)]
    assert store.reads == ["sqs_message_12.json"]


async def test_a_receipt_finds_its_e_mail_as_text_and_in_a_file(
    queue: MemoryQueue, store: ListedObjects, tmp_path: Path
) -> None:
    line = json.dumps({"identity": ID, "timestream": "12", "md5": "0" * 32, "size": 3, "time": "2026-01-01T00:00:00Z"})
    (tmp_path / "receipt").write_text(f"{line}\n")
    for what in (line, str(tmp_path / "receipt")):
        assert list(places(await find(queue, store, what))) == [ID]
    assert not [name for name in store.reads if name == "sqs_message_123.json"]


async def test_an_identity_alone_reads_what_may_be_it(queue: MemoryQueue, store: ListedObjects) -> None:
    assert list(places(await find(queue, store, ID))) == [ID]
    assert "sqs_message_123.json" in store.reads


@pytest.mark.parametrize(
    ("what", "digits", "reason"),
    [
        ("", None, "that is no receipt"),
        ("x", None, "that is no receipt"),
        ("/dev/null", None, "that is no receipt"),
        ('{"identity": "x", "timestream": "12"}', None, "that is no receipt"),
        ('{"identity": 1}', None, "that is no receipt"),
        ("{}\n{}", None, "more than one receipt"),
        ("1" * 21, None, "that is no receipt"),
        ("12", "xyz", "ID is the identity"),
        ("12", "", "ID is the identity"),
        (ID, "12", "ID stands behind a timestream"),
    ],
)
def test_anything_else_is_misuse(what: str, digits: str | None, reason: str) -> None:
    with pytest.raises(CommandError, match=reason) as raised:
        Sought.read(what, digits)
    assert raised.value.code is ExitCode.MISUSED


async def test_one_e_mail_may_be_in_several_places(
    queue: MemoryQueue, store: ListedObjects, capsys: pytest.CaptureFixture[str]
) -> None:
    await queue.send([TWO, TWO, TWO])
    bad, held = await queue.receive(2, wait_seconds=0, visibility_seconds=60)
    await queue.dead_letter(bad, "because \x1b[31m of it")
    result = await find(queue, store, "12", ID)
    assert places(result) == {ID: ([f"sqs_message_12_{ID[:16]}.json"], 2, 1)}
    _print(result, as_json=False)
    shown = capsys.readouterr().out
    assert shown.startswith(f"{ID[:16]}  12  archived as sqs_message_12_{ID[:16]}.json; ")
    assert "; in flight, hidden for 60 s more, received once" in shown
    assert "; waiting, sent " in shown
    assert r": because \x1b[31m of it" in shown
    _print(result, as_json=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert sorted(each["state"] for each in told["queued"]) == ["in_flight", "waiting"]
    assert [each["reason"] for each in told["dead_letters"]] == ["because \x1b[31m of it"]
    assert "two" not in json.dumps(told)  # what it says
    assert held.body == TWO


@pytest.mark.parametrize("timestream", ["12", 12])
async def test_a_message_that_is_no_e_mail_is_found_by_its_timestream_and_by_its_identity(
    queue: MemoryQueue, timestream: object
) -> None:
    bad = json.dumps({"email_timestream": timestream}).encode()
    await queue.send([bad, b"garbage"])
    for message in await queue.receive(2, wait_seconds=0, visibility_seconds=60):
        await queue.dead_letter(message, "no e-mail")
    assert list(places(await find(queue, ListedObjects(), "12"))) == [identity_of(bad)]
    assert list(places(await find(queue, ListedObjects(), identity_of(b"garbage")))) == [identity_of(b"garbage")]


async def test_what_cannot_be_asked_is_told_and_the_rest_is_asked(queue: MemoryQueue, store: ListedObjects) -> None:
    await queue.send([TWO])
    store.unavailable = "EIO"
    found = await find(queue, store, "12")
    assert (list(found.found), found.problems) == ([ID], ["ARCHIVE_URL: EIO"])
    store.unavailable = None
    queue.unavailable = "locked"
    found = await find(queue, store, "12", ID)
    assert (list(found.found), found.problems) == ([ID], ["QUEUE_URL: locked"])
    store.unreadable["sqs_message_12.json"] = "is restored from Glacier."
    assert "is restored from Glacier." in (await find(MemoryQueue(), store, "12")).problems[0]


class LikeSQS(MemoryAdminQueue):
    """It cannot be searched."""

    is_searchable = False

    def __init__(self, queue: MemoryQueue, *, has_dead_letter_queue: bool = True) -> None:
        super().__init__(queue)
        self.has_dead_letter_queue = has_dead_letter_queue
        self.released: list[str] = []

    async def depth(self) -> Depth:
        return Depth(4, 2, None, 0)

    def find(self, matches: Callable[[bytes], bool]) -> AsyncIterator[QueuedMessage]:
        raise NotImplementedError(matches)

    async def dead_letters(self) -> AsyncIterator[DeadLetter]:
        if not self.has_dead_letter_queue:
            raise NoDeadLetterQueueError
        async for letter in super().dead_letters():
            yield letter

    async def release(self, dead_letters: Any) -> None:
        self.released += [letter.id for letter in dead_letters]


async def test_a_queue_that_cannot_be_searched_tells_how_many_wait_and_hides_no_dead_letter(
    queue: MemoryQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    await queue.send([OTHER])
    (message,) = await queue.receive(1, wait_seconds=0, visibility_seconds=60)
    await queue.dead_letter(message, "")
    admin = LikeSQS(queue)
    result = await search(Sought.read("12", None), admin, ListedObjects())
    _print(result, as_json=False)
    assert capsys.readouterr().out == (
        "not archived, not dead-lettered; the queue cannot be searched: 4 waiting, 2 in flight\n"
    )
    assert admin.released == ["1"]
    without = await search(Sought.read("12", None), LikeSQS(queue, has_dead_letter_queue=False), ListedObjects())
    _print(without, as_json=False)
    assert "there is no dead-letter queue" in capsys.readouterr().out
    assert commands.find.__doc__


async def test_an_object_that_is_longer_than_any_e_mail_is_not_read(queue: MemoryQueue) -> None:
    store = ListedObjects({"sqs_message_12.json": bytes(MAX_BODY_BYTES + 1), f"sqs_message_12_{ID[:16]}.json": TWO})
    assert list(places(await find(queue, store, "12"))) == [ID]
    assert store.reads == [f"sqs_message_12_{ID[:16]}.json"]
