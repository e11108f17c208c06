from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.queues import SQS, Memory, QueueUnderTest, SQLite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue
    from contract.queues import Halves
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


@pytest.fixture(params=["memory", "sqlite", "sqs"])
def queue(request: pytest.FixtureRequest) -> QueueUnderTest:
    """The contract's rows: a fresh queue of each kind."""
    under_test: QueueUnderTest = request.getfixturevalue(request.param)
    return under_test


@pytest.fixture
async def halves(queue: QueueUnderTest) -> AsyncIterator[Halves]:
    async with queue.open() as opened:
        yield opened


@pytest.fixture
def sending(halves: Halves) -> SendingQueue:
    return halves.sending


@pytest.fixture
def receiving(halves: Halves) -> ReceivingQueue:
    return halves.receiving
