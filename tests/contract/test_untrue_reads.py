"""A store whose answers are not true makes no second object of an e-mail: it is an outage, and tried again."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive.archive import PutResult
from checkpoint.archive.port import ArchiveUnavailableError
from emails import email
from stubs.s3 import Effect, Fault, S3Stub, StoredObject

if TYPE_CHECKING:
    from checkpoint.archive.archive import Archive

PLAIN, LONGER, LONGEST = email().names
UNTRUE = [Effect.WRONG_BYTES, Effect.SHORT_BODY, Effect.TORN_BODY]


async def put_with_patience(bucket: Archive) -> PutResult:
    for _ in range(50):
        try:
            return await bucket.put(email())
        except ArchiveUnavailableError:
            continue
    pytest.fail("It was unavailable 50 times.")


@pytest.mark.parametrize("effect", UNTRUE)
@pytest.mark.parametrize("held", [PLAIN, LONGER])
async def test_an_email_that_is_there_is_found_though_one_read_was_untrue(
    s3: S3Stub, bucket: Archive, effect: Effect, held: str
) -> None:
    s3.objects[PLAIN] = StoredObject(email("an e-mail of the same second").body)
    s3.objects[held] = StoredObject(email().body)
    before = dict(s3.objects)
    # Without metadata, and with an ETag that is no MD5, only a read can tell.
    s3.faults += [Fault(effect=Effect.ETAG_NOT_MD5), Fault(effect=effect, method="GET", times=1)]
    assert await put_with_patience(bucket) == PutResult(held, created=False)
    assert s3.objects == before


@pytest.mark.parametrize("faults", [[], [Fault(effect=Effect.ETAG_NOT_MD5)]], ids=["MD5", "no MD5"])
async def test_other_bytes_count_where_two_reads_agree(s3: S3Stub, bucket: Archive, faults: list[Fault]) -> None:
    s3.objects[PLAIN] = StoredObject(b"x" * len(email().body))
    s3.faults += faults
    assert await bucket.put(email()) == PutResult(LONGER, created=True)
    methods = [request.method for request in s3.requests if request.key == PLAIN]
    assert methods == ["PUT", "HEAD", "GET", "HEAD", "GET"]


@pytest.mark.parametrize("held", [PLAIN, LONGER])
async def test_one_answer_that_belongs_to_another_object_makes_no_second_one(
    s3: S3Stub, bucket: Archive, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    s3.objects[PLAIN] = StoredObject(email("first").body, {"sha256": email("first").identity})
    s3.objects[held] = StoredObject(email().body, {"sha256": email().identity})
    before = dict(s3.objects)
    holder = bucket._store.holder
    mixed_up = iter([email("of somebody else").identity])

    async def answers(name: str, body: bytes, *, sha256: str) -> str | None:
        true = await holder(name, body, sha256=sha256)
        return next(mixed_up, true) if name == held else true

    monkeypatch.setattr(bucket._store, "holder", answers)
    assert await put_with_patience(bucket) == PutResult(held, created=False)
    assert s3.objects == before


async def test_a_head_whose_size_contradicts_its_sha256_is_an_outage(s3: S3Stub, bucket: Archive) -> None:
    s3.objects[PLAIN] = StoredObject(b"shorter", {"sha256": email().identity})
    with pytest.raises(ArchiveUnavailableError, match="contradicts"):
        await bucket.put(email())
    assert list(s3.objects) == [PLAIN]


@pytest.mark.parametrize("seed", range(5))
async def test_in_a_storm_of_untrue_reads_and_failed_puts_each_email_stays_one_object(
    s3: S3Stub, bucket: Archive, seed: int
) -> None:
    chance = random.Random(seed)
    s3.faults += [Fault(effect=effect, method="GET", share=0.3) for effect in UNTRUE]
    s3.faults += [
        Fault(effect=Effect.INTERNAL_ERROR_AFTER_STORING, method="PUT", share=0.1),
        Fault(effect=Effect.NO_METADATA, share=0.5),
        Fault(effect=Effect.ETAG_NOT_MD5, share=0.2),
    ]
    emails = [email(f"{number:02}", timestream=str(number % 3)) for number in range(12)]
    for each in chance.choices(emails, k=60) + emails:
        while True:
            try:
                await bucket.put(each)
                break
            except ArchiveUnavailableError:
                continue
    assert sorted(stored.body for stored in s3.objects.values()) == sorted(each.body for each in emails)
