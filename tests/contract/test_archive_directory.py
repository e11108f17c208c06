"""A directory of an archive: a first start just works, and nothing is ever written where its volume is missing."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import threading
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive.adapters import open_archive
from checkpoint.archive.directory import Directory
from checkpoint.archive.port import ArchiveUnavailableError
from emails import email

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import NoReturn

PLAIN = "sqs_message_1706213694.json"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Empty, as somebody has just made it."""
    directory = tmp_path / "archive"
    directory.mkdir()
    return directory


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    return tmp_path / ".archive.checkpoint"


def marker(directory: Path) -> Path:
    return directory / ".staging" / "archive-id"


async def put(directory: Path, content: str = "Your Content", *, timestream: str = "1706213694") -> bool:
    """Put an e-mail by a broker that has just started; whether its object is new."""
    async with open_archive(directory.as_uri()) as archive:
        await archive.probe()
        return (await archive.put(email(content, timestream=timestream))).created


async def refused(directory: Path) -> str:
    """Why a broker that has just started waits; also a put would write nothing."""
    before = files_below(directory)
    async with open_archive(directory.as_uri()) as archive:
        with pytest.raises(ArchiveUnavailableError):
            await archive.put(email("refused"))
        with pytest.raises(ArchiveUnavailableError) as caught:
            await archive.probe()
    assert files_below(directory) == before
    return str(caught.value)


