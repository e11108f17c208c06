"""An archive's directory that is only looked at: nothing is made or cleared there, and a lost volume is no archive."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from checkpoint.archive import listed_files
from checkpoint.archive.adapters import open_archive, open_listed_store
from checkpoint.archive.directory import default_directory
from checkpoint.archive.port import ArchiveUnavailableError, ObjectUnreadableError
from emails import email

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "sqs_message_1706213694.json"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "archive"
    directory.mkdir()
    return directory


async def names(directory: Path) -> set[str]:
    async with open_listed_store(directory.as_uri()) as store:
        return {each.name async for page in store.objects() for each in page}


async def refused(directory: Path) -> str:
    """Why it can be neither listed nor read."""
    async with open_listed_store(directory.as_uri()) as store:
        with pytest.raises(ArchiveUnavailableError):
            await store.read(PLAIN)
    with pytest.raises(ArchiveUnavailableError) as caught:
        await names(directory)
    return str(caught.value)


async def test_a_look_into_a_new_directory_makes_nothing_there_and_nothing_beside_it(directory: Path) -> None:
    assert await names(directory) == set()
    assert list(directory.parent.rglob("*")) == [directory]


async def test_a_missing_directory_is_an_outage_and_is_not_made_not_even_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "ENOENT" in await refused(default_directory())
    assert list(tmp_path.iterdir()) == []


async def test_a_volume_that_is_not_mounted_is_an_outage_and_no_empty_archive(directory: Path) -> None:
    async with open_archive(directory.as_uri()) as archive:
        await archive.put(email())
    directory.rename(directory.with_name("elsewhere"))
    directory.mkdir()
    assert "does not hold its archive: mount its volume" in await refused(directory)
    assert list(directory.iterdir()) == []
    directory.rmdir()
    directory.with_name("elsewhere").rename(directory)
    assert await names(directory) == {PLAIN}


async def test_the_staging_area_is_neither_listed_nor_cleared(directory: Path) -> None:
    async with open_archive(directory.as_uri()) as archive:
        await archive.put(email())
    abandoned = directory / ".staging" / f"{PLAIN}.0123456789abcdef"
    abandoned.touch()
    os.utime(abandoned, (0, 0))
    assert await names(directory) == {PLAIN}
    assert abandoned.exists()


async def test_only_files_are_objects_and_links_that_lead_to_one(directory: Path) -> None:
    (directory / "file").write_bytes(b"bytes")
    (directory / "link").symlink_to("file")
    (directory / "broken").symlink_to("nowhere")
    (directory / "directory").mkdir()
    (directory / "directory" / "below").touch()
    os.mkfifo(directory / "pipe")
    assert await names(directory) == {"file", "link"}
    async with open_listed_store(directory.as_uri()) as store:
        assert await store.read("link") == b"bytes"
        assert await store.read("pipe") == b""
        assert await store.read("below") is None
        with pytest.raises(ObjectUnreadableError, match="broken is a link to a file that is not there"):
            await store.read("broken")


async def test_a_bad_file_harms_no_read_beside_it(directory: Path) -> None:
    (directory / "broken").symlink_to("nowhere")
    (directory / "file").write_bytes(b"bytes")
    async with open_listed_store(directory.as_uri()) as store:
        found = await asyncio.gather(
            *(store.read(name) for name in ["file", "broken", "none"] * 50), return_exceptions=True
        )
    assert found[0::3] == [b"bytes"] * 50
    assert all(isinstance(each, ObjectUnreadableError) for each in found[1::3])
    assert found[2::3] == [None] * 50


async def test_pages_and_steps_are_bounded_however_few_names_are_asked_for(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_files, "_PAGE", 3)
    monkeypatch.setattr(listed_files, "_NAMES_PER_STEP", 5)
    for number in range(20):
        (directory / f"sqs_message_{number}.json").touch()
    async with open_listed_store(directory.as_uri()) as store:
        pages = [page async for page in store.objects()]
        assert sum(map(len, pages)) == 20
        assert max(map(len, pages)) == 3
        assert [each.name async for page in store.objects("sqs_message_7") for each in page] == ["sqs_message_7.json"]


async def test_a_listing_that_is_left_or_cancelled_leaves_no_descriptor_open(directory: Path) -> None:
    for number in range(1500):
        (directory / str(number)).touch()

    async def descriptors() -> int:
        return len(await asyncio.to_thread(os.listdir, "/proc/self/fd"))

    before = await descriptors()
    async with open_listed_store(directory.as_uri()) as store:
        async with aclosing(store.objects()) as pages:  # type: ignore[type-var]  # an async generator, as all of ours are
            await anext(pages)
        for _ in range(10):
            listing = asyncio.ensure_future(names(directory))
            await asyncio.sleep(0.001)
            listing.cancel()
            await asyncio.wait([listing])
    assert await descriptors() == before
