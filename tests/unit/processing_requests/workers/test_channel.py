"""Messages between two processes."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from processing_requests.settings import IntakeSettings
from processing_requests.workers.channel import Channel
from processing_requests.workers.messages import (
    Ask,
    Begin,
    Family,
    FromWorker,
    MetricsAnswer,
    NewTokens,
    Question,
    Sample,
    ToWorker,
)
from unit.processing_requests.waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def channels() -> AsyncIterator[tuple[Channel[Any, Any], Channel[Any, Any]]]:
    """The parent's end, and the worker's."""
    near, far = socket.socketpair()
    parent = await Channel[Any, Any].open(near, FromWorker)
    worker = await Channel[Any, Any].open(far, ToWorker)
    async with asyncio.timeout(DEADLINE):
        yield parent, worker
    await parent.close()
    await worker.close()


async def test_messages_arrive_whole_and_in_order() -> None:
    settings = IntakeSettings(token="s3cret", workers="2")
    sent = [Begin(settings), Ask(Question.HEALTH), NewTokens("s3cret"), Ask(Question.METRICS)]
    async with channels() as (parent, worker):
        for message in sent:
            parent.send(message)
        received = [await worker.receive() for _ in sent]
    assert received == sent
    assert "s3cret" not in repr(received)


async def test_a_long_message_arrives_and_so_does_a_number_that_is_none() -> None:
    samples = [Sample("long", {"label": "x" * 1000}, float("inf")) for _ in range(1000)]
    async with channels() as (parent, worker):
        worker.send(MetricsAnswer([Family("long", "Long", "gauge", "", samples)]))
        received = await parent.receive()
    assert isinstance(received, MetricsAnswer)
    assert received.families[0].samples == samples


async def test_when_the_other_end_is_closed_there_is_nothing_more() -> None:
    async with channels() as (parent, worker):
        parent.send(Ask(Question.HEALTH))
        await parent.close()
        assert await worker.receive() == Ask(Question.HEALTH)
        assert await worker.receive() is None
        worker.send(MetricsAnswer([]))
        assert await parent.receive() is None


async def test_a_message_that_was_cut_off_is_no_message() -> None:
    near, far = socket.socketpair()
    worker = await Channel[Any, Any].open(far, ToWorker)
    near.sendall((100).to_bytes(4) + b"half")
    near.close()
    assert await worker.receive() is None
    await worker.close()