def files_below(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*"))


def replace_by_an_empty_one(directory: Path) -> Path:
    """What an unmount leaves, without the right to mount: the archive is elsewhere, and an empty directory here."""
    elsewhere = directory.with_name("elsewhere")
    directory.rename(elsewhere)
    directory.mkdir()
    return elsewhere


def bring_back(directory: Path, elsewhere: Path) -> None:
    shutil.rmtree(directory)
    elsewhere.rename(directory)


async def test_threads_that_open_it_at_once_make_its_files_once(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []

    def sync(of: Path) -> None:
        synced.append(of)
        time.sleep(0.05)  # a slow disk: the other threads get as far as they can

    monkeypatch.setattr("checkpoint.archive.directory.sync_directory", sync)
    opened = Directory(directory)
    barrier = threading.Barrier(4)

    def open_it() -> None:
        barrier.wait()
        with opened.open():
            pass

    await asyncio.gather(*(asyncio.to_thread(open_it) for _ in range(4)))
    assert synced == [directory.parent]


async def test_a_first_start_in_an_empty_directory_needs_no_other_step(directory: Path) -> None:
    assert await put(directory)
    assert [path.name for path in directory.iterdir() if path.is_file()] == [PLAIN]
    assert [path.name for path in (directory / ".staging").iterdir()] == ["archive-id"]


async def test_a_later_start_finds_its_archive(directory: Path) -> None:
    assert await put(directory)
    assert not await put(directory)


async def test_an_archive_of_a_version_without_a_marker_is_taken_as_it_is(directory: Path) -> None:
    (directory / PLAIN).write_bytes(email().body)
    (directory / ".staging").mkdir()
    assert not await put(directory)
    assert await put(directory, timestream="2")


async def test_brokers_that_start_at_once_agree_on_one_archive(directory: Path, beside: Path) -> None:
    async with AsyncExitStack() as opened:
        archives = [await opened.enter_async_context(open_archive(directory.as_uri())) for _ in range(8)]
        await asyncio.gather(*(archive.probe() for archive in archives))
        for number, archive in enumerate(archives):
            assert (await archive.put(email(timestream=str(number)))).created
    assert beside.read_text().splitlines()[0] == marker(directory).read_text().splitlines()[0]
    assert [path.name for path in (directory / ".staging").iterdir()] == ["archive-id"]
    assert sorted(path.name for path in directory.parent.iterdir()) == [".archive.checkpoint", "archive"]


async def test_a_directory_that_is_missing_is_not_made_and_the_way_out_is_told(tmp_path: Path) -> None:
    said = await refused(tmp_path / "archive")
    assert said == (f"ENOENT: No such file or directory ({tmp_path}/archive): make the directory, or mount its volume")
    assert list(tmp_path.iterdir()) == []


async def test_a_directory_that_is_made_while_the_broker_waits_is_used(tmp_path: Path) -> None:
    async with open_archive((tmp_path / "archive").as_uri()) as archive:
        with pytest.raises(ArchiveUnavailableError):
            await archive.probe()
        (tmp_path / "archive").mkdir()
        await archive.probe()
        assert (await archive.put(email())).created


async def test_the_default_directory_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert await put(tmp_path / "data" / "archive")


async def test_the_default_directory_is_made_again_for_who_removed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "data" / "archive"
    await put(directory)
    shutil.rmtree(directory)
    assert await put(directory)
    assert not await put(directory)


async def test_the_default_directory_is_not_made_where_a_broker_that_runs_had_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "data" / "archive"
    async with open_archive(directory.as_uri()) as archive:
        await archive.put(email())
        directory.rename(tmp_path / "elsewhere")
        with pytest.raises(ArchiveUnavailableError, match="ENOENT"):
            await archive.put(email("second"))
        assert not directory.exists()
        (tmp_path / "elsewhere").rename(directory)
        assert (await archive.put(email("second"))).created


async def test_the_default_directory_that_is_a_lost_mount_is_waited_for_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "data" / "archive"
    await put(directory)
    replace_by_an_empty_one(directory)
    assert "mount its volume" in await refused(directory)


async def test_a_start_on_a_lost_mount_writes_nothing_and_tells_both_ways_out(directory: Path, beside: Path) -> None:
    await put(directory)
    elsewhere = replace_by_an_empty_one(directory)
    assert await refused(directory) == (
        f"{directory} does not hold its archive: mount its volume. "
        f"If the archive was moved or emptied on purpose, remove {beside}."
    )
    bring_back(directory, elsewhere)
    assert not await put(directory)


async def test_a_start_on_the_volume_of_another_archive_writes_nothing(tmp_path: Path, directory: Path) -> None:
    await put(directory)
    replace_by_an_empty_one(directory).rename(tmp_path / "first")
    other = tmp_path / "other"
    other.mkdir()
    await put(other, "of the other")
    directory.rmdir()
    other.rename(directory)
    assert "mount its volume" in await refused(directory)


async def test_an_archive_that_was_emptied_on_purpose_begins_anew_once_that_is_said(
    directory: Path, beside: Path
) -> None:
    async with open_archive(directory.as_uri()) as archive:
        await archive.put(email())
        shutil.rmtree(directory)
        directory.mkdir()
        with pytest.raises(ArchiveUnavailableError):
            await archive.put(email())
        beside.unlink()
        assert (await archive.put(email())).created
    assert not await put(directory)


async def test_an_archive_that_came_from_another_machine_is_taken_and_remembered(directory: Path, beside: Path) -> None:
    await put(directory)
    beside.unlink()
    assert not await put(directory)
    assert beside.exists()


async def test_where_nothing_can_be_written_beside_the_archive_it_is_used_and_a_lost_mount_is_still_seen(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = os.open

    def read_only(path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_CREAT and str(path).startswith(str(tmp_path)):
            raise OSError(errno.EROFS, "Read-only file system")
        return opens(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", read_only)
    async with open_archive(directory.as_uri()) as archive:
        assert (await archive.put(email())).created
        elsewhere = replace_by_an_empty_one(directory)
        with pytest.raises(ArchiveUnavailableError, match=r"If .* on purpose, start the broker again"):
            await archive.put(email("second"))
        assert list(directory.iterdir()) == []
        bring_back(directory, elsewhere)
        assert (await archive.put(email("second"))).created


async def test_while_running_nothing_is_written_where_the_volume_is_missing_and_all_goes_on_when_it_is_back(
    directory: Path,
) -> None:
    async with open_archive(directory.as_uri()) as archive:
        await archive.put(email())
        elsewhere = replace_by_an_empty_one(directory)
        for _ in range(2):
            with pytest.raises(ArchiveUnavailableError, match="mount its volume"):
                await archive.put(email("second"))
        assert list(directory.iterdir()) == []
        bring_back(directory, elsewhere)
        assert (await archive.put(email("second"))).created


async def test_what_lies_under_a_lost_mount_is_not_compared_with_either(directory: Path) -> None:
    async with open_archive(directory.as_uri()) as archive:
        await archive.put(email("first"))
        replace_by_an_empty_one(directory)
        (directory / ".staging").mkdir()
        (directory / PLAIN).write_bytes(email().body)
        with pytest.raises(ArchiveUnavailableError):
            await archive.put(email())


async def test_a_file_in_place_of_the_directory_is_waited_out(directory: Path) -> None:
    directory.rmdir()
    directory.touch()
    async with open_archive(directory.as_uri()) as archive:
        with pytest.raises(ArchiveUnavailableError, match=r"ENOTDIR.*: a directory must be there"):
            await archive.probe()
        directory.unlink()
        directory.mkdir()
        await archive.probe()


async def test_a_directory_without_permission_is_waited_out(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    async with open_archive(directory.as_uri()) as archive:
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", denied)
            with pytest.raises(ArchiveUnavailableError, match=r"EACCES.*: give the broker's user the right"):
                await archive.probe()
        await archive.probe()


async def test_a_probe_leaves_nothing_behind(directory: Path) -> None:
    async with open_archive(directory.as_uri()) as archive:
        await archive.probe()
        before = files_below(directory)
        await archive.probe()
    assert files_below(directory) == before == [directory / ".staging", marker(directory)]


@pytest.mark.parametrize("url", ["file:archive", "file://host/archive", "file:///srv/archive%00"])
async def test_a_url_that_cannot_be_right_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="three slashes"):
        async with open_archive(url):
            pass


class Volume:
    """A volume in memory, and the directory that it is mounted on."""

    def __init__(self, point: Path, kept: Path) -> None:
        self.point = point
        self._kept = kept  # where it stays mounted, as a disk keeps its files while it is not mounted

    def mount(self, *options: str) -> None:
        run("mount", "--bind", str(self._kept), str(self.point))
        if options:
            run("mount", "-o", ",".join(("remount", "bind", *options)), str(self.point))

    def unmount(self) -> None:
        run("umount", "-l", str(self.point))


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def volume(tmp_path: Path, directory: Path, cannot_run: Callable[[str], NoReturn]) -> Iterator[Volume]:
    kept = tmp_path / "kept"
    kept.mkdir()
    try:
        run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(kept))
    except (OSError, subprocess.CalledProcessError):
        cannot_run("This needs the right to mount a file system, as root has it.")
    volume = Volume(directory, kept)
    volume.mount()
    yield volume
    for point in (directory, kept):
        with suppress(subprocess.CalledProcessError):  # a test left it unmounted
            run("umount", "-l", str(point))


async def test_on_a_real_volume_a_start_without_it_waits_and_goes_on_when_it_is_mounted(
    volume: Volume, directory: Path
) -> None:
    assert await put(directory)
    volume.unmount()
    assert "mount its volume" in await refused(directory)
    assert list(directory.iterdir()) == []
    volume.mount()
    assert not await put(directory)


async def test_on_a_real_volume_that_goes_away_while_running_nothing_is_written_below_it(
    volume: Volume, directory: Path
) -> None:
    async with open_archive(directory.as_uri()) as archive:
        await archive.put(email())
        volume.unmount()
        with pytest.raises(ArchiveUnavailableError, match="mount its volume"):
            await archive.put(email("second"))
        assert list(directory.iterdir()) == []
        volume.mount()
        assert (await archive.put(email("second"))).created


@pytest.mark.parametrize("is_first_start", [True, False])
async def test_a_read_only_volume_is_waited_out(volume: Volume, directory: Path, *, is_first_start: bool) -> None:
    if not is_first_start:
        await put(directory)
    volume.unmount()
    volume.mount("ro")
    assert "EROFS" in await refused(directory)
    volume.unmount()
    volume.mount()
    assert await put(directory, "second")


async def test_a_full_volume_shows_before_the_first_message(volume: Volume, directory: Path) -> None:
    await put(directory)
    with pytest.raises(OSError, match="No space"):
        (directory / "filler").write_bytes(b"x" * 2 * 1024 * 1024)
    async with open_archive(directory.as_uri()) as archive:
        with pytest.raises(ArchiveUnavailableError, match=r"ENOSPC.*: make room there"):
            await archive.probe()
        (directory / "filler").unlink()
        await archive.probe()
    assert volume.point == directory
