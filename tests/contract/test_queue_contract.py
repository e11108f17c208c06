"""What every queue must do, over every adapter of Checkpoint's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checkpoint.testing.message_queue.contract import QueueContract

if TYPE_CHECKING:
    from checkpoint.testing.message_queue.under_test import QueueUnderTest


class TestQueue(QueueContract):
    @pytest.fixture(params=["memory", "sqlite", "sqs"])
    def queue(self, request: pytest.FixtureRequest) -> QueueUnderTest:
        """The rows: each is a fixture of conftest.py."""
        queue: QueueUnderTest = request.getfixturevalue(request.param)
        return queue
