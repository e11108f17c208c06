"""What `--check` asks of each queue and archive: it says whether they could be used, and changes nothing."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import uuid4

import pytest

from checkpoint.archive.adapters import inspect_archive, open_archive
from checkpoint.archive.port import ArchiveUnavailableError
from checkpoint.message_queue.adapters import inspect_receiving, inspect_sending, open_sending
from checkpoint.message_queue.port import NoDeadLetterQueueError, QueueUnavailableError
from emails import email
from stubs.object_store import Effect, Fault
from stubs.s3 import S3Stub

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from emulator import Emulator

    Inspect = Callable[[str], Awaitable[str]]


def tree(directory: Path) -> dict[str, tuple[int, int]]:
    """Everything below it, with sizes and times."""
    found = [*directory.rglob("*"), directory]
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in found}


HALVES: Final = pytest.mark.parametrize("inspect", [inspect_sending, inspect_receiving])


@HALVES
async def test_a_queue_file_that_is_missing_is_made_later(inspect: Inspect, tmp_path: Path) -> None:
    before = tree(tmp_path)
    assert "is made at the first start" in await inspect(f"sqlite:///{tmp_path}/data/deep/queue.db")
    assert tree(tmp_path) == before


@HALVES
async def test_a_queue_file_in_use_is_left_as_it_is(inspect: Inspect, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/queue.db"
    async with open_sending(url) as queue:
        await queue.send([b"body"])
        before = tree(tmp_path)
        assert "can be written to" in await inspect(url)
        assert tree(tmp_path) == before
    before = tree(tmp_path)
    await inspect(url)
    assert tree(tmp_path) == before


@HALVES
async def test_a_queue_file_that_cannot_be_used_is_told(inspect: Inspect, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("A text, and no database.")
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    for path, reason in (
        (tmp_path / "text", "is no database of SQLite"),
        (tmp_path / "text" / "queue.db", "is no directory"),
        (tmp_path, "is no file"),
        (tmp_path / "new.db", "run a newer Checkpoint"),
    ):
        with pytest.raises(QueueUnavailableError, match=reason):
            await inspect(f"sqlite:///{path}")


async def test_a_volume_without_the_reserve_is_full_to_the_sender_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/queue.db?reserve_bytes={2**62}"
    with pytest.raises(QueueUnavailableError, match="is full"):
        await inspect_sending(url)
    await inspect_receiving(url)


async def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write everywhere
    with pytest.raises(QueueUnavailableError, match="this user may not write there"):
        await inspect_sending(f"sqlite:///{tmp_path}/queue.db")
    with pytest.raises(ArchiveUnavailableError, match=r"EACCES.*give the broker's user the right to write there"):
        await inspect_archive(tmp_path.as_uri())


async def test_an_archive_is_looked_at_and_left_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "archive"
    directory.mkdir()
    before = tree(tmp_path)
    assert "can be written to" in await inspect_archive(directory.as_uri())
    assert tree(tmp_path) == before
    async with open_archive(directory.as_uri()) as archive:
        await archive.put(email())
    before = tree(tmp_path)
    assert "can be written to" in await inspect_archive(directory.as_uri())
    assert tree(tmp_path) == before
    directory.rename(tmp_path / "unmounted")
    directory.mkdir()
    with pytest.raises(ArchiveUnavailableError, match="does not hold its archive: mount its volume"):
        await inspect_archive(directory.as_uri())


async def test_only_the_default_directory_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArchiveUnavailableError, match=r"ENOENT.*make the directory, or mount its volume"):
        await inspect_archive((tmp_path / "archive").as_uri())
    assert "is made at the broker's start" in await inspect_archive((tmp_path / "data" / "archive").as_uri())
    (tmp_path / "data").write_text("A file, and so no directory.")
    with pytest.raises(ArchiveUnavailableError, match="ENOTDIR"):
        await inspect_archive((tmp_path / "data" / "archive").as_uri())


class Volume(NamedTuple):
    """What statvfs tells of one that takes no file."""

    reason: str
    f_flag: int = 0
    f_bavail: int = 1
    f_files: int = 9
    f_favail: int = 1


@pytest.mark.parametrize(
    "volume", [Volume("EROFS", f_flag=os.ST_RDONLY), Volume("ENOSPC", f_bavail=0), Volume("ENOSPC", f_favail=0)]
)
async def test_a_volume_that_takes_no_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, volume: Volume
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: volume)
    with pytest.raises(ArchiveUnavailableError, match=volume.reason):
        await inspect_archive(tmp_path.as_uri())


async def test_sqs_is_asked_for_attributes_alone(aws: Emulator) -> None:
    url = aws.sqs.create_queue(QueueName=f"inspected-{uuid4()}")["QueueUrl"]
    assert "SQS answers; the queue takes messages of up to " in await inspect_sending(url)
    with pytest.raises(NoDeadLetterQueueError, match="set a RedrivePolicy on it"):
        await inspect_receiving(url)
    dead = aws.sqs.create_queue(QueueName=f"dead-{uuid4()}")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    assert await inspect_receiving(url) == f"SQS answers; the dead-letter queue is {dead.rpartition('/')[2]}"
    for inspect in (inspect_sending, inspect_receiving):
        with pytest.raises(QueueUnavailableError, match=r"SQS GetQueueAttributes: .*NonExistentQueue"):
            await inspect(f"{url}-missing")
    aws.sqs.delete_queue(QueueUrl=dead)
    with pytest.raises(QueueUnavailableError, match=rf"^the dead-letter queue {dead.rpartition('/')[2]}: SQS Get"):
        await inspect_receiving(url)


async def test_s3_is_asked_for_an_object_that_is_not_there(aws: Emulator) -> None:
    bucket = f"inspected-{uuid4()}"
    with pytest.raises(ArchiveUnavailableError, match="NoSuchBucket"):
        await inspect_archive(f"s3://{bucket}")
    aws.s3.create_bucket(Bucket=bucket)
    assert "the store answers" in await inspect_archive(f"s3://{bucket}/prefix")
    assert aws.s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


async def test_whose_role_may_only_put_and_get_learns_that_s3_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with S3Stub() as s3:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        s3.faults = [Fault(effect=Effect.ACCESS_DENIED)]
        assert "not to who may not list" in await inspect_archive(f"s3://{s3.bucket}")
        s3.faults = [Fault(effect=Effect.SLOW_DOWN)]
        with pytest.raises(ArchiveUnavailableError, match="SlowDown"):
            await inspect_archive(f"s3://{s3.bucket}")
        s3.faults = [Fault(effect=Effect.PORTAL)]
        with pytest.raises(ArchiveUnavailableError, match="not about an object"):
            await inspect_archive(f"s3://{s3.bucket}")


async def test_an_adapter_that_cannot_tell_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Adapter:
        open_store = open_sending = open_receiving = staticmethod(lambda _: None)

    monkeypatch.setattr("checkpoint.adapters.Registry.find", lambda _, url: (Adapter, url))
    assert await inspect_archive("other://x") == "not asked: its adapter cannot tell without a put"
    assert await inspect_sending("other://x") == "not asked: its adapter cannot tell without a message"
