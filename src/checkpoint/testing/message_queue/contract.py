"""What every queue must do, as tests of pytest.

from checkpoint.testing.message_queue.contract import QueueContract

class TestMyQueue(QueueContract):
    @pytest.fixture
    def queue(self, tmp_path: Path) -> QueueUnderTest: ...

A queue that has `depth` besides has another such class, on MeasuredQueueContract; an adapter with `open_admin` one on
AdminQueueContract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
import pytest_asyncio

# So that an assert that fails shows what it compared. It must come before the imports of what it names.
_PACKAGE: Final = "checkpoint.testing.message_queue"
_PARTS: Final = ("under_test", "sending", "receiving", "visibility", "ending", "outages", "depth", "admin")
pytest.register_assert_rewrite(*(f"{_PACKAGE}.{part}" for part in _PARTS))

from checkpoint.testing.message_queue.admin import Administering
from checkpoint.testing.message_queue.depth import Measuring
from checkpoint.testing.message_queue.ending import Ending
from checkpoint.testing.message_queue.outages import Outages
from checkpoint.testing.message_queue.receiving import Receiving
from checkpoint.testing.message_queue.sending import Sending
from checkpoint.testing.message_queue.visibility import Visibility

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from checkpoint.message_queue.admin import AdminQueue
    from checkpoint.message_queue.port import ReceivingQueue, SendingQueue
    from checkpoint.testing.message_queue.under_test import AdminQueueUnderTest, Halves, QueueUnderTest


class _Opened:
    """The queue that a subclass, or its conftest.py, gives as the fixture `queue`, open."""

    @pytest_asyncio.fixture(loop_scope="function")
    async def halves(self, queue: QueueUnderTest) -> AsyncIterator[Halves]:
        """Both halves of that queue."""
        async with queue.open() as opened:
            yield opened

    @pytest.fixture
    def sending(self, halves: Halves) -> SendingQueue:
        """The one half."""
        return halves.sending

    @pytest.fixture
    def receiving(self, halves: Halves) -> ReceivingQueue:
        """The other half."""
        return halves.receiving


@pytest.mark.asyncio(loop_scope="function")
class QueueContract(_Opened, Sending, Receiving, Visibility, Ending, Outages):
    """Every test of the contract. A subclass, or its conftest.py, gives the fixture `queue`: a fresh QueueUnderTest."""


@pytest.mark.asyncio(loop_scope="function")
class MeasuredQueueContract(_Opened, Measuring):
    """What a queue must do besides that is a MeasuredQueue; with the same fixture."""


@pytest.mark.asyncio(loop_scope="function")
class AdminQueueContract(_Opened, Administering):
    """What the operator's part must do. The fixture `queue` is an AdminQueueUnderTest."""

    @pytest_asyncio.fixture(loop_scope="function")
    async def admin(self, queue: AdminQueueUnderTest) -> AsyncIterator[AdminQueue]:
        """That part."""
        async with queue.open_admin() as opened:
            yield opened
