"""Clients that close their sending half and then read, as `nc -N` and some libraries do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.processing_requests.posted_emails import email, posted, queued
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.waiting import until

if TYPE_CHECKING:
    from unit.processing_requests.intake import Intake


def request(**members: object) -> bytes:
    body = posted(email(**members))
    return head(len(body)) + body


@pytest.mark.parametrize("count", [1, 5])
async def test_all_that_came_before_the_end_is_answered(intake: Intake, count: int) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(b"".join(request(n=n) for n in range(count)))
        writer.write_eof()
        assert [(await answer(reader))[0] for _ in range(count)] == [200] * count
        assert await reader.read() == b""
    assert intake.queued == [queued(email(n=n)) for n in range(count)]


async def test_so_is_a_request_that_waits_for_a_slow_queue(intake: Intake) -> None:
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(request())
        await until(lambda: intake.waiting == 1)
        writer.write_eof()
        intake.queue.flowing.set()
        assert (await answer(reader))[0] == 200
        assert await reader.read() == b""


async def test_so_is_a_chunked_request_and_one_that_is_refused(intake: Intake) -> None:
    body = posted()
    async with intake.serving() as port:
        for sent, status in (
            (head(None) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), 200),
            (head(2) + b"{}", 401),
            (b"GET /docs HTTP/1.1\r\nHost: intake\r\n\r\n", 200),
            (b"nonsense\r\n\r\n", 400),
        ):
            async with connected(port) as (reader, writer):
                writer.write(sent)
                writer.write_eof()
                assert (await answer(reader))[0] == status
                assert await reader.read() == b""


@pytest.mark.parametrize("cut", [1, 40, len(request()) - len(posted()), len(request()) - 1])
async def test_a_request_that_is_cut_short_ends_the_connection(intake: Intake, cut: int) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(request()[:cut])
        writer.write_eof()
        assert await reader.read() == b""
    assert intake.queued == []
    assert intake.arriving_bytes == 0
