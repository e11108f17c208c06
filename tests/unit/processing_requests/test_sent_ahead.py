"""Clients that send more than they read, over a real socket."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, posted, queued
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = b"GET /docs HTTP/1.1\r\nHost: intake\r\n\r\n"


def request(n: int) -> bytes:
    body = posted(email(n=n))
    return head(len(body)) + body


@pytest.fixture
def client() -> Iterator[socket.socket]:
    """A socket with the smallest buffer for what it receives."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.settimeout(DEADLINE)
        yield client


def fill(client: socket.socket, data: bytes) -> None:
    """Send until nobody takes any more."""
    client.settimeout(0.2)
    try:
        while True:
            client.sendall(data)
    except TimeoutError:
        client.settimeout(DEADLINE)


async def test_only_one_request_of_a_connection_is_looked_at_and_one_read_is_held(intake: Intake) -> None:
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (reader, writer):
        ahead = b"".join(request(n) for n in range(1, 2000))
        writer.write(request(0))
        await until(lambda: intake.waiting == 1)
        writer.write(ahead)
        await until(lambda: intake.arriving_bytes)
        held = intake.arriving_bytes
        await asyncio.sleep(0.2)  # in which it could go on reading
        assert intake.arriving_bytes == held
        assert len(ahead) - 300_000 > 0
        assert held is not None
        assert held < 300_000
        assert intake.waiting == 1
        intake.queue.flowing.set()
        assert [(await answer(reader))[0] for _ in range(2000)] == [200] * 2000
    assert intake.queued == [queued(email(n=n)) for n in range(2000)]


async def test_a_client_that_reads_no_answer_is_not_read_and_then_disconnected(client: socket.socket) -> None:
    intake = Intake(answer_timeout_seconds=0.5)
    async with intake.serving() as port:
        client.connect(("127.0.0.1", port))
        await asyncio.to_thread(fill, client, PAGE * 1000)
        await until(lambda: intake.metric("checkpoint_connections") == 0)
        assert intake.arriving_bytes == 0


async def test_a_client_that_reads_slowly_is_answered_in_full(client: socket.socket) -> None:
    async with Intake().serving() as port:
        client.connect(("127.0.0.1", port))
        await asyncio.to_thread(client.sendall, PAGE * 100)

        def read() -> int:
            count, rest = 0, b""
            while count < 100:
                rest += client.recv(1024)
                count += rest.count(b"HTTP/1.1 200 OK")
                rest = rest[-14:] if b"HTTP/1.1 200 OK" not in rest[-14:] else b""
            return count

        assert await asyncio.to_thread(read) == 100


async def test_who_sends_ahead_does_not_keep_others_waiting(intake: Intake) -> None:
    async with intake.serving() as port:
        greedy = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        for _, writer in greedy:
            writer.write(PAGE * 10_000)
        async with connected(port) as (reader, writer):
            writer.write(request(1))
            assert (await answer(reader))[0] == 200
        for _, writer in greedy:
            writer.transport.abort()


async def test_what_is_sent_ahead_by_all_together_is_bounded() -> None:
    intake = Intake(max_waiting_bytes=100_000)
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (reader, writer), connected(port) as (second, other):
        for place, each in enumerate((writer, other)):
            each.write(request(place))
        await until(lambda: intake.waiting == 2)
        writer.write(b" " * 60_000)
        await until(lambda: intake.arriving_bytes == 60_000)
        other.write(request(3) * 300)
        await asyncio.sleep(0.1)
        intake.queue.flowing.set()
        status, headers, _ = await answer(second)
        assert (status, headers["connection"]) == (200, "close")
        assert (await answer(reader))[0] == 200


async def test_heads_that_do_not_end_are_held_up_to_the_same_bound() -> None:
    intake = Intake(max_waiting_bytes=50_000)
    unfinished = b"POST /process_request HTTP/1.1\r\nHost: intake\r\nX: " + b"x" * 30_000
    async with intake.serving() as port, connected(port) as (_, writer), connected(port) as (second, other):
        writer.write(unfinished)
        await until(lambda: intake.arriving_bytes == len(unfinished))
        other.write(unfinished)
        status, headers, body = await answer(second)
        assert (status, body, headers["connection"]) == (503, b'{"error": "Overloaded"}', "close")
        await until(lambda: intake.arriving_bytes == len(unfinished))


async def test_long_headers_are_held_as_long_as_their_body_does_not_come() -> None:
    intake = Intake(max_waiting_bytes=50_000)
    begun = head(9, f"Accept: {'x' * 30_000}")
    async with intake.serving() as port, connected(port) as (reader, writer), connected(port) as (second, other):
        writer.write(begun)
        await until(lambda: (intake.arriving_bytes or 0) > 30_000)
        other.write(begun)
        assert (await answer(second))[0] == 503
        writer.write(b'{"data":1')
        assert (await answer(reader))[0] == 400
        other.write(b'{"data":1' + request(1))
        assert (await answer(second))[0] == 200
        assert intake.arriving_bytes == 0


async def test_a_stop_does_not_wait_for_a_client_that_reads_no_answer(client: socket.socket) -> None:
    intake = Intake(drain_seconds=0.1)
    async with asyncio.timeout(5), intake.serving() as port:
        client.connect(("127.0.0.1", port))
        await asyncio.to_thread(fill, client, PAGE * 1000)
    assert intake.metric("checkpoint_connections") == 0
