"""Clients that offer another protocol with a request, as Java's do by default, over a real socket."""

from __future__ import annotations

import asyncio

import pytest

from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, posted, queued
from unit.processing_requests.raw_http import answer, connected, head

H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
WEBSOCKET = ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")


def offered(n: int, *offer: str, chunked: bool = False) -> bytes:
    """The assignment's e-mail, numbered, in a request with an offer."""
    body = posted(email(n=n))
    if chunked:
        return head(None, *offer) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return head(len(body), *offer) + body


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "with a length"])
@pytest.mark.parametrize("offer", [H2C, WEBSOCKET], ids=["h2c", "websocket"])
async def test_the_request_is_answered_as_if_the_offer_had_not_been_made(
    intake: Intake, offer: tuple[str, ...], *, chunked: bool
) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        for n in range(3):
            writer.write(offered(n, *offer, chunked=chunked))
            status, headers, _ = await answer(reader)
            assert (status, "upgrade" in headers, "connection" in headers) == (200, False, False)
    assert intake.queued == [queued(email(n=n)) for n in range(3)]


async def test_it_does_not_matter_how_the_request_is_cut_into_pieces(intake: Intake) -> None:
    whole = offered(0, *H2C)
    async with intake.serving() as port, connected(port) as (reader, writer):
        for n, cut in enumerate((1, 40, len(whole) - len(posted(email(n=0))), len(whole) - 1)):
            request = offered(n, *H2C)
            writer.write(request[:cut])
            await writer.drain()
            await asyncio.sleep(0.02)  # so that the pieces arrive apart; together they would do no harm
            writer.write(request[cut:])
            assert (await answer(reader))[0] == 200
    assert len(intake.queued) == 4


async def test_many_in_one_piece_are_all_answered_in_their_order(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(b"".join(offered(n, *(H2C if n % 2 else ())) for n in range(200)))
        assert [(await answer(reader))[0] for _ in range(200)] == [200] * 200
    assert intake.queued == [queued(email(n=n)) for n in range(200)]


async def test_connection_close_beside_the_offer_ends_the_connection(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(offered(0, "Connection: Upgrade, close", "Upgrade: h2c"))
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (200, "close")
        assert await reader.read() == b""


async def test_authorization_and_100_continue_work_beside_the_offer(intake: Intake) -> None:
    body = posted(token=None)
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(len(body), *H2C, "Authorization: Bearer foobar", "Expect: 100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await answer(reader))[0] == 200


async def test_an_offer_is_no_way_around_the_limits() -> None:
    intake = Intake(header_timeout_seconds=0.1, body_timeout_seconds=0.1)
    async with intake.serving() as port:
        async with connected(port) as (reader, writer):
            writer.write(head(1_000_000, *H2C))
            assert (await answer(reader))[0] == 413
        async with connected(port) as (reader, writer):
            writer.write(head(1000, *H2C) + b"{")
            assert (await answer(reader))[0] == 408


async def test_a_connect_request_is_refused(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")
        status, _, body = await answer(reader)
        assert (status, body) == (400, b'{"error": "Invalid HTTP request"}')
        assert await reader.read() == b""
