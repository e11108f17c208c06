"""The log's line per minute about what a counter has counted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from structlog.testing import capture_logs

from checkpoint.operations.summary import log_summary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

NEVER = 3600.0
DEADLINE = 5.0


@pytest.fixture
def counter() -> Counter:
    counter = Counter("requests", "Requests.", ["status"], registry=CollectorRegistry())
    for status in (200, 401, 503):
        counter.labels(status)
    return counter


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as captured:
        yield captured


@asynccontextmanager
async def summaries(counter: Counter, *, every_seconds: float) -> AsyncIterator[None]:
    task = asyncio.create_task(log_summary("requests_answered", counter, every_seconds=every_seconds))
    await asyncio.sleep(0)  # so that it has begun
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def line(**counts: int) -> dict[str, Any]:
    return {"event": "requests_answered", "log_level": "info", **counts}


async def test_what_was_counted_is_logged_at_the_end_by_label_value_without_zeros(
    counter: Counter, lines: list[Any]
) -> None:
    async with summaries(counter, every_seconds=NEVER):
        counter.labels(200).inc(12)
        counter.labels(401).inc()
    assert lines == [line(**{"200": 12, "401": 1})]


async def test_each_line_counts_from_the_line_before(counter: Counter, lines: list[Any]) -> None:
    async with summaries(counter, every_seconds=0.001), asyncio.timeout(DEADLINE):
        for number in range(1, 4):
            counter.labels(200).inc(number)
            while len(lines) < number:  # noqa: ASYNC110  the condition is a look at memory, which tells nobody
                await asyncio.sleep(0.001)
        counter.labels(503).inc()
    assert lines == [line(**{"200": 1}), line(**{"200": 2}), line(**{"200": 3}), line(**{"503": 1})]


async def test_where_nothing_was_counted_nothing_is_logged(counter: Counter, lines: list[Any]) -> None:
    async with summaries(counter, every_seconds=NEVER):
        pass
    assert lines == []


async def test_a_label_value_that_is_first_seen_later_is_counted_from_0(counter: Counter, lines: list[Any]) -> None:
    async with summaries(counter, every_seconds=NEVER):
        counter.labels(418).inc(2)
    assert lines == [line(**{"418": 2})]
