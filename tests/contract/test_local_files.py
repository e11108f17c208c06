"""What files on one machine promise beyond the archive's contract: durable before they are visible."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive.adapters import open_archive
from checkpoint.archive.local_files import open_store
from checkpoint.archive.port import ArchiveUnavailableError
from emails import email
from unit.processing_requests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "sqs_message_1706213694.json"


def files_in(archive: Path) -> list[str]:
    """Its files, and those of its staging area."""
    return [path.name for path in archive.rglob("*") if path.is_file() and path.name != "archive-id"]


def leave(path: Path) -> None:
    """A file that nobody has written to for two hours."""
    path.touch()
    os.utime(path, (0, time.time() - 7200))


@pytest.fixture
def syscalls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The calls that decide about durability, in order, each with the file's name."""
    seen: list[tuple[str, str]] = []
    fsync, link = os.fsync, os.link

    def spy_fsync(descriptor: int) -> None:
        seen.append(("fsync", os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))))  # noqa: PTH115, PTH119
        fsync(descriptor)

    def spy_link(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        seen.append(("link", target))
        link(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "link", spy_link)
    return seen


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="looks at descriptors as Linux shows them")  # noqa: PTH110
async def test_a_file_is_synced_then_linked_then_its_directory_synced(
    tmp_path: Path, syscalls: list[tuple[str, str]]
) -> None:
    async with open_archive(tmp_path.as_uri()) as archive:
        await archive.probe()
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
        await archive.probe()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(ArchiveUnavailableError, match="ENOSPC"):
                await archive.put(email())
        assert files_in(tmp_path) == []
        assert (await archive.put(email())).created


async def test_what_killed_brokers_left_in_staging_is_cleared_but_not_what_another_is_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkpoint.archive.local_files._CLEARING_SECONDS", 0.01)
    staging = tmp_path / ".staging"
    async with open_archive(tmp_path.as_uri()) as archive:
        await archive.probe()
    os.utime(staging / "archive-id", (0, 0))  # as a copy may have it
    (staging / "a directory of somebody's").mkdir()
    leave(staging / "killed before")
    (staging / "fresh").touch()
    async with open_archive(tmp_path.as_uri()) as archive:
        await until(lambda: not (staging / "killed before").exists())
        leave(staging / "killed meanwhile")
        await until(lambda: not (staging / "killed meanwhile").exists())
        assert (await archive.put(email())).created
    assert sorted(files_in(tmp_path)) == ["fresh", PLAIN]


async def test_a_broker_of_an_older_version_does_not_clear_the_marker_as_abandoned(tmp_path: Path) -> None:
    async with open_archive(tmp_path.as_uri()) as archive:
        await archive.probe()
    assert (tmp_path / ".staging" / "archive-id").stat().st_mtime > time.time() + 365 * 86400


async def test_a_writer_that_was_stopped_until_its_staging_file_was_cleared_fails_and_its_email_is_put_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def after_a_long_stop(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        os.unlink(source, dir_fd=src_dir_fd)  # as another broker clears it
        link(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    async with open_archive(tmp_path.as_uri()) as archive:
        await archive.probe()
        with monkeypatch.context() as patch:
            patch.setattr(os, "link", after_a_long_stop)
            with pytest.raises(ArchiveUnavailableError, match="cleared"):
                await archive.put(email())
        assert not (tmp_path / PLAIN).exists()
        assert (await archive.put(email())).created


async def test_a_staging_file_that_is_cleared_when_it_has_its_name_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def then_cleared(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        link(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        os.unlink(source, dir_fd=src_dir_fd)

    async with open_archive(tmp_path.as_uri()) as archive:
        await archive.probe()
        monkeypatch.setattr(os, "link", then_cleared)
        assert (await archive.put(email())).created


async def test_a_staging_file_that_another_broker_takes_away_meanwhile_stops_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.listdir", lambda _: ["gone"])
    async with open_archive(tmp_path.as_uri()) as archive:
        assert (await archive.put(email())).created


async def test_a_name_without_a_file_has_no_holder_and_is_no_outage_of_the_directory(tmp_path: Path) -> None:
    async with open_store(tmp_path.as_uri()) as files:
        assert await files.holder(PLAIN, b"body", sha256="0" * 64) is None
