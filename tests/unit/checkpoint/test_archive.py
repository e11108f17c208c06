"""What the archive remembers of names: enough to spare requests, and little memory."""

from __future__ import annotations

import gc
import sys
import time
from typing import TYPE_CHECKING

from checkpoint.archive.adapters import open_archive
from checkpoint.archive.archive import Archive
from emails import email
from objects import MemoryObjects

if TYPE_CHECKING:
    from pathlib import Path


class ForgetfulObjects:
    """An object store that takes everything and keeps nothing."""

    async def create(self, name: str, body: bytes, *, sha256: str) -> bool:  # noqa: ARG002
        return True

    async def holder(self, name: str, body: bytes, *, sha256: str) -> str | None:  # noqa: ARG002
        return None


async def test_of_thousands_of_emails_of_one_timestream_each_costs_one_request() -> None:
    store = MemoryObjects()
    archive = Archive(store)

    for number in range(2_500):
        await archive.put(email(str(number)))

    assert len(store.calls) == 2_500


async def test_the_names_of_thousands_of_timestreams_are_not_all_kept_in_memory() -> None:
    archive = Archive(ForgetfulObjects())
    gc.collect()
    before = sys.getallocatedblocks()

    for number in range(2_500):
        await archive.put(email(timestream=str(number)))

    gc.collect()
    assert sys.getallocatedblocks() - before < 4_000  # three for each name: itself, its holder, their place


async def test_no_file_makes_the_interpreter_keep_its_name(tmp_path: Path) -> None:
    """Pathlib has it keep each part of a path: its table of such strings grows, and is made anew again and again."""
    directory = tmp_path / "archive"
    directory.mkdir()
    async with open_archive(directory.as_uri()) as archive:
        put = await archive.put(email(timestream=str(time.time_ns())))  # a name that no other test has a path of
    same = "".join(list(put.name))
    assert sys.intern(same) is same  # nobody has put one like it there
