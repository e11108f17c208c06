"""Each failure has a code, for a metric: few words that the system, SQLite, SQS or S3 have for it. And what is free."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from checkpoint.archive.directory import Directory
from checkpoint.archive.local_files import LocalFiles
from checkpoint.archive.object_store import _unavailable
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.message_queue.port import LocalQueue, QueueUnavailableError
from checkpoint.message_queue.sqs.calls import confirmed

if TYPE_CHECKING:
    from pathlib import Path

    from contract.queues import SQLite


async def test_a_file_that_is_no_database_is_told_by_sqlites_name_for_it(sqlite: SQLite) -> None:
    sqlite.path.write_bytes(b"no database" * 1000)
    async with sqlite.open() as (sending, _):
        with pytest.raises(QueueUnavailableError) as raised:
            await sending.send([b"x"])
    assert raised.value.code == "SQLITE_NOTADB"


async def test_a_directory_that_is_none_is_told_by_the_systems_name_for_it(sqlite: SQLite) -> None:
    directory = sqlite.path.parent
    shutil.rmtree(directory)
    directory.write_bytes(b"")
    async with sqlite.open() as (sending, _):
        with pytest.raises(QueueUnavailableError) as raised:
            await sending.send([b"x"])
    assert raised.value.code in {"ENOTDIR", "EEXIST"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "content"}}, "SendMessage"), "AccessDenied"),
        (ConnectionRefusedError("content"), "ConnectionRefusedError"),
    ],
)
async def test_a_failure_of_sqs_is_told_by_its_code_or_its_type(error: Exception, code: str) -> None:
    async def fail() -> None:
        raise error

    with pytest.raises(QueueUnavailableError) as raised:
        await confirmed("SendMessageBatch", fail())
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("… status code: 503 Service Unavailable: <Error><Code>SlowDown</Code></Error>", "SlowDown"),
        ("… status code: 502 Bad Gateway: <html>content</html>", "http_502"),
        ("error sending request for url", "OSError"),
    ],
)
def test_a_failure_of_an_object_store_is_told_by_its_code_its_status_or_its_type(text: str, code: str) -> None:
    assert _unavailable(OSError(text)).code == code


async def test_an_archive_that_is_no_directory_is_told_by_the_systems_name_for_it(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"")
    with pytest.raises(ArchiveUnavailableError) as raised:
        await LocalFiles(Directory(tmp_path / "archive")).create("name", b"x", sha256="")
    assert raised.value.code == "ENOTDIR"


async def test_what_is_on_a_local_volume_tells_what_is_free_there(sqlite: SQLite, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    volume = os.statvfs(tmp_path)
    free = pytest.approx(volume.f_bavail * volume.f_frsize, rel=0.5)
    archive = LocalFiles(Directory(tmp_path / "archive"))
    assert archive.free_bytes() == free
    assert archive.free_inodes() == (pytest.approx(volume.f_favail, rel=0.5) if volume.f_files else None)
    async with sqlite.open() as halves:
        for half in halves:
            assert isinstance(half, LocalQueue)
            assert half.free_bytes() == free


def test_a_file_system_that_makes_inodes_as_it_needs_them_is_not_said_to_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = os.statvfs_result((4096, 4096, 9, 9, 9, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: told)
    assert LocalFiles(Directory(tmp_path)).free_inodes() is None
    assert LocalFiles(Directory(tmp_path)).free_bytes() == 9 * 4096
