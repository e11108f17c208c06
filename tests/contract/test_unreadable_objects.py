"""A name that is held by what cannot be read: the object's own fault, or never an e-mail at all; never an outage."""

from __future__ import annotations

import os
import socket
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive.adapters import open_archive
from checkpoint.archive.archive import PutResult
from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from emails import email
from stubs.object_store import Effect, Fault, StoredObject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from checkpoint.archive.archive import Archive
    from stubs.s3 import S3Stub

PLAIN, LONGER, _ = email().names


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Archive]:
    async with open_archive(tmp_path.as_uri()) as archive:
        yield archive


async def test_in_an_archived_class_an_email_is_found_without_a_read(s3: S3Stub, bucket: Archive) -> None:
    await bucket.put(email())
    s3.faults.append(Fault(effect=Effect.ARCHIVED))
    assert await bucket.put(email()) == PutResult(PLAIN, created=False)
    assert [request for request in s3.requests if request.method == "GET"] == []


async def test_in_an_archived_class_another_email_is_told_apart_without_a_read(s3: S3Stub, bucket: Archive) -> None:
    s3.objects[PLAIN] = StoredObject(email("other").body, {"sha256": email("other").identity})
    s3.faults.append(Fault(effect=Effect.ARCHIVED))
    assert await bucket.put(email()) == PutResult(LONGER, created=True)
    assert [request for request in s3.requests if request.method == "GET"] == []


@pytest.mark.parametrize("effect", [Effect.ARCHIVED, Effect.NO_METADATA])
async def test_without_metadata_an_email_is_found_by_its_size_and_an_etag_that_is_its_md5(
    s3: S3Stub, bucket: Archive, effect: Effect
) -> None:
    s3.objects[PLAIN] = StoredObject(email().body)
    s3.faults.append(Fault(effect=effect))
    assert await bucket.put(email()) == PutResult(PLAIN, created=False)
    assert [request for request in s3.requests if request.method == "GET"] == []


@pytest.mark.parametrize("held", [email().body, b"x" * len(email().body)], ids=["the same", "others"])
async def test_bytes_of_an_archived_class_that_nothing_tells_make_that_object_unreadable(
    s3: S3Stub, bucket: Archive, held: bytes
) -> None:
    s3.objects[PLAIN] = StoredObject(held)
    s3.faults += [Fault(effect=Effect.ARCHIVED), Fault(effect=Effect.ETAG_NOT_MD5)]
    with pytest.raises(ObjectUnreadableError, match="InvalidObjectState") as caught:
        await bucket.put(email())
    assert caught.value.name == PLAIN
    assert list(s3.objects) == [PLAIN]


async def test_a_denied_read_is_an_outage_and_not_the_objects_fault(s3: S3Stub, bucket: Archive) -> None:
    s3.objects[PLAIN] = StoredObject(b"x" * len(email().body))
    for method in ("GET", "HEAD"):
        s3.faults[:] = [Fault(effect=Effect.ACCESS_DENIED, method=method)]
        with pytest.raises(ArchiveUnavailableError):
            await bucket.put(email())
    assert list(s3.objects) == [PLAIN]


async def test_an_object_says_its_sha256_in_its_metadata(s3: S3Stub, bucket: Archive) -> None:
    await bucket.put(email())
    assert s3.objects[PLAIN].metadata == {"sha256": sha256(email().body).hexdigest()}


async def test_a_directory_of_that_name_was_never_an_email_so_the_next_name_is_taken(
    tmp_path: Path, files: Archive
) -> None:
    (tmp_path / PLAIN).mkdir()
    assert await files.put(email()) == PutResult(LONGER, created=True)
    assert await files.put(email()) == PutResult(LONGER, created=False)


@pytest.mark.parametrize("target", ["nowhere", "a file/below it", PLAIN], ids=["dangling", "below a file", "loop"])
async def test_a_link_that_leads_nowhere_makes_that_object_unreadable(
    tmp_path: Path, files: Archive, target: str
) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / PLAIN).symlink_to(target)
    with pytest.raises(ObjectUnreadableError, match="remove it") as caught:
        await files.put(email())
    assert caught.value.name == PLAIN
    (tmp_path / PLAIN).unlink()
    assert await files.put(email()) == PutResult(PLAIN, created=True)


async def test_a_named_pipe_of_that_name_holds_nobody_up(tmp_path: Path, files: Archive) -> None:
    os.mkfifo(tmp_path / PLAIN)
    assert await files.put(email()) == PutResult(LONGER, created=True)


async def test_a_socket_of_that_name_was_never_an_email_either(
    tmp_path: Path, files: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(PLAIN)
        assert await files.put(email()) == PutResult(LONGER, created=True)


async def test_an_archive_that_is_a_file_is_an_outage(tmp_path: Path) -> None:
    async with open_archive((tmp_path / "archive").as_uri()) as archive:
        (tmp_path / "archive").touch()
        with pytest.raises(ArchiveUnavailableError):
            await archive.put(email())


async def test_a_file_of_another_length_is_not_read_into_memory(tmp_path: Path, files: Archive) -> None:
    with (tmp_path / PLAIN).open("wb") as huge:
        huge.truncate(1 << 40)
    assert await files.put(email()) == PutResult(LONGER, created=True)
