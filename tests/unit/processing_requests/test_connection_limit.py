"""More connections than there may be, over real sockets."""

from __future__ import annotations

import asyncio
import resource
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from processing_requests.http.server import connection_limit
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import posted
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LIMIT = 5


@pytest.fixture
async def opened() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def idle(port: int, opened: AsyncExitStack) -> Connected:
    """A connection over which one request was answered."""
    reader, writer = await opened.enter_async_context(connected(port))
    await post(reader, writer)
    return reader, writer


async def post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(head(len(posted())) + posted())
    assert (await answer(reader))[0] == 200


async def test_the_connection_that_has_been_idle_for_longest_ends_for_a_new_one(
    opened: AsyncExitStack, lines: list[Any]
) -> None:
    intake = Intake(max_connections=LIMIT)
    async with intake.serving() as port:
        old = [await idle(port, opened) for _ in range(LIMIT)]
        await post(*old[0])
        await idle(port, opened)
        assert await old[1][0].read() == b""
        for place in (0, 2, 3, 4):
            await post(*old[place])
        assert intake.metric("checkpoint_connections") == LIMIT
    assert intake.metric("checkpoint_connections_given_up_total") == 1
    warnings = [line for line in lines if line["log_level"] == "warning"]
    assert warnings == [{"event": "connection_limit_reached", "max_connections": LIMIT, "log_level": "warning"}]


async def test_every_post_is_answered_however_many_idle_connections_there_are(
    opened: AsyncExitStack, lines: list[Any]
) -> None:
    intake = Intake(max_connections=LIMIT)
    async with intake.serving() as port:
        for _ in range(LIMIT * 10):
            await idle(port, opened)
    assert len(intake.queued) == LIMIT * 10
    assert sum(line["event"] == "connection_limit_reached" for line in lines) == 1


async def test_who_waits_for_an_answer_is_never_given_up(opened: AsyncExitStack) -> None:
    intake = Intake(max_connections=LIMIT)
    intake.queue.flowing.clear()
    async with intake.serving() as port:
        waiting = [await opened.enter_async_context(connected(port)) for _ in range(LIMIT)]
        for _, writer in waiting:
            writer.write(head(len(posted())) + posted())
        await until(lambda: intake.waiting == LIMIT)
        reader, _ = await opened.enter_async_context(connected(port))
        assert await reader.read() == b""
        intake.queue.flowing.set()
        assert [(await answer(reader))[0] for reader, _ in waiting] == [200] * LIMIT


async def test_who_has_sent_nothing_yet_is_given_up_for_a_new_one(opened: AsyncExitStack) -> None:
    intake = Intake(max_connections=LIMIT)
    async with intake.serving() as port:
        silent = [await opened.enter_async_context(connected(port)) for _ in range(LIMIT)]
        await until(lambda: intake.metric("checkpoint_connections") == LIMIT)
        await idle(port, opened)
        assert await silent[0][0].read() == b""


@pytest.mark.parametrize(
    ("files", "limit"),
    [(1024, 768), (resource.RLIM_INFINITY, 10_000), (1_048_576, 10_000), (256, 128), (10_256, 10_000)],
)
def test_the_limit_leaves_room_below_that_of_open_files(
    monkeypatch: pytest.MonkeyPatch, lines: list[Any], files: int, limit: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert connection_limit(10_000) == limit
    assert [line["event"] for line in lines] == (["connection_limit_lowered"] if limit < 10_000 else [])


async def test_a_slow_body_makes_room_for_a_new_connection(opened: AsyncExitStack) -> None:
    intake = Intake(max_connections=LIMIT)
    async with intake.serving() as port:
        slow = [await opened.enter_async_context(connected(port)) for _ in range(LIMIT)]
        for _, writer in slow:
            writer.write(head(100) + b"{")
        await until(lambda: intake.arriving_bytes == LIMIT)
        reader, _ = await opened.enter_async_context(connected(port))
        assert await reader.read() == b""  # bodies that are new are spared
        await asyncio.sleep(1.1)
        await idle(port, opened)
        assert await slow[0][0].read() == b""


async def test_a_head_of_very_many_lines_is_refused(intake: Intake) -> None:
    for count, status in ((1_000, 200), (1_030, 431)):
        headers = {"Content-Type": "application/json"} | {f"X-{n}": "x" * 20 for n in range(count)}
        assert (await intake.post(headers=headers)).status_code == status
