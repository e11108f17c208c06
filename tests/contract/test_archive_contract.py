"""What every archive must do, over every store of Checkpoint's, and what they promise beyond it."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import obstore
import pytest
from obstore.store import MemoryStore, S3Store

from checkpoint.archive.adapters import open_archive, open_listed_store
from checkpoint.archive.archive import Archive
from checkpoint.archive.object_store import ObstoreObjects
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.archive.timeouts import RETRIES
from checkpoint.testing.archive.contract import ArchiveContract, ListedStoreContract
from checkpoint.testing.archive.under_test import email
from contract.clouds import Cloud
from objects import ListedObjects, MemoryObjects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from checkpoint.archive.port import ListedStore
    from checkpoint.testing.archive.under_test import ListedUnderTest
    from emulator import Emulator


class Files:
    many = 1010

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "the archive"
        self.directory.mkdir()
        self.url = self.directory.as_uri()

    def open(self) -> AbstractAsyncContextManager[Archive]:
        return open_archive(self.url)

    @asynccontextmanager
    async def open_out_of_reach(self) -> AsyncIterator[Archive]:
        async with self.open() as archive:
            self.directory.rename(self.directory.with_name("elsewhere"))
            yield archive

    def open_listed(self) -> AbstractAsyncContextManager[ListedStore]:
        return open_listed_store(self.url)

    def open_listed_out_of_reach(self) -> AbstractAsyncContextManager[ListedStore]:
        self.directory.rename(self.directory.with_name("elsewhere"))
        return self.open_listed()

    def objects(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.directory.glob("*.json")}

    def plant(self, name: str, body: bytes) -> None:
        (self.directory / name).write_bytes(body)


class Fake:
    """The store of the unit tests, so that what they show holds for the others too."""

    many = 3

    def __init__(self) -> None:
        self.store = MemoryObjects()
        self.listed = ListedObjects(self.store.objects)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Archive]:
        yield Archive(self.store)

    def open_out_of_reach(self) -> AbstractAsyncContextManager[Archive]:
        self.store.unavailable = "out of reach"
        return self.open()

    @asynccontextmanager
    async def open_listed(self) -> AsyncIterator[ListedStore]:
        yield self.listed

    def open_listed_out_of_reach(self) -> AbstractAsyncContextManager[ListedStore]:
        self.listed.unavailable = "out of reach"
        return self.open_listed()

    def objects(self) -> dict[str, bytes]:
        return self.store.objects

    def plant(self, name: str, body: bytes) -> None:
        self.store.objects[name] = body


class Memory:
    many = 1010

    def __init__(self) -> None:
        self.store = MemoryStore()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Archive]:
        yield Archive(ObstoreObjects(self.store))

    @asynccontextmanager
    async def open_out_of_reach(self) -> AsyncIterator[Archive]:
        yield Archive(self.out_of_reach())

    @asynccontextmanager
    async def open_listed(self) -> AsyncIterator[ListedStore]:
        yield ObstoreObjects(self.store)

    @asynccontextmanager
    async def open_listed_out_of_reach(self) -> AsyncIterator[ListedStore]:
        yield self.out_of_reach()

    @staticmethod
    def out_of_reach() -> ObstoreObjects:
        """Memory is always within reach, so this is another of obstore's stores."""
        no_port = S3Store(
            "none",
            endpoint="http://127.0.0.1:9",
            skip_signature=True,
            client_options={"allow_http": True},
            retry_config=RETRIES,
        )
        return ObstoreObjects(no_port)

    def objects(self) -> dict[str, bytes]:
        names = [each["path"] for page in obstore.list(self.store) for each in page]
        return {name: bytes(obstore.get(self.store, name).bytes()) for name in names}

    def plant(self, name: str, body: bytes) -> None:
        obstore.put(self.store, name, body)


class Bucket:
    many = 30  # the emulator takes its time; the stubs have pages

    def __init__(self, aws: Emulator) -> None:
        self.s3 = aws.s3
        self.name = f"bucket-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.name)

    def open(self) -> AbstractAsyncContextManager[Archive]:
        return open_archive(f"s3://{self.name}/e-mails")

    @asynccontextmanager
    async def open_out_of_reach(self) -> AsyncIterator[Archive]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            async with self.open() as archive:
                yield archive

    def open_listed(self) -> AbstractAsyncContextManager[ListedStore]:
        return open_listed_store(f"s3://{self.name}/e-mails")

    @asynccontextmanager
    async def open_listed_out_of_reach(self) -> AsyncIterator[ListedStore]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            async with self.open_listed() as store:
                yield store

    def objects(self) -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {
            each["Key"].removeprefix("e-mails/"): self.s3.get_object(Bucket=self.name, Key=each["Key"])["Body"].read()
            for each in listed
        }

    def plant(self, name: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=f"e-mails/{name}", Body=body)


@pytest.fixture(params=["fake", "files", "memory", "s3", "gs", "az"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> ListedUnderTest:
    """The rows."""
    match request.param:
        case "fake":
            return Fake()
        case "files":
            return Files(tmp_path)
        case "memory":
            return Memory()
        case "gs":
            return Cloud(request.getfixturevalue("gcs"))
        case "az":
            return Cloud(request.getfixturevalue("azure"))
        case _:
            return Bucket(request.getfixturevalue("aws"))


class TestArchive(ArchiveContract):
    pass


class TestListedStore(ListedStoreContract):
    pass


async def test_a_missing_bucket_is_an_outage_with_its_cause_and_ends_when_the_bucket_is_there(aws: Emulator) -> None:
    bucket = Bucket(aws)
    aws.s3.delete_bucket(Bucket=bucket.name)
    async with bucket.open() as archive:
        with pytest.raises(ArchiveUnavailableError, match="NoSuchBucket") as caught:
            await archive.put(email())
        assert "Your" not in str(caught.value)
        aws.s3.create_bucket(Bucket=bucket.name)
        assert (await archive.put(email())).created


async def test_an_endpoint_that_refuses_connections_is_an_outage(
    aws: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket(aws)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    async with bucket.open() as archive:
        with pytest.raises(ArchiveUnavailableError):
            await archive.put(email())


async def test_missing_credentials_are_an_outage(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket(aws)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    async with bucket.open() as archive:
        with pytest.raises(ArchiveUnavailableError):
            await archive.put(email())


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://x/y", "one of file, s3, gs, az"),
        ("data/archive", "one of file"),
        ("memory:///", "one of file"),
        ("file:data/archive", "three slashes"),
        ("file://data/archive", "three slashes"),
    ],
)
async def test_a_url_that_names_no_archive_is_refused_with_the_way_out(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        async with open_archive(url):
            pass
