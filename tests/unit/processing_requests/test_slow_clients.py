"""Clients that say nothing, or too little at a time, over a real socket."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest

from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import posted
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.waiting import DEADLINE, until

SOON = 0.1


async def is_disconnected(reader: asyncio.StreamReader, *, after: float = SOON) -> bool:
    """Whether the connection ends without an answer, and no sooner than that."""
    began = time.monotonic()
    rest = await reader.read()
    return rest == b"" and time.monotonic() - began >= after * 0.9


@pytest.mark.parametrize(
    "sent", [b"", b"P", b"POST /process_request HTTP/1.1\r\nHost: intake\r\n", head(10)[:-2]], ids=repr
)
async def test_a_client_that_does_not_finish_its_headers_is_disconnected(sent: bytes) -> None:
    async with Intake(header_timeout_seconds=SOON).serving() as port, connected(port) as (reader, writer):
        writer.write(sent)
        assert await is_disconnected(reader)


async def test_a_client_that_sends_its_headers_byte_by_byte_gains_nothing_by_it() -> None:
    async with Intake(header_timeout_seconds=SOON).serving() as port, connected(port) as (reader, writer):

        async def drip() -> None:
            for byte in head(10):
                writer.write(bytes([byte]))
                await asyncio.sleep(SOON / 10)

        dripping = asyncio.create_task(drip())
        began = time.monotonic()
        with suppress(ConnectionResetError):  # where a byte was on its way as the connection was closed
            assert await reader.read() == b""
        assert time.monotonic() - began < SOON * len(head(10)) / 10 / 2
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def test_a_second_request_whose_headers_do_not_come_is_disconnected_and_an_idle_connection_is_not() -> None:
    async with Intake(header_timeout_seconds=SOON).serving() as port, connected(port) as (reader, writer):
        for _ in range(2):
            writer.write(head(len(posted())) + posted())
            assert (await answer(reader))[0] == 200
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SOON * 2):
                    await reader.read()
        writer.write(b"POST /process_request HT")
        assert await is_disconnected(reader)


async def test_a_slow_body_has_a_time_of_its_own_and_then_a_408_that_ends_the_connection() -> None:
    intake = Intake(body_timeout_seconds=SOON * 3)
    async with intake.serving() as port, connected(port) as (reader, writer):
        began = time.monotonic()
        writer.write(head(1000) + b"{")
        status, headers, body = await answer(reader)
        assert (status, body) == (408, b'{"error": "Request timeout"}')
        assert headers["connection"] == "close"
        assert time.monotonic() - began >= SOON * 3 * 0.9
        assert await reader.read() == b""
        assert time.monotonic() - began < DEADLINE / 2  # it is not waited for as a body's rest is


async def test_a_body_that_is_slow_but_in_time_is_taken() -> None:
    intake = Intake(header_timeout_seconds=SOON)
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(len(posted())))
        for start in range(0, len(posted()), 20):
            writer.write(posted()[start : start + 20])
            await asyncio.sleep(SOON / 5)
        assert (await answer(reader))[0] == 200


async def test_a_slow_queue_is_no_slow_client() -> None:
    intake = Intake(header_timeout_seconds=SOON)
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(len(posted())) + posted())
        await until(lambda: len(intake.queue.calls) == 1)
        await asyncio.sleep(SOON * 2)
        intake.queue.flowing.set()
        assert (await answer(reader))[0] == 200


async def test_a_client_that_never_finishes_a_body_that_was_refused_unread_is_disconnected() -> None:
    intake = Intake(header_timeout_seconds=SOON)
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(1_000_000))
        assert (await answer(reader))[0] == 413
        writer.write(b"x" * 1000)
        assert await is_disconnected(reader)


async def test_after_a_refused_body_has_come_to_its_end_the_connection_may_stay_idle() -> None:
    intake = Intake(header_timeout_seconds=SOON, max_request_bytes=1000)
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(2000))
        assert (await answer(reader))[0] == 413
        writer.write(b" " * 1000)
        await writer.drain()
        writer.write(b" " * 1000)
        await asyncio.sleep(SOON * 2)
        writer.write(head(len(posted())) + posted())
        assert (await answer(reader))[0] == 200


async def test_slow_clients_delay_nobody() -> None:
    intake = Intake(header_timeout_seconds=DEADLINE)
    async with intake.serving() as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        for place, (_, writer) in enumerate(slow):
            writer.write(head(1000)[: place * 3])
        async with connected(port) as (reader, writer):
            writer.write(head(len(posted())) + posted())
            assert (await answer(reader))[0] == 200
        for _, writer in slow:
            writer.close()
            await writer.wait_closed()
