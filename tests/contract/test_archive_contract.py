"""One suite over every archive: files, memory, S3. What was put is looked at past the adapter."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import obstore
import pytest
from obstore.store import MemoryStore

from checkpoint.archive.adapters import open_archive
from checkpoint.archive.archive import Archive, NamesTakenError, PutResult
from checkpoint.archive.object_store import ObstoreObjects
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.email import MAX_BODY_BYTES
from emails import email

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from emulator import Emulator

PLAIN = "sqs_message_1706213694.json"


class Shelf(Protocol):
    """A place for an archive, and a look at its objects past the adapter."""

    def open(self) -> AbstractAsyncContextManager[Archive]: ...
    def objects(self) -> dict[str, bytes]: ...
    def plant(self, name: str, body: bytes) -> None: ...


class Files:
    def __init__(self, directory: Path) -> None:
        self.directory = directory / "the archive"
        self.url = self.directory.as_uri()

    def open(self) -> AbstractAsyncContextManager[Archive]:
        return open_archive(self.url)

    def objects(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.directory.glob("*.json")}

    def plant(self, name: str, body: bytes) -> None:
        (self.directory / name).write_bytes(body)


class Memory:
    def __init__(self) -> None:
        self.store = MemoryStore()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Archive]:
        yield Archive(ObstoreObjects(self.store))

    def objects(self) -> dict[str, bytes]:
        names = [each["path"] for page in obstore.list(self.store) for each in page]
        return {name: bytes(obstore.get(self.store, name).bytes()) for name in names}

    def plant(self, name: str, body: bytes) -> None:
        obstore.put(self.store, name, body)


class Bucket:
    def __init__(self, aws: Emulator) -> None:
        self.s3 = aws.s3
        self.name = f"bucket-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.name)

    def open(self) -> AbstractAsyncContextManager[Archive]:
        return open_archive(f"s3://{self.name}/e-mails")

    def objects(self) -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {
            each["Key"].removeprefix("e-mails/"): self.s3.get_object(Bucket=self.name, Key=each["Key"])["Body"].read()
            for each in listed
        }

    def plant(self, name: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=f"e-mails/{name}", Body=body)


@pytest.fixture(params=["files", "memory", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    match request.param:
        case "files":
            return Files(tmp_path)
        case "memory":
            return Memory()
        case _:
            return Bucket(request.getfixturevalue("aws"))


async def test_the_first_email_of_a_timestream_has_the_plain_name_and_exactly_its_bytes(shelf: Shelf) -> None:
    async with shelf.open() as archive:
        assert await archive.put(email()) == PutResult(PLAIN, created=True)
    assert shelf.objects() == {PLAIN: email().body}


async def test_another_email_of_the_same_timestream_has_the_longer_name_and_the_first_is_untouched(
    shelf: Shelf,
) -> None:
    first, other = email("first"), email("other")
    longer = f"sqs_message_1706213694_{other.identity[:16]}.json"
    async with shelf.open() as archive:
        await archive.put(first)
        assert await archive.put(other) == PutResult(longer, created=True)
    assert shelf.objects() == {PLAIN: first.body, longer: other.body}


async def test_an_email_put_again_is_found_whatever_name_it_has(shelf: Shelf) -> None:
    emails = [email("first"), email("second"), email("third")]
    async with shelf.open() as archive:
        first = [await archive.put(each) for each in emails]
        again = [await archive.put(each) for each in emails]
    assert [each.name for each in again] == [each.name for each in first]
    assert [each.created for each in again] == [False] * 3
    assert len(shelf.objects()) == 3


async def test_an_email_put_again_by_a_program_that_remembers_nothing_is_found(shelf: Shelf) -> None:
    emails = [email("first"), email("second"), email("third")]
    for order in (emails, emails[::-1], emails):
        async with shelf.open() as archive:
            for each in order:
                await archive.put(each)
    assert sorted(shelf.objects().values()) == sorted(each.body for each in emails)


async def test_many_at_once_by_several_programs_each_leave_one_object(shelf: Shelf) -> None:
    emails = [email(f"{number} é \U0001f600", timestream=str(170 + number % 3)) for number in range(40)]
    async with shelf.open() as one, shelf.open() as two:
        for _ in range(50):  # S3 may answer "taken" while the first put is under way: then it is tried again
            outcomes = await asyncio.gather(
                *(archive.put(each) for archive in (one, two) for each in emails), return_exceptions=True
            )
            if not any(isinstance(outcome, BaseException) for outcome in outcomes):
                break
        else:
            pytest.fail(f"never all put: {outcomes}")
    objects = shelf.objects()
    assert sorted(objects.values()) == sorted(each.body for each in emails)
    assert {"sqs_message_170.json", "sqs_message_171.json", "sqs_message_172.json"} < set(objects)


async def test_an_email_of_the_largest_size_is_put_whole(shelf: Shelf) -> None:
    largest = email("x" * (MAX_BODY_BYTES - len(email("x").body) + 1))
    async with shelf.open() as archive:
        await archive.put(largest)
        assert not (await archive.put(largest)).created
    assert len(shelf.objects()[PLAIN]) == MAX_BODY_BYTES


@pytest.mark.parametrize("foreign", [b"", b"torn", b"x" * (MAX_BODY_BYTES + 1)], ids=["empty", "torn", "huge"])
async def test_an_object_of_somebody_else_under_the_plain_name_is_never_overwritten(
    shelf: Shelf, foreign: bytes
) -> None:
    async with shelf.open() as archive:
        shelf.plant(PLAIN, foreign)
        result = await archive.put(email())
        assert (await archive.put(email())) == PutResult(result.name, created=False)
    assert result.name == f"sqs_message_1706213694_{email().identity[:16]}.json"
    assert shelf.objects() == {PLAIN: foreign, result.name: email().body}


async def test_a_collision_of_the_short_identity_costs_no_email(shelf: Shelf) -> None:
    plain, short, full = email().names
    async with shelf.open() as archive:
        shelf.plant(plain, b"another")
        shelf.plant(short, b"one with the same 16 digits")
        assert await archive.put(email()) == PutResult(full, created=True)
        assert await archive.put(email()) == PutResult(full, created=False)
    assert shelf.objects()[full] == email().body


async def test_an_email_with_all_its_names_taken_is_told_apart_from_an_outage(shelf: Shelf) -> None:
    async with shelf.open() as archive:
        for name in email().names:
            shelf.plant(name, b"foreign")
        with pytest.raises(NamesTakenError):
            await archive.put(email())


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
        ("file:data/archive", "three slashes"),
        ("file://data/archive", "three slashes"),
    ],
)
async def test_a_url_that_names_no_archive_is_refused_with_the_way_out(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        async with open_archive(url):
            pass
