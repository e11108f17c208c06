"""More requests than can be taken, from clients that ignore `Retry-After`."""

from __future__ import annotations

import asyncio

from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import posted
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.waiting import until

REQUEST = head(len(posted())) + posted()


async def test_a_refusal_is_held_back_for_half_a_second_and_the_next_request_is_taken() -> None:
    intake = Intake(max_waiting=1)
    intake.queue.flowing.clear()
    loop = asyncio.get_running_loop()
    async with intake.serving() as port, connected(port) as (first, writer), connected(port) as (second, other):
        writer.write(REQUEST)
        await until(lambda: intake.waiting == 1)
        began = loop.time()
        other.write(REQUEST)
        status, headers, _ = await answer(second)
        assert (status, headers["retry-after"]) == (503, "1")
        assert 0.45 < loop.time() - began < 1
        intake.queue.flowing.set()
        assert (await answer(first))[0] == 200
        other.write(REQUEST)
        assert (await answer(second))[0] == 200


async def test_who_sends_on_while_a_refusal_is_held_back_is_not_answered_sooner() -> None:
    intake = Intake(max_waiting=1)
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (_, writer), connected(port) as (second, other):
        writer.write(REQUEST)
        await until(lambda: intake.waiting == 1)
        began = asyncio.get_running_loop().time()
        other.write(REQUEST * 3)
        assert [(await answer(second))[0] for _ in range(3)] == [503] * 3
        assert asyncio.get_running_loop().time() - began > 1.4
        intake.queue.flowing.set()


async def test_a_refused_body_that_is_under_way_is_read_to_its_end_after_the_answer() -> None:
    intake = Intake(max_waiting=1)
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (first, writer), connected(port) as (second, other):
        writer.write(REQUEST)
        await until(lambda: intake.waiting == 1)
        other.write(REQUEST[:-20])
        assert (await answer(second))[0] == 503
        intake.queue.flowing.set()
        assert (await answer(first))[0] == 200
        other.write(REQUEST[-20:] + REQUEST)
        assert (await answer(second))[0] == 200
    assert len(intake.queued) == 2


async def test_a_stop_gives_the_refusals_that_are_held_back_at_once() -> None:
    intake = Intake(max_waiting=1)
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (first, writer), connected(port) as (second, other):
        writer.write(REQUEST)
        await until(lambda: intake.waiting == 1)
        other.write(REQUEST)
        await until(lambda: intake.metric("checkpoint_requests_total", status="503") == 1)
        began = asyncio.get_running_loop().time()
        intake.stop.set()
        status, headers, _ = await answer(second)
        assert (status, headers["connection"]) == (503, "close")
        assert asyncio.get_running_loop().time() - began < 0.3
        intake.queue.flowing.set()
        assert (await answer(first))[0] == 200
