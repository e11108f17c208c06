"""Stopping while clients are there, over a real socket."""

from __future__ import annotations

import asyncio
import json

import pytest

from intake_bench import Bench, answer, connected, head, posted


async def test_stopping_answers_the_requests_under_way_and_ends_their_connections(bench: Bench) -> None:
    bench.queue.flowing.clear()
    async with bench.serving() as port, connected(port) as (reader, writer), connected(port) as (other, _):
        writer.write(head(len(posted())) + posted())
        await bench.until(lambda: len(bench.queue.calls) == 1)
        bench.stop.set()
        assert await other.read() == b""  # who only waited is let go
        bench.queue.flowing.set()
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (200, "close")
        assert await reader.read() == b""
    assert len(bench.queued) == 1


async def test_while_stopping_nobody_new_is_let_in(bench: Bench) -> None:
    bench.queue.flowing.clear()
    async with bench.serving() as port, connected(port) as (reader, writer), connected(port) as (idle, _):
        writer.write(head(len(posted())) + posted())
        await bench.until(lambda: len(bench.queue.calls) == 1)
        bench.stop.set()
        assert await idle.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        bench.queue.flowing.set()
        assert (await answer(reader))[0] == 200


async def test_a_body_still_under_way_may_come_to_its_end(bench: Bench) -> None:
    async with bench.serving() as port, connected(port) as (reader, writer), connected(port) as (idle, _):
        writer.write(head(len(posted())) + posted()[:50])
        await bench.until(lambda: bench.bodies._bytes_held == 50)
        bench.stop.set()
        assert await idle.read() == b""
        writer.write(posted()[50:])
        assert (await answer(reader))[0] == 200


async def test_who_is_not_answered_when_the_time_to_stop_is_over_is_told_to_come_again() -> None:
    bench = Bench(queue_timeout_seconds=2)
    bench.queue.flowing.clear()
    async with bench.serving() as port, connected(port) as (reader, writer):
        writer.write(head(len(posted())) + posted())
        await bench.until(lambda: len(bench.queue.calls) == 1)
        bench.stop.set()
        status, headers, body = await answer(reader)
        assert (status, json.loads(body)) == (503, {"error": "Queue unavailable"})
        assert headers["retry-after"] == "5"
        bench.queue.flowing.set()
