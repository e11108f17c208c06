"""What every queue must do, over every adapter of Checkpoint's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checkpoint.testing.message_queue.contract import AdminQueueContract, MeasuredQueueContract, QueueContract

if TYPE_CHECKING:
    from checkpoint.testing.message_queue.under_test import AdminQueueUnderTest


@pytest.fixture(params=["memory", "sqlite", "sqs"])
def queue(request: pytest.FixtureRequest) -> AdminQueueUnderTest:
    """The rows: each is a fixture of conftest.py."""
    queue: AdminQueueUnderTest = request.getfixturevalue(request.param)
    return queue


class TestQueue(QueueContract):
    pass


class TestMeasuredQueue(MeasuredQueueContract):
    pass


class TestAdminQueue(AdminQueueContract):
    pass
