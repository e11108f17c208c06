"""Requests beyond the limits, over a real socket: the client reads why, instead of a closed connection."""

from __future__ import annotations

import asyncio
import http.client
from typing import TYPE_CHECKING

import pytest

from unit.processing_requests.fed_connection import feed
from unit.processing_requests.posted_emails import JSON, posted
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.waiting import until

if TYPE_CHECKING:
    from unit.processing_requests.intake import Intake

TOO_LARGE = (413, b'{"error": "Request too large", "max_bytes": 262144}')


def post(port: int, body: bytes | list[bytes]) -> tuple[int, bytes]:
    """Post as the standard library's client does: it sends all, and only then reads."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/process_request", body, JSON, encode_chunked=isinstance(body, list))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("megabytes", [1, 20])
async def test_a_client_that_sends_all_before_it_reads_still_reads_the_413(intake: Intake, megabytes: int) -> None:
    async with intake.serving() as port:
        assert await asyncio.to_thread(post, port, b" " * megabytes * 2**20) == TOO_LARGE


async def test_a_chunked_body_beyond_the_limit_is_answered_the_same(intake: Intake) -> None:
    async with intake.serving() as port:
        assert await asyncio.to_thread(post, port, [b" " * 2**16] * 100) == TOO_LARGE
        assert (await asyncio.to_thread(post, port, [posted()[:50], posted()[50:]]))[0] == 200


async def test_a_chunked_body_that_goes_beyond_the_limit_with_its_end_keeps_nobody_waiting(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(None) + b"4\r\n    \r\n")
        await until(lambda: intake.arriving_bytes)
        writer.write(b"40000\r\n%s\r\n0\r\n\r\n" % (b" " * 2**18))
        status, headers, body = await answer(reader)
        assert (status, body, headers["connection"]) == (*TOO_LARGE, "close")
        async with asyncio.timeout(5):
            assert await reader.read() == b""


def test_empty_lines_before_a_request_are_part_of_what_its_head_may_have() -> None:
    request = b"GET / HTTP/1.1\r\nHost: intake\r\n\r\n"
    assert [answer.status for answer in feed([b"\r\n" * 2**15 + request]).answers] == [200]
    assert [answer.status for answer in feed([b"\r\n" * 2**16 + request]).answers] == [431]


async def test_a_declared_length_beyond_the_limit_is_answered_before_the_body_comes(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(10**12))
        status, _, body = await answer(reader)
        assert (status, body) == TOO_LARGE


async def test_a_client_that_expects_100_continue_before_too_long_a_body_is_refused(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(262_145, "Expect: 100-continue"))
        assert (await answer(reader))[0] == 413


async def test_a_client_that_expects_100_continue_before_a_good_body_gets_it(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(len(posted()), "Expect: 100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(posted())
        assert (await answer(reader))[0] == 200


async def test_the_connection_is_good_for_another_request_after_a_413(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(300_000) + b" " * 300_000)
        assert (await answer(reader))[0] == 413
        writer.write(head(len(posted())) + posted())
        assert (await answer(reader))[0] == 200


async def test_headers_without_end_are_refused(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):

        async def flood() -> None:
            writer.write(head(10)[:-2])
            while not writer.is_closing():
                writer.write(b"X-Further: " + b"x" * 10_000 + b"\r\n")
                await writer.drain()

        flooding = asyncio.create_task(flood())
        status, headers, body = await answer(reader)
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        assert (status, body) == (431, b'{"error": "Request header fields too large"}')
        assert headers["connection"] == "close"


async def test_long_headers_that_end_are_taken_however_many_requests_there_are(intake: Intake) -> None:
    request = head(len(posted()), *(f"X-Further: {'x' * 1000}" for _ in range(30))) + posted()
    async with intake.serving() as port, connected(port) as (reader, writer):
        for _ in range(5):
            writer.write(request[:100])
            await asyncio.sleep(0.02)  # so that the rest arrives apart
            writer.write(request[100:])
            assert (await answer(reader))[0] == 200


async def test_trailers_are_passed_over_up_to_a_bound(intake: Intake) -> None:
    body = posted()
    chunked = head(None) + b"%x\r\n%s\r\n0\r\n" % (len(body), body)
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(chunked + b"X-Trailer: " + b"x" * 10_000 + b"\r\n\r\n")
        assert (await answer(reader))[0] == 200
        writer.write(chunked + b"X-Trailer: " + b"x" * 20_000 + b"\r\n\r\n")
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (400, "close")


@pytest.mark.parametrize(
    ("status", "request_head"),
    [
        (413, head(None)),
        (415, head(None, "Content-Encoding: gzip")),
        (404, head(None, target="/elsewhere")),
    ],
)
async def test_an_answer_before_the_end_of_a_chunked_body_says_that_it_ends_the_connection(
    intake: Intake, status: int, request_head: bytes
) -> None:
    """So the client sends no other request over it: where the body ends, what follows it is lost."""
    piece = b"%x\r\n%s\r\n" % (300_000, b" " * 300_000)
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(request_head + piece)
        answered, headers, _ = await answer(reader)
        assert (answered, headers.get("connection")) == (status, "close")
        for _ in range(50):  # what it is still sending is read, so that it reads the answer
            writer.write(piece)
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        assert await reader.read() == b""
