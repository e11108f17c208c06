"""What is replayed: the e-mails of an archive that were asked for, and of the others why not."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from checkpoint.archive.archive import Archive
from checkpoint.email import Email
from command_line.posting import archived
from command_line.posting.archived import Range, archived_items, named_items
from command_line.posting.intake import open_intake
from command_line.posting.pace import Pace
from command_line.posting.posting import Failure, Posting, Tally
from emails import body, email
from objects import ListedObjects, MemoryObjects
from unit.command_line.failing_intake import FailingIntake, problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import pytest

    from command_line.posting.items import Item


def store() -> ListedObjects:
    return ListedObjects({f"sqs_message_{number}.json": body(timestream=str(number)) for number in range(5)})


async def collect(items: AsyncIterator[Sequence[Item]]) -> dict[str, str]:
    return {item.place: item.fault async for some in items for item in some}


async def names(*given: str) -> AsyncIterator[Sequence[bytes | None]]:
    yield [each.encode() for each in given]


async def test_all_emails_of_an_archive_or_those_of_a_range_or_a_prefix_are_posted() -> None:
    everything = [f"sqs_message_{number}.json" for number in range(5)]
    assert list(await collect(archived_items(store(), "", Range()))) == everything
    assert list(await collect(archived_items(store(), "", Range(1, 3)))) == everything[1:4]
    assert list(await collect(archived_items(store(), "", Range(last=1)))) == everything[:2]
    assert list(await collect(archived_items(store(), "sqs_message_3", Range()))) == everything[3:4]


async def test_what_is_no_email_and_what_cannot_be_read_is_told_and_harms_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archived, "MAX_BODY_BYTES", 1000)
    objects = store()
    objects.bodies |= {
        "sqs_message_6.json": b'1},"token":{"x":1',
        "sqs_message_7.json": b"x" * 1001,
        "sqs_message_8.json": b"cold",
        "README": b"of somebody else",
    }
    objects.unreadable["sqs_message_8.json"] = "is in an archived storage class: restore it."
    found = await collect(archived_items(objects, "", Range()))
    assert {place: fault for place, fault in found.items() if fault} == {
        "sqs_message_6.json": "The object is not an e-mail.",
        "sqs_message_7.json": "The object is longer than 1000 bytes.",
        "sqs_message_8.json": "The object is in an archived storage class: restore it.",
    }
    assert len(found) == 8


async def test_names_choose_objects_one_by_one() -> None:
    found = await collect(named_items(store(), names("sqs_message_2.json", "", "\x1b", " sqs_message_1.json ")))
    assert found == {"sqs_message_2.json": "", "\\x1b": "There is no such object.", "sqs_message_1.json": ""}


async def test_many_are_read_together_within_a_bound_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archived, "_BYTES_AT_ONCE", 300)
    sizes = [len(some) async for some in archived_items(store(), "", Range())]
    assert sizes == [2, 2, 1]


async def test_the_second_archive_ends_with_the_identities_of_the_first_whatever_the_other_intake_refuses() -> None:
    first = MemoryObjects()
    archive = Archive(first)
    for number in range(40):
        await archive.put(email(f"{number} é\u2028", timestream=str(1706213694 + number // 4)))
    refused = email("7 é\u2028", timestream="1706213695")
    second = MemoryObjects()
    tally = Tally()
    failures: list[Failure] = []
    async with FailingIntake() as intake:
        intake.script = {b'"7 ': [problem(400, "Invalid fields", "is further in the future than allowed.")]}
        async with open_intake(intake.url, "foobar", connections=4) as opened:
            await Posting(
                intake=opened,
                receipts=None,
                is_known=None,
                failed=failures.append,
                tally=tally,
                pace=Pace(None, time),
                clock=time,
                random=random,
                concurrency=4,
                give_up_after=5,
            ).run(archived_items(ListedObjects(first.objects), "", Range()))
        for posted in intake.bodies:
            await Archive(second).put(Email.read(posted.removeprefix(b'{"data":').removesuffix(b"}")))
    assert (tally.confirmed, tally.refused) == (39, 1)
    assert failures[0].reason == "400 Invalid fields: is further in the future than allowed."
    assert failures[0].place in set(refused.names)
    assert sorted(second.objects.values()) == sorted(first.objects.values())
