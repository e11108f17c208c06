"""What files on one machine promise beyond the archive's contract: durable before they are visible."""

from __future__ import annotations

import errno
import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive.adapters import open_archive
from checkpoint.archive.port import ArchiveUnavailableError
from emails import email

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "sqs_message_1706213694.json"


@pytest.fixture
def syscalls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The calls that decide about durability, in order, each with the file's name."""
    seen: list[tuple[str, str]] = []
    fsync, link = os.fsync, os.link

    def spy_fsync(descriptor: int) -> None:
        seen.append(("fsync", os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))))  # noqa: PTH115, PTH119
        fsync(descriptor)

    def spy_link(source: Path, target: Path) -> None:
        seen.append(("link", target.name))
        link(source, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "link", spy_link)
    return seen


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="looks at descriptors as Linux shows them")  # noqa: PTH110
async def test_a_file_is_synced_then_linked_then_its_directory_synced(
    tmp_path: Path, syscalls: list[tuple[str, str]]
) -> None:
    async with open_archive(tmp_path.as_uri()) as archive:
        syscalls.clear()
        await archive.put(email())
    staged, linked, directory = syscalls
    assert staged[0] == "fsync"
    assert staged[1].startswith(PLAIN)
    assert linked == ("link", PLAIN)
    assert directory == ("fsync", tmp_path.name)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="looks at descriptors as Linux shows them")  # noqa: PTH110
async def test_an_email_found_archived_is_durable_too_before_its_message_goes(
    tmp_path: Path, syscalls: list[tuple[str, str]]
) -> None:
    async with open_archive(tmp_path.as_uri()) as archive:
        await archive.put(email())
    async with open_archive(tmp_path.as_uri()) as archive:
        syscalls.clear()
        assert not (await archive.put(email())).created
    assert syscalls[-1] == ("fsync", tmp_path.name)


async def test_a_full_disk_is_an_outage_that_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with open_archive(tmp_path.as_uri()) as archive:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(ArchiveUnavailableError, match="ENOSPC"):
                await archive.put(email())
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        assert (await archive.put(email())).created


async def test_a_directory_that_is_replaced_is_an_outage_with_its_cause(tmp_path: Path) -> None:
    async with open_archive((tmp_path / "archive").as_uri()) as archive:
        (tmp_path / "archive").rename(tmp_path / "elsewhere")
        with pytest.raises(ArchiveUnavailableError, match="ENOENT"):
            await archive.put(email())


async def test_a_directory_that_cannot_be_made_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"^(ENOTDIR|EEXIST)"):
        async with open_archive((tmp_path / "file" / "archive").as_uri()):
            pass


async def test_what_a_killed_broker_left_in_staging_is_cleared_but_not_what_another_is_writing(tmp_path: Path) -> None:
    staging = tmp_path / ".staging"
    staging.mkdir()
    (staging / "old").touch()
    os.utime(staging / "old", (0, time.time() - 7200))
    (staging / "fresh").touch()
    async with open_archive(tmp_path.as_uri()):
        assert [path.name for path in staging.iterdir()] == ["fresh"]


async def test_a_directory_that_comes_back_empty_is_used_again(tmp_path: Path) -> None:
    directory = tmp_path / "archive"
    async with open_archive(directory.as_uri()) as archive:
        await archive.put(email())
        shutil.rmtree(directory)
        with pytest.raises(ArchiveUnavailableError):
            await archive.put(email())
        directory.mkdir()
        assert (await archive.put(email())).created


async def test_a_staging_file_that_another_broker_takes_away_meanwhile_stops_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathlib.Path.iterdir", lambda directory: iter([directory / "gone"]))
    async with open_archive(tmp_path.as_uri()) as archive:
        assert (await archive.put(email())).created
