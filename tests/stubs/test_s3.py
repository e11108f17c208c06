"""The S3 stub, asked by the client that the archive uses."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from contextlib import closing
from datetime import timedelta
from hashlib import md5
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import boto3
import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, BaseError, GenericError, PermissionDeniedError
from obstore.store import S3Store

from checkpoint.archive.adapters import open_archive
from emails import email
from stubs.object_store import Effect, Fault, Request, StoredObject
from stubs.processes import process
from stubs.s3 import S3Stub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "e-mails/sqs_message_1706213694.json"
BODY = b"the bytes of an object"
ETAG = f'"{md5(BODY, usedforsecurity=False).hexdigest()}"'


@pytest.fixture
async def s3() -> AsyncIterator[S3Stub]:
    async with S3Stub() as stub:
        yield stub


@pytest.fixture
def store(s3: S3Stub) -> S3Store:
    """A client that does not try again, so that each fault shows."""
    return client(s3.url, s3.bucket)


def client(url: str, bucket: str) -> S3Store:
    return S3Store(
        bucket,
        config={"endpoint": url, "region": "us-east-1", "access_key_id": "test", "secret_access_key": "test"},
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
    )


async def read(store: S3Store) -> bytes:
    return bytes(await (await obstore.get_async(store, KEY)).bytes_async())


async def test_an_object_is_given_back_with_its_size_its_md5_and_its_metadata(s3: S3Stub, store: S3Store) -> None:
    await obstore.put_async(store, KEY, BODY, mode="create", use_multipart=False, attributes={"identity": "0123abcd"})
    head = await obstore.head_async(store, KEY)
    found = await obstore.get_async(store, KEY)

    assert (head["size"], head["e_tag"]) == (len(BODY), ETAG)
    assert found.meta["e_tag"] == head["e_tag"]
    assert found.attributes["identity"] == "0123abcd"
    assert bytes(await found.bytes_async()) == BODY
    assert s3.objects[KEY].metadata == {"identity": "0123abcd"}
    assert s3.requests == [Request("PUT", KEY), Request("HEAD", KEY), Request("GET", KEY)]


async def test_a_name_that_is_taken_is_not_put_again(s3: S3Stub, store: S3Store) -> None:
    s3.objects[KEY] = StoredObject(BODY)
    with pytest.raises(AlreadyExistsError, match="PreconditionFailed"):
        await obstore.put_async(store, KEY, b"other", mode="create", use_multipart=False)
    assert s3.objects[KEY].body == BODY


async def test_what_is_not_there_is_not_found(s3: S3Stub, store: S3Store) -> None:
    with pytest.raises(FileNotFoundError, match="NoSuchKey"):
        await obstore.get_async(store, KEY)
    with pytest.raises(FileNotFoundError):
        await obstore.head_async(store, KEY)
    with pytest.raises(FileNotFoundError, match="NoSuchBucket"):
        await obstore.put_async(client(s3.url, "none"), KEY, BODY, mode="create", use_multipart=False)


async def test_an_object_can_be_deleted(s3: S3Stub, store: S3Store) -> None:
    s3.objects[KEY] = StoredObject(BODY)
    await obstore.delete_async(store, KEY)
    assert s3.objects == {}


async def test_a_list_gives_every_object_below_a_prefix_page_by_page(s3: S3Stub, store: S3Store) -> None:
    s3.objects |= {f"e-mails/{number:04} & more": StoredObject(b"x" * number) for number in range(1001)}
    s3.objects["elsewhere"] = StoredObject(b"")
    listed = [each async for page in obstore.list(store, "e-mails") for each in page]
    assert [(each["path"], each["size"]) for each in listed] == [
        (f"e-mails/{number:04} & more", number) for number in range(1001)
    ]
    assert s3.requests == [Request("LIST", "e-mails/")] * 2


async def test_an_object_in_an_archived_class_can_be_looked_at_but_not_read(s3: S3Stub, store: S3Store) -> None:
    s3.objects[KEY] = StoredObject(BODY)
    s3.faults = [Fault(effect=Effect.ARCHIVED, key=KEY)]
    assert (await obstore.head_async(store, KEY))["size"] == len(BODY)
    with pytest.raises(PermissionDeniedError, match="InvalidObjectState"):
        await obstore.get_async(store, KEY)

    with closing(
        boto3.client("s3", endpoint_url=s3.url, region_name="x", aws_access_key_id="x", aws_secret_access_key="x")
    ) as looking:
        head = await asyncio.to_thread(looking.head_object, Bucket=s3.bucket, Key=KEY)
    assert head["StorageClass"] == "GLACIER"


@pytest.mark.parametrize(("effect", "size"), [(Effect.WRONG_BYTES, len(BODY)), (Effect.SHORT_BODY, len(BODY) // 2)])
async def test_a_read_that_is_not_what_is_stored_has_the_etag_of_what_is_stored(
    s3: S3Stub, store: S3Store, effect: Effect, size: int
) -> None:
    s3.objects[KEY] = StoredObject(BODY, {"identity": "0123abcd"})
    s3.faults = [Fault(effect=effect)]
    found = await obstore.get_async(store, KEY)
    body = bytes(await found.bytes_async())
    assert (len(body), body in BODY) == (size, effect is Effect.SHORT_BODY)
    assert found.meta["size"] == size
    assert found.meta["e_tag"] == ETAG
    assert found.attributes["identity"] == "0123abcd"
    assert (await obstore.head_async(store, KEY))["size"] == len(BODY)


async def test_a_body_may_end_before_its_content_length(s3: S3Stub, store: S3Store) -> None:
    s3.objects[KEY] = StoredObject(BODY)
    s3.faults = [Fault(effect=Effect.TORN_BODY)]
    found = await obstore.get_async(store, KEY)
    assert found.meta["size"] == len(BODY)
    with pytest.raises(BaseError):
        await found.bytes_async()
    s3.faults.clear()
    assert await read(store) == BODY


@pytest.mark.parametrize(
    ("effect", "stored"), [(Effect.INTERNAL_ERROR, False), (Effect.INTERNAL_ERROR_AFTER_STORING, True)]
)
async def test_a_put_may_fail_before_or_after_its_effect(
    s3: S3Stub, store: S3Store, effect: Effect, *, stored: bool
) -> None:
    s3.faults = [Fault(effect=effect, method="PUT")]
    with pytest.raises(GenericError, match="500"):
        await obstore.put_async(store, KEY, BODY, mode="create", use_multipart=False)
    assert (KEY in s3.objects) is stored


@pytest.mark.parametrize(
    ("effect", "error", "code"),
    [(Effect.SLOW_DOWN, GenericError, "SlowDown"), (Effect.ACCESS_DENIED, PermissionDeniedError, "AccessDenied")],
)
async def test_a_refusal_has_the_code_that_s3_gives_it(
    s3: S3Stub, store: S3Store, effect: Effect, error: type[BaseError], code: str
) -> None:
    s3.faults = [Fault(effect=effect)]
    with pytest.raises(error, match=code):
        await read(store)


async def test_an_etag_need_not_be_the_md5_and_metadata_need_not_come_back(s3: S3Stub, store: S3Store) -> None:
    s3.faults = [Fault(effect=Effect.ETAG_NOT_MD5), Fault(effect=Effect.NO_METADATA)]
    put = await obstore.put_async(store, KEY, BODY, use_multipart=False, attributes={"identity": "0123abcd"})
    found = await obstore.get_async(store, KEY)
    assert found.meta["e_tag"] == put["e_tag"] != ETAG
    assert "identity" not in found.attributes


async def test_a_fault_is_for_its_requests_and_ends_after_so_many(s3: S3Stub, store: S3Store) -> None:
    s3.objects |= {KEY: StoredObject(BODY), "other": StoredObject(b"")}
    s3.faults = [Fault(effect=Effect.SLOW_DOWN, method="GET", key="e-mails/*", times=2)]
    await obstore.head_async(store, KEY)
    await obstore.get_async(store, "other")
    for _ in range(2):
        with pytest.raises(GenericError):
            await read(store)
    assert await read(store) == BODY


async def test_a_fault_may_be_for_a_share_of_requests(s3: S3Stub, store: S3Store) -> None:
    s3.objects[KEY] = StoredObject(BODY)
    s3.faults = [Fault(effect=Effect.WRONG_BYTES, share=0.5)]
    assert 20 < sum([await read(store) != BODY for _ in range(100)]) < 80


async def test_the_archive_keeps_an_email_in_it(s3: S3Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    async with open_archive(f"s3://{s3.bucket}/e-mails") as archive:
        assert (await archive.put(email())).created
        assert not (await archive.put(email())).created
    assert [(key, stored.body) for key, stored in s3.objects.items()] == [(KEY, email().body)]


def test_as_a_process_its_faults_are_set_over_http() -> None:
    with process("stubs.s3") as url:
        store = client(url, "archive")
        obstore.put(store, KEY, BODY, use_multipart=False)
        set_faults(url, [{"effect": "slow_down", "times": 1}])
        with pytest.raises(GenericError, match="SlowDown"):
            obstore.get(store, KEY)
        assert bytes(obstore.get(store, KEY).bytes()) == BODY


def test_a_fault_that_it_does_not_know_is_refused() -> None:
    with process("stubs.s3") as url, pytest.raises(HTTPError, match="400"):
        set_faults(url, [{"effect": "unknown"}])


def set_faults(url: str, faults: list[dict[str, object]]) -> None:
    body = json.dumps(faults).encode()
    request = urllib.request.Request(f"{url}/_faults", data=body, method="PUT")  # noqa: S310  http, loopback
    with urllib.request.urlopen(request, timeout=5):  # noqa: S310  http, loopback
        pass
