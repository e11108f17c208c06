"""Stopping while clients are there, over a real socket."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import posted
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.waiting import until


async def test_stopping_answers_the_requests_under_way_and_ends_their_connections(intake: Intake) -> None:
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (reader, writer), connected(port) as (other, _):
        writer.write(head(len(posted())) + posted())
        await until(lambda: len(intake.queue.calls) == 1)
        intake.stop.set()
        assert await other.read() == b""  # who only waited is let go
        intake.queue.flowing.set()
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (200, "close")
        assert await reader.read() == b""
    assert len(intake.queued) == 1


async def test_a_request_that_no_turn_of_the_loop_has_read_yet_is_answered(intake: Intake) -> None:
    loop, request = asyncio.get_running_loop(), head(len(posted())) + posted()
    async with intake.serving() as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.setblocking(False)  # noqa: FBT003  the standard library's parameter
            await loop.sock_sendall(client, request)
            assert (await loop.sock_recv(client, 65_536)).startswith(b"HTTP/1.1 200 ")
            loop.call_soon(client.send, request)  # in the socket just before the service wakes to stop
            intake.stop.set()
            received = await loop.sock_recv(client, 65_536)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close\r\n" in received
    assert len(intake.queued) == 2


async def test_while_stopping_no_connection_is_accepted(intake: Intake) -> None:
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (reader, writer), connected(port) as (idle, _):
        writer.write(head(len(posted())) + posted())
        await until(lambda: len(intake.queue.calls) == 1)
        intake.stop.set()
        assert await idle.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        intake.queue.flowing.set()
        assert (await answer(reader))[0] == 200


async def test_a_body_still_under_way_may_come_to_its_end(intake: Intake) -> None:
    async with intake.serving() as port, connected(port) as (reader, writer), connected(port) as (idle, _):
        writer.write(head(len(posted())) + posted()[:50])
        await until(lambda: intake.arriving_bytes == 50)
        intake.stop.set()
        assert await idle.read() == b""
        writer.write(posted()[50:])
        assert (await answer(reader))[0] == 200


async def test_a_request_that_is_not_answered_when_the_drain_time_ends_is_answered_503() -> None:
    intake = Intake(queue_timeout_seconds=2)
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(len(posted())) + posted())
        await until(lambda: len(intake.queue.calls) == 1)
        intake.stop.set()
        status, headers, body = await answer(reader)
        assert (status, json.loads(body)) == (503, {"error": "Queue unavailable"})
        assert headers["retry-after"] == "5"
        intake.queue.flowing.set()
