"""The suites themselves, in a project whose pytest has its defaults: they fail what breaks the contract."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = """
import pytest
from contextlib import asynccontextmanager
from checkpoint.message_queue.memory import MemoryQueue
from checkpoint.testing.message_queue.contract import QueueContract
from checkpoint.testing.message_queue.under_test import Halves

class Forgetful(MemoryQueue):
    async def send(self, bodies):
        await super().send([body for body in bodies if b"7" not in body])
        return [None] * len(bodies)

class UnderTest:
    def __init__(self):
        self.queue = Forgetful()

    @asynccontextmanager
    async def open(self):
        yield Halves(self.queue, self.queue)

    def bodies(self):
        return self.queue.bodies

class TestForgetful(QueueContract):
    @pytest.fixture
    def queue(self):
        return UnderTest()
"""
ARCHIVE = """
import pytest
from contextlib import asynccontextmanager
from checkpoint.archive.archive import Archive
from checkpoint.testing.archive.contract import ArchiveContract

class Overwriting:
    def __init__(self):
        self.objects = {}

    async def create(self, name, body, *, sha256):
        self.objects[name] = body
        return True

class UnderTest:
    def __init__(self):
        self.store = Overwriting()

    @asynccontextmanager
    async def open(self):
        yield Archive(self.store)

    def objects(self):
        return self.store.objects

class TestOverwriting(ArchiveContract):
    @pytest.fixture
    def place(self):
        return UnderTest()
"""


@pytest.mark.parametrize(
    ("source", "test"),
    [
        pytest.param(QUEUE, "test_what_is_sent_is_on_the_queue", id="a queue that loses a message"),
        pytest.param(ARCHIVE, "test_an_email_put_again_by_a_program", id="a store that overwrites"),
    ],
)
def test_what_breaks_the_contract_fails_and_the_difference_is_shown(tmp_path: Path, source: str, test: str) -> None:
    (tmp_path / "test_broken.py").write_text(source)
    settings = "[pytest]\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    (tmp_path / "pytest.ini").write_text(settings)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", test],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed" in ended.stdout
    assert re.search(r"E +At index \d diff: b'", ended.stdout)
