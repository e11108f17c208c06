"""A store whose answers are not true makes no second object of an e-mail: it is an outage, and tried again."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive.adapters import open_archive
from checkpoint.archive.archive import PutResult
from checkpoint.archive.port import ArchiveUnavailableError
from contract.clouds import SCHEMES
from emails import email
from stubs.object_store import Effect, Fault, StoredObject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from checkpoint.archive.archive import Archive
    from stubs.object_store import ObjectStoreStub

PLAIN, LONGER, LONGEST = email().names
UNTRUE = [Effect.WRONG_BYTES, Effect.SHORT_BODY, Effect.TORN_BODY]


@pytest.fixture
async def archive(stub: ObjectStoreStub) -> AsyncIterator[Archive]:
    async with open_archive(f"{SCHEMES[type(stub)]}://{stub.bucket}") as opened:
        yield opened


async def put_with_patience(archive: Archive) -> PutResult:
    for _ in range(50):
        try:
            return await archive.put(email())
        except ArchiveUnavailableError:
            continue
    pytest.fail("It was unavailable 50 times.")


@pytest.mark.parametrize("effect", UNTRUE)
@pytest.mark.parametrize("held", [PLAIN, LONGER])
async def test_an_email_that_is_there_is_found_though_one_read_was_untrue(
    stub: ObjectStoreStub, archive: Archive, effect: Effect, held: str
) -> None:
    stub.objects[PLAIN] = StoredObject(email("an e-mail of the same second").body)
    stub.objects[held] = StoredObject(email().body)
    before = dict(stub.objects)
    # Without metadata, and with an ETag that is no MD5, only a read can tell.
    stub.faults += [Fault(effect=Effect.ETAG_NOT_MD5), Fault(effect=effect, method="GET", times=1)]
    assert await put_with_patience(archive) == PutResult(held, created=False)
    assert stub.objects == before


@pytest.mark.parametrize("faults", [[], [Fault(effect=Effect.ETAG_NOT_MD5)]], ids=["MD5", "no MD5"])
async def test_other_bytes_count_where_two_reads_agree(
    stub: ObjectStoreStub, archive: Archive, faults: list[Fault]
) -> None:
    stub.objects[PLAIN] = StoredObject(b"x" * len(email().body))
    stub.faults += faults
    assert await archive.put(email()) == PutResult(LONGER, created=True)
    methods = [request.method for request in stub.requests if request.key == PLAIN]
    assert methods == ["PUT", "HEAD", "GET", "HEAD", "GET"]


@pytest.mark.parametrize("held", [PLAIN, LONGER])
async def test_one_answer_that_belongs_to_another_object_makes_no_second_one(
    stub: ObjectStoreStub, archive: Archive, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    stub.objects[PLAIN] = StoredObject(email("first").body, {"sha256": email("first").identity})
    stub.objects[held] = StoredObject(email().body, {"sha256": email().identity})
    before = dict(stub.objects)
    holder = archive._store.holder
    mixed_up = iter([email("of somebody else").identity])

    async def answers(name: str, body: bytes, *, sha256: str) -> str | None:
        true = await holder(name, body, sha256=sha256)
        return next(mixed_up, true) if name == held else true

    monkeypatch.setattr(archive._store, "holder", answers)
    assert await put_with_patience(archive) == PutResult(held, created=False)
    assert stub.objects == before


async def test_a_head_whose_size_contradicts_its_sha256_is_an_outage(stub: ObjectStoreStub, archive: Archive) -> None:
    stub.objects[PLAIN] = StoredObject(b"shorter", {"sha256": email().identity})
    with pytest.raises(ArchiveUnavailableError, match="contradicts"):
        await archive.put(email())
    assert list(stub.objects) == [PLAIN]


@pytest.mark.parametrize("seed", range(5))
async def test_in_a_storm_of_untrue_reads_and_failed_puts_each_email_stays_one_object(
    stub: ObjectStoreStub, archive: Archive, seed: int
) -> None:
    chance = random.Random(seed)
    stub.faults += [Fault(effect=effect, method="GET", share=0.3) for effect in UNTRUE]
    stub.faults += [
        Fault(effect=Effect.INTERNAL_ERROR_AFTER_STORING, method="PUT", share=0.1),
        Fault(effect=Effect.NO_METADATA, share=0.5),
        Fault(effect=Effect.ETAG_NOT_MD5, share=0.2),
    ]
    emails = [email(f"{number:02}", timestream=str(number % 3)) for number in range(12)]
    for each in chance.choices(emails, k=60) + emails:
        while True:
            try:
                await archive.put(each)
                break
            except ArchiveUnavailableError:
                continue
    assert sorted(stored.body for stored in stub.objects.values()) == sorted(each.body for each in emails)


@pytest.mark.parametrize("effect", [Effect.PORTAL, Effect.PORTAL_WITHOUT_ETAG])
async def test_a_put_that_a_captive_portal_answered_is_not_believed(
    stub: ObjectStoreStub, archive: Archive, effect: Effect
) -> None:
    stub.faults = [Fault(effect=effect, method="PUT", times=1)]
    with pytest.raises(ArchiveUnavailableError):
        await archive.put(email())
    assert not stub.objects
    assert await archive.put(email()) == PutResult(PLAIN, created=True)

    stub.faults = [Fault(effect=effect)]
    with pytest.raises(ArchiveUnavailableError):
        await archive.put(email("another"))


@pytest.mark.parametrize("effect", [Effect.PORTAL, Effect.PORTAL_WITHOUT_ETAG])
async def test_heads_that_a_captive_portal_answered_make_no_second_object(
    stub: ObjectStoreStub, archive: Archive, effect: Effect
) -> None:
    stub.objects[PLAIN] = StoredObject(email().body)
    stub.faults = [Fault(effect=effect, method=method, times=2) for method in ("HEAD", "GET")]
    assert await put_with_patience(archive) == PutResult(PLAIN, created=False)
    assert list(stub.objects) == [PLAIN]


async def test_where_the_etag_of_a_put_is_not_the_md5_the_object_is_looked_at(
    stub: ObjectStoreStub, archive: Archive
) -> None:
    stub.faults = [Fault(effect=Effect.ETAG_NOT_MD5)]
    assert await archive.put(email()) == PutResult(PLAIN, created=True)
    assert [request.method for request in stub.requests] == ["PUT", "HEAD"]
