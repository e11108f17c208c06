"""What a connection may go through, over a real socket, and harm nobody."""

from __future__ import annotations

import json
import socket
import struct
from http import HTTPStatus

import pytest

from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, posted, queued
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.waiting import until

INVALID_HTTP = (400, b'{"error": "Invalid HTTP request"}')


def request(**members: object) -> bytes:
    body = posted(email(**members))
    return head(len(body)) + body


async def test_many_requests_may_share_a_connection(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        for n in range(20):
            writer.write(request(n=n))
            assert (await answer(reader))[0] == 200
    assert intake.queued == [queued(email(n=n)) for n in range(20)]


async def test_pipelined_requests_are_answered_in_their_order(intake: Intake) -> None:
    wrong = head(2) + b"{}"
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(request(n=1) + wrong + request(n=2) + b"GET /docs HTTP/1.1\r\nHost: intake\r\n\r\n" + request(n=3))
        assert [(await answer(reader))[0] for _ in range(5)] == [200, 401, 200, 200, 200]
    assert intake.queued == [queued(email(n=n)) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS on the plain port
        b"POST /process_request HTTP/1.1\r\nHost: intake\r\nContent-Length: -1\r\n\r\n",
        b"POST /process_request HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /process_request HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST http:// HTTP/1.1\r\nHost: intake\r\n\r\n",
        head(None) + b"nonsense\r\n",
        head(0, "Not a header"),
        b"\x00" * 100,
    ],
    ids=repr,
)
async def test_what_is_not_http_is_answered_and_ends_the_connection(intake: Intake, garbage: bytes) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(garbage)
        status, headers, body = await answer(reader)
        assert (status, body) == INVALID_HTTP
        assert headers["content-type"] == "application/json"
        assert await reader.read() == b""
    assert intake.queued == []


async def test_garbage_after_a_whole_request_does_not_take_its_answer_away(intake: Intake) -> None:
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(request() + b"nonsense\r\n\r\n")
        await until(lambda: len(intake.queue.calls) == 1)
        intake.queue.flowing.set()
        assert (await answer(reader))[0] == 200
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (400, "close")
        assert await reader.read() == b""


async def test_a_declared_length_that_is_too_short_ends_in_a_refusal_of_the_rest(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(10) + posted())
        status, _, body = await answer(reader)
        assert (status, json.loads(body)["error"]) == (400, "Invalid JSON")
        status, _, body = await answer(reader)
        assert (status, body) == INVALID_HTTP
        assert await reader.read() == b""
    assert intake.queued == []


async def test_an_http_1_0_client_is_answered_and_the_connection_ends(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(request().replace(b"HTTP/1.1", b"HTTP/1.0"))
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (200, "close")
        assert await reader.read() == b""


@pytest.mark.parametrize("abruptly", [True, False])
async def test_a_client_that_disconnects_before_its_body_ends_frees_what_it_held(*, abruptly: bool) -> None:
    intake = Intake(max_request_bytes=1000, max_waiting_bytes=500)
    async with intake.serving() as port:
        for _ in range(5):
            async with connected(port) as (_, writer):
                writer.write(head(900) + b" " * 400)
                await until(lambda: intake.arriving_bytes == 400)
                if abruptly:  # a reset in place of an orderly end
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            await until(lambda: intake.arriving_bytes == 0)
        async with connected(port) as (reader, writer):
            writer.write(head(900) + b" " * 400)
            await until(lambda: intake.arriving_bytes == 400)
            writer.write(posted().rjust(500))
            assert (await answer(reader))[0] == 200


async def test_a_client_that_disconnects_before_its_answer_has_its_email_queued_all_the_same(intake: Intake) -> None:
    intake.queue.flowing.clear()
    async with intake.serving() as port:
        async with connected(port) as (_, writer):
            writer.write(request())
            await until(lambda: len(intake.queue.calls) == 1)
        intake.queue.flowing.set()
        await until(lambda: intake.queued == [queued(email())])
        async with connected(port) as (reader, writer):
            writer.write(request(n=1))
            assert (await answer(reader))[0] == HTTPStatus.OK
