"""A worker's start: it takes requests once the queue was tried."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from checkpoint.message_queue.memory import MemoryQueue
from processing_requests.service import build
from processing_requests.settings import IntakeSettings
from processing_requests.workers import worker as module
from unit.processing_requests.waiting import DEADLINE

if TYPE_CHECKING:
    import pytest


async def test_however_long_the_queue_may_take_a_worker_serves_before_its_parent_gives_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MOST_QUEUE_SECONDS", 0.01)
    service = build(IntakeSettings(queue_timeout_seconds=3600), MemoryQueue())

    async with asyncio.timeout(DEADLINE):
        await module._queue_tried(service, asyncio.Event())
