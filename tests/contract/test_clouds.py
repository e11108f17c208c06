"""Google Cloud Storage and Azure Blob Storage, beyond the contract: outages, credentials, settings."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive import timeouts
from checkpoint.archive.adapters import open_archive
from checkpoint.archive.archive import PutResult
from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from contract.clouds import Cloud
from emails import email
from stubs.azure import FEDERATED_TOKEN, AzureStub
from stubs.azure import TOKEN as MANAGED_IDENTITY_TOKEN
from stubs.gcs import TOKEN as METADATA_SERVER_TOKEN
from stubs.object_store import Effect, Fault, ObjectStoreStub, Refusal, StoredObject

if TYPE_CHECKING:
    from pathlib import Path

PLAIN, LONGER, _ = email().names


@pytest.fixture(params=["gcs", "azure"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    return Cloud(request.getfixturevalue(request.param))


async def reason_of_outage(cloud: Cloud) -> str:
    async with cloud.open() as archive:
        with pytest.raises(ArchiveUnavailableError) as caught:
            await archive.put(email())
    reason = str(caught.value)
    assert not any(told in reason for told in ("Your", "Bearer", "SharedKey", "http"))
    return reason


async def test_an_object_says_its_sha256_in_its_metadata_and_is_found_by_its_head(cloud: Cloud) -> None:
    async with cloud.open() as archive:
        await archive.put(email())
        assert await archive.put(email()) == PutResult(PLAIN, created=False)
    assert cloud.stub.objects[f"e-mails/{PLAIN}"].metadata == {"sha256": email().identity}
    looks_after_the_put = ["HEAD"] if isinstance(cloud.stub, AzureStub) else []  # no MD5 says there what it holds
    assert [request.method for request in cloud.stub.requests] == ["PUT", *looks_after_the_put, "PUT", "HEAD"]


async def test_a_missing_bucket_is_an_outage_with_its_cause_and_ends_when_the_bucket_is_there(cloud: Cloud) -> None:
    bucket, cloud.stub.bucket = cloud.stub.bucket, "another"
    assert cloud.stub.dialect.no_bucket.code in await reason_of_outage(cloud)
    cloud.stub.bucket = bucket
    async with cloud.open() as archive:
        assert (await archive.put(email())).created


@pytest.mark.parametrize("effect", [Effect.INTERNAL_ERROR, Effect.SLOW_DOWN, Effect.ACCESS_DENIED])
async def test_a_refusal_is_an_outage_with_the_code_that_the_store_gives(cloud: Cloud, effect: Effect) -> None:
    cloud.stub.faults = [Fault(effect=effect)]
    reason = await reason_of_outage(cloud)
    refusal = getattr(cloud.stub.dialect, effect)
    assert f"{refusal.status} {refusal.code}" in reason
    assert len(cloud.stub.requests) == (1 if effect is Effect.ACCESS_DENIED else 3)  # 5xx is tried twice more


async def test_a_put_that_was_done_and_answered_500_leaves_one_object(cloud: Cloud) -> None:
    cloud.stub.faults = [Fault(effect=Effect.INTERNAL_ERROR_AFTER_STORING, method="PUT", times=1)]
    async with cloud.open() as archive:
        assert await archive.put(email()) == PutResult(PLAIN, created=False)
    assert cloud.objects() == {PLAIN: email().body}


async def test_a_store_that_hangs_is_an_outage_when_the_timeout_is_over(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "_TIMEOUT", "200ms")
    cloud.stub.faults = [Fault(effect=Effect.HANGS)]
    began = time.monotonic()
    assert "timed out" in await reason_of_outage(cloud)
    assert time.monotonic() - began < 5  # the libraries' own timeout is 30 s


async def test_an_endpoint_that_refuses_connections_is_an_outage(cloud: Cloud) -> None:
    async with cloud.open_out_of_reach() as archive:
        with pytest.raises(ArchiveUnavailableError, match="no connection"):
            await archive.put(email())


async def test_an_endpoint_without_encryption_is_used_only_where_its_url_says_so(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT"):
        monkeypatch.setenv(name, cloud.stub.url.replace("http:", "https:"))
    await reason_of_outage(cloud)
    assert cloud.stub.requests == []


async def test_without_credentials_it_is_an_outage_that_names_them(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY", raising=False)
    monkeypatch.setenv("AZURE_MSI_ENDPOINT", "http://127.0.0.1:9/token")
    for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP"):
        monkeypatch.setenv(name, "127.0.0.1:9")
    assert "no access token" in await reason_of_outage(cloud)
    assert cloud.stub.requests == []


@pytest.mark.parametrize(
    ("settings", "presented"),
    [
        ({}, f"Bearer {METADATA_SERVER_TOKEN}"),
        ({"GOOGLE_BEARER_TOKEN": "mine"}, "Bearer mine"),
    ],
    ids=["metadata server", "token"],
)
async def test_google_is_asked_with_the_credentials_that_its_variables_name(
    gcs: ObjectStoreStub, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], presented: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    async with Cloud(gcs).open() as archive:
        await archive.put(email())
    assert gcs.authorizations == [presented]


@pytest.mark.parametrize(
    ("settings", "presented"),
    [
        ({"AZURE_STORAGE_ACCOUNT_KEY": "dGVzdA=="}, "SharedKey account:"),
        ({"AZURE_STORAGE_SAS_TOKEN": "sv=2022-11-02&sig=secret"}, ""),
        ({"AZURE_MSI_ENDPOINT": "{url}/metadata/identity/oauth2/token"}, f"Bearer {MANAGED_IDENTITY_TOKEN}"),
        (
            {
                "AZURE_AUTHORITY_HOST": "{url}",
                "AZURE_CLIENT_ID": "client",
                "AZURE_FEDERATED_TOKEN_FILE": "{file}",
                "AZURE_TENANT_ID": "tenant",
            },
            f"Bearer {FEDERATED_TOKEN}",
        ),
    ],
    ids=["account key", "shared access signature", "managed identity", "workload identity"],
)
async def test_azure_is_asked_with_the_credentials_that_its_variables_name(
    azure: ObjectStoreStub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], presented: str
) -> None:
    (tmp_path / "token").write_text("of the cluster")
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    for name, value in settings.items():
        monkeypatch.setenv(name, value.format(url=azure.url, file=tmp_path / "token"))
    async with Cloud(azure).open() as archive:
        await archive.put(email())
    assert {each[: len(presented)] for each in azure.authorizations} == {presented}


async def test_a_container_that_is_being_deleted_is_an_outage_though_the_status_is_that_of_a_name_taken(
    azure: ObjectStoreStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    being_deleted = replace(AzureStub.dialect, no_bucket=Refusal(409, "ContainerBeingDeleted"))
    monkeypatch.setattr(AzureStub, "dialect", being_deleted)
    cloud = Cloud(azure)
    azure.bucket = "another"
    assert "409 ContainerBeingDeleted" in await reason_of_outage(cloud)


@pytest.mark.parametrize(
    ("held", "expected"),
    [("the first", PutResult(LONGER, created=True)), ("", PutResult(PLAIN, created=False))],
    ids=["another e-mail", "the same"],
)
async def test_in_the_archive_tier_an_email_is_told_by_its_metadata_without_a_read(
    azure: ObjectStoreStub, held: str, expected: PutResult
) -> None:
    holder = email(held) if held else email()
    azure.objects[f"e-mails/{PLAIN}"] = StoredObject(holder.body, {"sha256": holder.identity})
    azure.faults = [Fault(effect=Effect.ARCHIVED)]
    async with Cloud(azure).open() as archive:
        assert await archive.put(email()) == expected
    assert [request for request in azure.requests if request.method == "GET"] == []


async def test_a_blob_of_the_archive_tier_that_nothing_tells_is_unreadable(azure: ObjectStoreStub) -> None:
    azure.objects[f"e-mails/{PLAIN}"] = StoredObject(email().body)
    azure.faults = [Fault(effect=Effect.ARCHIVED)]
    async with Cloud(azure).open() as archive:
        with pytest.raises(ObjectUnreadableError, match="BlobArchived") as caught:
            await archive.put(email())
    assert caught.value.name == PLAIN


GOOGLE_KEY = {"type": "service_account", "client_email": "secret", "private_key": "secret", "private_key_id": "secret"}


@pytest.mark.parametrize(
    ("url", "settings", "reason"),
    [
        ("gs://", {}, "must be gs://bucket or"),
        ("gs:///secret", {}, "must be gs://bucket or"),
        ("gs://user:secret@archive", {}, "must be gs://bucket or"),
        ("gs://archive?secret", {}, "must be gs://bucket or"),
        ("gs://archive", {"GOOGLE_BASE_URL": "secret"}, "GOOGLE_BASE_URL must begin with"),
        ("gs://archive", {"GOOGLE_SERVICE_ACCOUNT": "/secret"}, "cannot be opened"),
        ("gs://archive", {"GOOGLE_APPLICATION_CREDENTIALS": "/secret"}, "cannot be opened"),
        ("gs://archive", {"GOOGLE_SERVICE_ACCOUNT_KEY": '{"client_email": "secret"}'}, "no service account's key"),
        ("gs://archive", {"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(GOOGLE_KEY)}, "private key"),
        ("gs://archive", {"GOOGLE_SERVICE_ACCOUNT": "/secret", "GOOGLE_SERVICE_ACCOUNT_KEY": "{}"}, "not both"),
        ("az://", {}, "must be az://container or"),
        ("az:///secret", {}, "must be az://container or"),
        ("az://user:secret@account.blob.core.windows.net", {}, "must be az://container or"),
        ("az://archive?sig=secret", {}, "must be az://container or"),
        ("az://archive", {}, "AZURE_STORAGE_ACCOUNT_NAME is not set"),
        ("az://archive", {"AZURE_STORAGE_ENDPOINT": "secret"}, "AZURE_STORAGE_ENDPOINT must begin with"),
        ("az://archive", {"AZURE_STORAGE_ACCOUNT_KEY": "secret "}, "AZURE_STORAGE_ACCOUNT_KEY is not Base64"),
        ("az://archive", {"AZURE_STORAGE_SAS_TOKEN": "secret"}, "no shared access signature"),
        ("az://archive", {"AZURE_CREDENTIAL_TYPE": "secret"}, "AZURE_CREDENTIAL_TYPE names no type"),
        ("az://archive", {"AZURE_CREDENTIAL_TYPE": "access_key"}, "AZURE_CREDENTIAL_TYPE asks for"),
    ],
)
async def test_what_cannot_be_opened_is_refused_with_the_way_out_and_without_secrets(
    bare_environment: pytest.MonkeyPatch, url: str, settings: dict[str, str], reason: str
) -> None:
    if settings.keys() - {"AZURE_STORAGE_ENDPOINT"}:
        bare_environment.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    for name, value in settings.items():
        bare_environment.setenv(name, value)
    with pytest.raises(ValueError, match=reason) as caught:
        async with open_archive(url):
            pass
    assert "secret" not in str(caught.value)
