"""Puts: each e-mail is one object with exactly its bytes, and no object is ever overwritten."""

from __future__ import annotations

import asyncio
import hashlib
import re
import traceback
from typing import TYPE_CHECKING, Final

import pytest

from checkpoint.archive.archive import NamesTakenError, PutResult
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.testing.archive.under_test import email

if TYPE_CHECKING:
    from checkpoint.testing.archive.under_test import ArchiveUnderTest

PLAIN: Final = "sqs_message_1706213694.json"
LARGEST_BYTES: Final = 16 * 1024 * 1024
FOREIGN: Final = {
    "empty": b"",
    "torn": email().body[:-1],
    "as long": email().body.replace(b"Your", b"Mine"),
    "longer": email(size=1024 * 1024).body,
}


class Puts:
    """`Archive.put` over the store."""

    async def test_the_first_email_of_a_timestream_has_the_plain_name_and_exactly_its_bytes(
        self, place: ArchiveUnderTest
    ) -> None:
        async with place.open() as archive:
            assert await archive.put(email()) == PutResult(PLAIN, created=True)
        assert place.objects() == {PLAIN: email().body}

    async def test_another_email_of_the_same_timestream_has_the_longer_name_and_the_first_is_untouched(
        self, place: ArchiveUnderTest
    ) -> None:
        first, other = email("first"), email("other")
        longer = f"sqs_message_1706213694_{other.identity[:16]}.json"
        async with place.open() as archive:
            await archive.put(first)
            assert await archive.put(other) == PutResult(longer, created=True)
        assert place.objects() == {PLAIN: first.body, longer: other.body}

    async def test_an_email_put_again_is_found_whatever_name_it_has(self, place: ArchiveUnderTest) -> None:
        emails = [email("first"), email("second"), email("third")]
        async with place.open() as archive:
            first = [await archive.put(each) for each in emails]
            again = [await archive.put(each) for each in emails]
        assert [each.name for each in again] == [each.name for each in first]
        assert [each.created for each in again] == [False] * 3
        assert len(place.objects()) == 3

    async def test_an_email_put_again_by_a_program_that_remembers_nothing_is_found(
        self, place: ArchiveUnderTest
    ) -> None:
        emails = [email("first"), email("second"), email("third")]
        for order in (emails, emails[::-1], emails):
            async with place.open() as archive:
                for each in order:
                    await archive.put(each)
        assert sorted(place.objects().values()) == sorted(each.body for each in emails)

    async def test_many_at_once_by_several_programs_each_leave_one_object(self, place: ArchiveUnderTest) -> None:
        emails = [email(f"{number} é \U0001f600", timestream=str(170 + number % 3)) for number in range(40)]
        async with place.open() as one, place.open() as two:
            for _ in range(50):  # S3 may answer "taken" while the first put is under way: then it is tried again
                outcomes = await asyncio.gather(
                    *(archive.put(each) for archive in (one, two) for each in emails), return_exceptions=True
                )
                if not any(isinstance(outcome, BaseException) for outcome in outcomes):
                    break
            else:
                pytest.fail(f"never all put: {outcomes}")
        objects = place.objects()
        assert sorted(objects.values()) == sorted(each.body for each in emails)
        assert {"sqs_message_170.json", "sqs_message_171.json", "sqs_message_172.json"} < set(objects)

    async def test_an_email_of_the_largest_size_is_put_whole(self, place: ArchiveUnderTest) -> None:
        largest = email(size=LARGEST_BYTES)
        async with place.open() as archive:
            await archive.put(largest)
            assert not (await archive.put(largest)).created
        assert hashlib.sha256(place.objects()[PLAIN]).hexdigest() == largest.identity

    @pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN.keys())
    async def test_an_object_of_somebody_else_under_the_plain_name_is_never_overwritten(
        self, place: ArchiveUnderTest, foreign: bytes
    ) -> None:
        async with place.open() as archive:
            place.plant(PLAIN, foreign)
            result = await archive.put(email())
            assert (await archive.put(email())) == PutResult(result.name, created=False)
        assert result.name == f"sqs_message_1706213694_{email().identity[:16]}.json"
        assert place.objects() == {PLAIN: foreign, result.name: email().body}

    async def test_a_collision_of_the_short_identity_costs_no_email(self, place: ArchiveUnderTest) -> None:
        plain, short, full = email().names
        async with place.open() as archive:
            place.plant(plain, b"another")
            place.plant(short, b"one with the same 16 digits")
            assert await archive.put(email()) == PutResult(full, created=True)
            assert await archive.put(email()) == PutResult(full, created=False)
        assert place.objects()[full] == email().body

    async def test_an_email_with_all_its_names_taken_is_told_apart_from_an_outage(
        self, place: ArchiveUnderTest
    ) -> None:
        async with place.open() as archive:
            for name in email().names:
                place.plant(name, b"foreign")
            with pytest.raises(NamesTakenError):
                await archive.put(email())

    async def test_an_archive_out_of_reach_is_an_outage_told_without_a_word_of_content(
        self, place: ArchiveUnderTest
    ) -> None:
        secret = email("the secret content")
        async with place.open_out_of_reach() as archive:
            with pytest.raises(ArchiveUnavailableError) as caught:
                await archive.put(secret)
        text = "".join(traceback.format_exception(caught.value))
        assert re.search(r"ArchiveUnavailableError: \S", text)  # it says why
        assert "the secret content" not in text
