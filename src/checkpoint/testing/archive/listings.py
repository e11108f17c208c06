"""Listings and reads: what is there is told as it is, and looking changes nothing."""

from __future__ import annotations

import hashlib
import traceback
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive.port import ArchiveUnavailableError, ListedStore
from checkpoint.testing.archive.under_test import email

if TYPE_CHECKING:
    from checkpoint.archive.port import StoredObject
    from checkpoint.testing.archive.under_test import ListedUnderTest


async def listed(store: ListedStore, prefix: str = "") -> dict[str, StoredObject]:
    """Every object that a listing tells of, by name; fails where it tells of one twice."""
    found = [each async for page in store.objects(prefix) for each in page]
    by_name = {each.name: each for each in found}
    assert len(by_name) == len(found)
    return by_name


class Listings:
    """`ListedStore`."""

    async def test_every_object_is_listed_with_its_size_and_no_wrong_md5(self, place: ListedUnderTest) -> None:
        emails = [email(f"{number} é \U0001f600", timestream=str(170 + number % 3)) for number in range(7)]
        async with place.open() as archive:
            for each in emails:
                await archive.put(each)
        bodies = place.objects()
        async with place.open_listed() as store:
            found = await listed(store)
        assert {name: each.size for name, each in found.items()} == {name: len(body) for name, body in bodies.items()}
        for name, stored in found.items():
            assert stored.md5 in {None, hashlib.md5(bodies[name], usedforsecurity=False).hexdigest()}

    async def test_more_objects_than_a_page_has_are_all_listed(self, place: ListedUnderTest) -> None:
        names = {f"sqs_message_{number}.json" for number in range(10_000, 10_000 + place.many)}
        async with place.open():
            for name in names:
                place.plant(name, b"x")
        async with place.open_listed() as store:
            assert set(await listed(store)) == names
            pages = [len(page) async for page in store.objects()]
        assert all(pages)
        assert max(pages) <= 10_000

    @pytest.mark.parametrize(
        ("prefix", "numbers"),
        [
            ("sqs_message_2", {"2", "20", "20_0123456789abcdef", "21"}),
            ("sqs_message_20", {"20", "20_0123456789abcdef"}),
            ("sqs_message_20.json", {"20"}),
            ("sqs_message_4", set()),
            ("another", set()),
        ],
    )
    async def test_a_listing_by_a_prefix_tells_of_all_names_that_begin_so_and_no_others(
        self, place: ListedUnderTest, prefix: str, numbers: set[str]
    ) -> None:
        async with place.open():
            for number in ("1", "19", "2", "20", "20_0123456789abcdef", "21", "3"):
                place.plant(f"sqs_message_{number}.json", b"x")
        async with place.open_listed() as store:
            assert set(await listed(store, prefix)) == {f"sqs_message_{number}.json" for number in numbers}

    async def test_a_listing_may_be_left_in_its_middle_and_begun_again(self, place: ListedUnderTest) -> None:
        async with place.open():
            for number in range(3):
                place.plant(f"sqs_message_{number}.json", b"x")
        async with place.open_listed() as store:
            async for _ in store.objects():
                break
            assert len(await listed(store)) == 3

    async def test_an_empty_archive_has_no_objects(self, place: ListedUnderTest) -> None:
        async with place.open_listed() as store:
            assert await listed(store) == {}

    async def test_an_object_is_read_as_it_is(self, place: ListedUnderTest) -> None:
        async with place.open() as archive:
            name = (await archive.put(email())).name
            place.plant("sqs_message_1.json", b"torn \x00\xff")
            place.plant("sqs_message_2.json", b"")
        async with place.open_listed() as store:
            assert await store.read(name) == email().body
            assert await store.read("sqs_message_1.json") == b"torn \x00\xff"
            assert await store.read("sqs_message_2.json") == b""

    @pytest.mark.parametrize(
        "name", ["sqs_message_3.json", "", ".", "..", "../x", "/etc/passwd", "a/b", "a\0b", "\udcff"]
    )
    async def test_a_name_without_an_object_has_no_bytes(self, place: ListedUnderTest, name: str) -> None:
        async with place.open() as archive:
            await archive.put(email())
        async with place.open_listed() as store:
            assert await store.read(name) is None

    async def test_to_list_and_to_read_changes_nothing(self, place: ListedUnderTest) -> None:
        async with place.open() as archive:
            await archive.put(email())
        before = place.objects()
        async with place.open_listed() as store:
            for name in await listed(store):
                await store.read(name)
        assert place.objects() == before == {next(email().names): email().body}

    async def test_an_archive_out_of_reach_is_an_outage_and_never_an_empty_one(self, place: ListedUnderTest) -> None:
        async with place.open_listed_out_of_reach() as store:
            with pytest.raises(ArchiveUnavailableError, match=r"\S") as caught:
                await listed(store)
            with pytest.raises(ArchiveUnavailableError, match=r"\S"):
                await store.read("sqs_message_1.json")
        assert "Your" not in "".join(traceback.format_exception(caught.value))
