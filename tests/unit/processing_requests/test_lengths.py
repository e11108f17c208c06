"""Bodies too long, cut short or never ending."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import JSON, posted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOO_LARGE = (413, b'{"error": "Request too large", "max_bytes": 1000}')


async def in_parts(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def padded(length: int) -> bytes:
    return posted().ljust(length)


async def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_refused() -> None:
    intake = Intake(max_request_bytes=1000)
    assert (await intake.post(padded(1000))).status_code == 200
    response = await intake.post(padded(1001))
    assert (response.status_code, response.content) == TOO_LARGE


@pytest.mark.parametrize("size", [1, 7, 999, 5000])
async def test_a_body_in_parts_is_counted_as_it_comes(size: int) -> None:
    intake = Intake(max_request_bytes=1000)
    assert (await intake.post(in_parts(padded(1000), size))).status_code == 200
    response = await intake.post(in_parts(padded(1001), size))
    assert (response.status_code, response.content) == TOO_LARGE
    assert len(intake.queued) == 1


@pytest.mark.parametrize("declared", ["1001", "262145", "9" * 18])
async def test_a_declared_length_beyond_the_limit_is_refused_unread(declared: str) -> None:
    intake = Intake(max_request_bytes=1000)

    asked_for: list[str] = []

    async def unread() -> AsyncIterator[bytes]:
        asked_for.append("the body")
        yield posted()

    response = await intake.post(unread(), {**JSON, "Content-Length": declared})
    assert (response.status_code, response.content) == TOO_LARGE
    assert asked_for == []


@pytest.mark.parametrize("declared", ["", "-1", "+1", "abc", "\xb2", "1e3", "1 2", "0x10", "9" * 5000])
async def test_a_declared_length_that_is_none_is_refused(intake: Intake, declared: str) -> None:
    headers = {"Content-Type": b"application/json", "Content-Length": declared.encode("latin-1")}
    response = await intake.request("POST", "/process_request", content=posted(), headers=headers)
    assert (response.status_code, response.content) == (400, b'{"error": "Invalid HTTP request"}')
    assert response.headers["connection"] == "close"


async def test_a_body_that_does_not_arrive_in_time_is_answered() -> None:
    intake = Intake(body_timeout_seconds=0.02)

    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    response = await intake.post(endless())
    assert (response.status_code, response.content) == (408, b'{"error": "Request timeout"}')
    assert response.headers["connection"] == "close"


async def test_unfinished_bodies_are_held_together_up_to_a_bound_and_free_it_when_they_end() -> None:
    intake = Intake(max_request_bytes=100_000, max_waiting_bytes=60_000)
    more = asyncio.Event()
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield padded(50_000)
        begun.set()
        await more.wait()
        yield b" "

    first = asyncio.create_task(intake.post(slow()))
    await begun.wait()
    response = await intake.post(in_parts(padded(50_000), 25_000))
    assert (response.status_code, response.content) == (503, b'{"error": "Overloaded"}')
    assert response.headers["retry-after"] == "1"
    more.set()
    assert (await first).status_code == 200
    assert (await intake.post(in_parts(padded(50_000), 25_000))).status_code == 200


async def test_unfinished_bodies_that_fill_the_bound_keep_no_small_request_out() -> None:
    intake = Intake(max_request_bytes=100_000, max_waiting_bytes=60_000)
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield padded(99_000)
        begun.set()
        await asyncio.Event().wait()

    filling = asyncio.create_task(intake.post(endless()))
    await begun.wait()
    assert (await intake.post(in_parts(padded(8_000), 1_000))).status_code == 200
    assert (await intake.post(in_parts(padded(9_000), 8_500))).status_code == 503
    filling.cancel()
