"""The stubs of Google Cloud Storage and Azure Blob Storage, asked by the client that the archive uses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, PermissionDeniedError
from obstore.store import AzureStore, GCSStore

from stubs.azure import AzureStub
from stubs.gcs import GCSStub
from stubs.object_store import Effect, Fault, ObjectStoreStub, Request
from stubs.processes import process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from obstore.store import ClientConfig, ObjectStore, RetryConfig

KEY = "e-mails/sqs_message_1706213694.json"
BODY = b"the bytes of an object"
PLAIN_HTTP: ClientConfig = {"allow_http": True}
NO_RETRIES: RetryConfig = {"max_retries": 0, "retry_timeout": timedelta(seconds=5)}  # so that each fault shows


@pytest.fixture(params=[GCSStub, AzureStub])
async def stub(request: pytest.FixtureRequest) -> AsyncIterator[ObjectStoreStub]:
    async with request.param() as serving:
        yield serving


def client(stub: type[ObjectStoreStub], url: str, bucket: str = "archive") -> ObjectStore:
    if stub is GCSStub:
        return GCSStore(
            bucket,
            config={"base_url": url, "bearer_token": "test"},
            client_options=PLAIN_HTTP,
            retry_config=NO_RETRIES,
        )
    return AzureStore(
        bucket,
        config={"endpoint": url, "account_name": "test", "account_key": "dGVzdA=="},
        client_options=PLAIN_HTTP,
        retry_config=NO_RETRIES,
    )


async def create(store: ObjectStore, body: bytes = BODY) -> None:
    await obstore.put_async(store, KEY, body, mode="create", use_multipart=False, attributes={"sha256": "0123"})


async def test_an_object_is_created_once_and_given_back_with_its_size_and_metadata(stub: ObjectStoreStub) -> None:
    store = client(type(stub), stub.url)
    await create(store)
    with pytest.raises(AlreadyExistsError, match=stub.dialect.taken.code):
        await create(store, b"other")
    head = await obstore.get_async(store, KEY, options={"head": True})
    found = await obstore.get_async(store, KEY)

    assert head.meta["size"] == len(BODY)
    assert head.meta["e_tag"] == found.meta["e_tag"]
    assert head.attributes["sha256"] == found.attributes["sha256"] == "0123"
    assert bytes(await found.bytes_async()) == BODY
    assert stub.objects[KEY].metadata == {"sha256": "0123"}
    assert stub.requests == [Request(method, KEY) for method in ("PUT", "PUT", "HEAD", "GET")]


async def test_what_is_not_there_is_not_found(stub: ObjectStoreStub) -> None:
    store = client(type(stub), stub.url)
    with pytest.raises(FileNotFoundError, match=stub.dialect.no_object.code):
        await obstore.get_async(store, KEY)
    with pytest.raises(FileNotFoundError, match=stub.dialect.no_bucket.code):
        await create(client(type(stub), stub.url, "none"))


async def test_its_faults_have_the_codes_that_the_store_gives_them(stub: ObjectStoreStub) -> None:
    stub.faults = [Fault(effect=Effect.ACCESS_DENIED)]
    with pytest.raises(PermissionDeniedError, match=stub.dialect.access_denied.code):
        await create(client(type(stub), stub.url))


async def test_an_archived_blob_can_be_looked_at_but_not_read() -> None:
    async with AzureStub() as stub:
        store = client(AzureStub, stub.url)
        await create(store)
        stub.faults = [Fault(effect=Effect.ARCHIVED)]
        assert (await obstore.head_async(store, KEY))["size"] == len(BODY)
        with pytest.raises(AlreadyExistsError, match="BlobArchived"):  # obstore's error for any 409
            await obstore.get_async(store, KEY)


@pytest.mark.parametrize(("module", "kind"), [("stubs.gcs", GCSStub), ("stubs.azure", AzureStub)])
async def test_it_runs_as_a_process_of_its_own(module: str, kind: type[ObjectStoreStub]) -> None:
    with process(module) as url:
        await create(client(kind, url))
