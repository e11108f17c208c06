"""One worker's process: a real one, with the parent's end of its channel."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest

from processing_requests.settings import IntakeSettings
from processing_requests.workers import child as module
from processing_requests.workers.child import Child, State
from processing_requests.workers.connection_counts import ConnectionCounts
from processing_requests.workers.messages import Ask, Question, ToWorker
from unit.processing_requests.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def started(settings: IntakeSettings) -> AsyncIterator[Child]:
    """A worker that runs while the body runs."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        closing(ConnectionCounts.create(1)) as counts,
    ):
        child = Child(1, listening, counts)
        running = asyncio.create_task(child.run(lambda: settings))
        try:
            async with asyncio.timeout(3 * DEADLINE):
                yield child
        finally:
            child.kill()
            await child.ended()
            await running


@pytest.fixture
def settings(tmp_path: Path) -> IntakeSettings:
    return IntakeSettings(queue_url=f"sqlite:///{tmp_path}/queue.db", log_level="error")


async def test_it_serves_answers_and_ends_when_it_is_told_to(settings: IntakeSettings) -> None:
    async with started(settings) as child:
        assert await child.health() is None
        await until(lambda: child.state is State.SERVING)
        health = await child.health()
        await child.refresh_metrics()
        child.terminate()
        await child.ended()
        assert child.has_ended_well
        assert await child.health() is None
    assert health is not None
    assert health.faults == {}
    assert "checkpoint_requests" in {family.name for family in child.metrics}


async def test_before_one_that_is_stuck_nothing_piles_up(
    settings: IntakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(settings) as child:
        await until(lambda: child.state is State.SERVING)
        os.kill(child.pid, signal.SIGSTOP)
        assert child._channel is not None
        sent: list[ToWorker] = []
        monkeypatch.setattr(child._channel, "send", sent.append)
        monkeypatch.setattr(module, "ANSWER_SECONDS", 0.01)
        for _ in range(3):
            assert await asyncio.gather(*(child.health() for _ in range(100))) == [None] * 100
        assert sent == [Ask(Question.HEALTH)]
        monkeypatch.undo()
        child._channel.send(*sent)
        os.kill(child.pid, signal.SIGCONT)
        assert await child.health() is not None


async def test_one_that_cannot_use_its_settings_says_why() -> None:
    async with started(IntakeSettings(queue_url="sqlite:///q.db?s3cret=1")) as child:
        await child.ended()
        assert child.cannot_start == child.end
        assert child.end == "QUEUE_URL: the options of a sqlite queue are max_receives, reserve_bytes and max_bytes"
        assert not child.has_served


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_one_that_is_told_to_stop_before_it_serves_has_ended_well(
    settings: IntakeSettings, number: signal.Signals
) -> None:
    before = signal.signal(number, lambda *_: None)  # a signal that is ignored here would be ignored in the worker
    try:
        async with started(settings) as child:
            os.kill(child.pid, number)
            await child.ended()
            assert child.was_asked
            assert child.has_ended_well
            assert not child.has_served
    finally:
        signal.signal(number, before)


async def test_one_that_does_not_come_to_serve_is_killed(
    settings: IntakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_START_SECONDS", 0.05)
    async with started(settings) as child:
        os.kill(child.pid, signal.SIGSTOP)
        await child.ended()
        assert child.end == "SIGKILL"


async def test_one_that_has_closed_its_channel_but_does_not_end_is_killed(
    settings: IntakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_END_SECONDS", 0.05)
    async with started(settings) as child:
        await until(lambda: child.state is State.SERVING)
        os.kill(child.pid, signal.SIGSTOP)
        assert child._channel is not None
        child._channel._reader.feed_eof()
        await child.ended()
        assert child.end == "SIGKILL"
        assert not child.has_ended_well
