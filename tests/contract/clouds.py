"""Stubs of object stores as fixtures, and Google's and Azure's as rows of the archive's contract."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest

from checkpoint.archive.adapters import open_archive, open_listed_store
from stubs.azure import AzureStub
from stubs.gcs import GCSStub
from stubs.object_store import ObjectStoreStub, StoredObject
from stubs.s3 import S3Stub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from checkpoint.archive.archive import Archive
    from checkpoint.archive.port import ListedStore

SCHEMES: Final[dict[type[ObjectStoreStub], str]] = {S3Stub: "s3", GCSStub: "gs", AzureStub: "az"}
ENDPOINTS: Final = ("AWS_ENDPOINT_URL", "GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT")
PREFIXES: Final = ("AWS_", "AZURE_", "GCE_", "GOOGLE_", "IDENTITY_", "MSI_")


class Cloud:
    """A row of the contract: a place for an archive, and a look at its objects past the adapter."""

    many = 1010

    def __init__(self, stub: ObjectStoreStub) -> None:
        self.stub = stub
        self.url = f"{SCHEMES[type(stub)]}://{stub.bucket}/e-mails"

    def open(self) -> AbstractAsyncContextManager[Archive]:
        return open_archive(self.url)

    @asynccontextmanager
    async def open_out_of_reach(self) -> AsyncIterator[Archive]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ENDPOINTS:
                patch.setenv(name, "http://127.0.0.1:9")
            async with self.open() as archive:
                yield archive

    def open_listed(self) -> AbstractAsyncContextManager[ListedStore]:
        return open_listed_store(self.url)

    @asynccontextmanager
    async def open_listed_out_of_reach(self) -> AsyncIterator[ListedStore]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ENDPOINTS:
                patch.setenv(name, "http://127.0.0.1:9")
            async with self.open_listed() as store:
                yield store

    def objects(self) -> dict[str, bytes]:
        return {key.removeprefix("e-mails/"): stored.body for key, stored in self.stub.objects.items()}

    def plant(self, name: str, body: bytes) -> None:
        self.stub.objects[f"e-mails/{name}"] = StoredObject(body)


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No variable and no file of this machine's names a store, or credentials for one; to set variables in."""
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", os.devnull)  # Google's credentials may stand below it
    return monkeypatch


async def serving(stub: ObjectStoreStub, environment: pytest.MonkeyPatch) -> AsyncIterator[ObjectStoreStub]:
    """The stub while it serves, with this process's environment pointing to it."""
    async with stub:
        for name, value in stub.environment.items():
            environment.setenv(name, value)
        yield stub


@pytest.fixture
async def gcs(bare_environment: pytest.MonkeyPatch) -> AsyncIterator[ObjectStoreStub]:
    async for stub in serving(GCSStub(), bare_environment):
        yield stub


@pytest.fixture
async def azure(bare_environment: pytest.MonkeyPatch) -> AsyncIterator[ObjectStoreStub]:
    async for stub in serving(AzureStub(), bare_environment):
        yield stub


@pytest.fixture(params=SCHEMES, ids=[*SCHEMES.values()])
async def stub(request: pytest.FixtureRequest, bare_environment: pytest.MonkeyPatch) -> AsyncIterator[ObjectStoreStub]:
    """Each store that is reached over HTTP, with faults that a test switches on."""
    async for each in serving(request.param(), bare_environment):
        yield each
