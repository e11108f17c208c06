"""Listings and reads of the stores that obstore reaches, beyond the contract: untrue answers, and what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import obstore
import pytest
from obstore.store import MemoryStore

from checkpoint.archive.adapters import open_archive, open_listed_store
from checkpoint.archive.object_store import ObstoreObjects
from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from contract.clouds import Cloud
from emails import email
from stubs.object_store import Effect, Fault, ObjectStoreStub, StoredObject
from stubs.s3 import S3Stub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from checkpoint.archive.port import StoredObject as Listed

PLAIN = next(email().names)


async def listed(stub: ObjectStoreStub, prefix: str = "") -> list[Listed]:
    async with Cloud(stub).open_listed() as store:
        return [each async for page in store.objects(prefix) for each in page]


def plant(stub: ObjectStoreStub, names: Sequence[str]) -> None:
    stub.objects |= {f"e-mails/{name}": StoredObject(b"x") for name in names}


@pytest.mark.parametrize(
    ("etag", "md5"),
    [
        ('"0cc175b9c0f1b6a831c399e269772661"', "0cc175b9c0f1b6a831c399e269772661"),
        ("0cc175b9c0f1b6a831c399e269772661", "0cc175b9c0f1b6a831c399e269772661"),
        ('"0cc175b9c0f1b6a831c399e269772661-2"', None),
        ('"0x8DC1E5B0C5F0000"', None),
        ("", None),
    ],
)
async def test_an_etag_is_told_as_an_md5_only_where_it_can_be_one(
    s3: S3Stub, monkeypatch: pytest.MonkeyPatch, etag: str, md5: str | None
) -> None:
    monkeypatch.setattr(S3Stub, "etag", lambda *_: etag)
    plant(s3, ["a"])
    assert [each.md5 for each in await listed(s3)] == [md5]


async def test_a_prefix_asks_for_the_pages_that_have_such_names_and_no_others(
    s3: S3Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    answer = S3Stub._list

    def spy(stub: S3Stub, request: web.Request, prefix: str, effects: set[Effect]) -> web.Response:
        asked.append(parse_qs(urlsplit(str(request.url)).query).get("start-after"))
        return answer(stub, request, prefix, effects)

    monkeypatch.setattr(S3Stub, "_list", spy)
    plant(s3, [f"sqs_message_{number}.json" for number in range(10_000, 19_999)])
    found = await listed(s3, "sqs_message_15000")
    assert [each.name for each in found] == ["sqs_message_15000.json"]
    assert len(asked) <= 2
    assert asked[0] is not None
    assert asked[0][0] > "e-mails/sqs_message_14998"


async def test_all_pages_are_listed(stub: ObjectStoreStub) -> None:
    plant(stub, [f"sqs_message_{number}.json" for number in range(2500)])
    assert len({each.name for each in await listed(stub)}) == 2500


async def test_a_store_without_an_order_is_listed_to_its_end() -> None:
    class Disordered(MemoryStore):
        pass

    store = Disordered()
    for name in ("b", "a", "ab"):
        obstore.put(store, name, b"x")
    found = [each.name async for page in ObstoreObjects(store, is_ordered=False).objects("a") for each in page]
    assert sorted(found) == ["a", "ab"]


async def test_what_lies_deeper_is_no_object_of_the_archive(stub: ObjectStoreStub) -> None:
    plant(stub, ["a", "deeper/b"])
    stub.objects["e-mails of others/c"] = StoredObject(b"x")
    assert [each.name for each in await listed(stub)] == ["a"]


@pytest.mark.parametrize("effect", [Effect.PORTAL, Effect.PORTAL_WITHOUT_ETAG, Effect.ACCESS_DENIED])
async def test_an_answer_that_is_none_of_the_store_is_an_outage(stub: ObjectStoreStub, effect: Effect) -> None:
    plant(stub, [PLAIN])
    stub.faults = [Fault(effect=effect)]
    with pytest.raises(ArchiveUnavailableError):
        await listed(stub)
    async with Cloud(stub).open_listed() as store:
        with pytest.raises(ArchiveUnavailableError):
            await store.read(PLAIN)


async def test_who_may_list_and_not_read_can_list(s3: S3Stub) -> None:
    plant(s3, [PLAIN])
    s3.faults = [Fault(effect=Effect.ACCESS_DENIED, method="GET")]
    assert [each.name for each in await listed(s3)] == [PLAIN]


@pytest.mark.parametrize("effect", [Effect.TORN_BODY, Effect.INTERNAL_ERROR])
async def test_a_read_that_is_torn_is_an_outage(stub: ObjectStoreStub, effect: Effect) -> None:
    stub.objects[f"e-mails/{PLAIN}"] = StoredObject(email().body)
    stub.faults = [Fault(effect=effect, method="GET")]
    async with Cloud(stub).open_listed() as store:
        with pytest.raises(ArchiveUnavailableError):
            await store.read(PLAIN)


async def test_a_missing_bucket_is_an_outage_and_not_an_empty_one(stub: ObjectStoreStub) -> None:
    cloud = Cloud(stub)
    stub.bucket = "another"
    async with cloud.open_listed() as store:
        with pytest.raises(ArchiveUnavailableError, match=stub.dialect.no_bucket.code):
            await store.read(PLAIN)
        with pytest.raises(ArchiveUnavailableError, match=stub.dialect.no_bucket.code):
            [page async for page in store.objects()]


async def test_an_object_in_an_archived_class_is_listed_but_unreadable(s3: S3Stub) -> None:
    async with open_archive(f"s3://{s3.bucket}") as archive:
        await archive.put(email())
    s3.faults = [Fault(effect=Effect.ARCHIVED)]
    async with open_listed_store(f"s3://{s3.bucket}") as store:
        assert [each.name async for page in store.objects() for each in page] == [PLAIN]
        with pytest.raises(ObjectUnreadableError, match="InvalidObjectState"):
            await store.read(PLAIN)
