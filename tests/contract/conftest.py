from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checkpoint.archive.adapters import open_archive
from contract.queues import SQS, Memory, SQLite
from stubs.s3 import S3Stub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from checkpoint.archive.archive import Archive
    from emulator import Emulator


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def sqlite(tmp_path: Path) -> SQLite:
    return SQLite(tmp_path / "queue.db")


@pytest.fixture
def sqs(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> SQS:
    return SQS(aws, monkeypatch)


@pytest.fixture
async def s3(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Stub]:
    """A stub of S3, whose faults a test switches on."""
    async with S3Stub() as stub:
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        yield stub


@pytest.fixture
async def bucket(s3: S3Stub) -> AsyncIterator[Archive]:
    """The archive in that stub's bucket."""
    async with open_archive(f"s3://{s3.bucket}") as archive:
        yield archive
