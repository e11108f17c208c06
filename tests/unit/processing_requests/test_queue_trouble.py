"""What clients are answered while the queue fails, hangs or refuses single e-mails."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.port import Limits
from intake_bench import DEADLINE, Bench, email, kept, posted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

UNAVAILABLE = (503, b'{"error": "Queue unavailable"}')


async def test_while_the_queue_is_down_clients_are_told_to_come_again_and_then_taken(bench: Bench) -> None:
    bench.queue.memory.unavailable = "down"
    response = await bench.post()
    assert (response.status_code, response.content) == UNAVAILABLE
    assert response.headers["retry-after"] == "5"
    bench.queue.memory.unavailable = None
    assert (await bench.post()).status_code == 200
    assert bench.queued == [kept(email())]


async def test_a_queue_that_fails_fails_all_who_share_the_call(bench: Bench) -> None:
    bench.queue.memory.unavailable = "down"
    responses = await asyncio.gather(*(bench.post_data(n=n) for n in range(25)))
    assert {(response.status_code, response.content) for response in responses} == {UNAVAILABLE}
    assert bench.sending._batcher.entries_held == bench.sending._batcher.bytes_held == 0


async def test_a_queue_that_hangs_is_waited_for_until_the_deadline_and_no_longer() -> None:
    bench = Bench(queue_timeout_seconds=0.05)
    bench.queue.flowing.clear()
    began = time.monotonic()
    response = await bench.post()
    assert (response.status_code, response.content) == UNAVAILABLE
    assert 0.05 <= time.monotonic() - began < DEADLINE / 2


async def test_an_email_given_up_on_leaves_the_line_and_its_room() -> None:
    bench = Bench(queue_timeout_seconds=0.05, max_waiting=2)
    bench.queue.flowing.clear()
    responses = await asyncio.gather(bench.post_data(n=1), bench.post_data(n=2))
    assert [response.status_code for response in responses] == [503, 503]
    under_way = set(bench.queue.calls[0])
    late = asyncio.create_task(bench.post_data(n=3))
    await bench.until(lambda: bench.sending._batcher.entries_held == 1)
    bench.queue.flowing.set()
    assert (await late).status_code == 200
    given_up = {kept(email(n=1)), kept(email(n=2))} - under_way
    assert given_up.isdisjoint(bench.queued)
    assert kept(email(n=3)) in bench.queued


async def test_an_email_that_the_queue_refuses_harms_none_that_shares_its_call(bench: Bench) -> None:
    bench.queue.flowing.clear()
    first = asyncio.create_task(bench.post_data(n=-1))
    await bench.until(lambda: len(bench.queue.calls) == 1)
    bench.queue.bad = {kept(email(n=3)), kept(email(n=5))}
    rest = [asyncio.create_task(bench.post_data(n=n)) for n in range(8)]
    await bench.until(lambda: bench.sending._batcher.entries_held == 9)
    bench.queue.flowing.set()
    responses = await asyncio.gather(*rest)
    assert [len(call) for call in bench.queue.calls] == [1, 8]
    assert [response.status_code for response in responses] == [200, 200, 200, 503, 200, 503, 200, 200]
    assert responses[3].content == UNAVAILABLE[1]
    assert (await first).status_code == 200


@pytest.mark.parametrize("settings", [{"max_waiting": 3}, {"max_waiting_bytes": 3 * len(kept(email(n=0)))}], ids=str)
async def test_more_than_may_wait_is_refused_at_once_by_count_and_by_bytes(settings: dict[str, int]) -> None:
    bench = Bench(**settings)  # type: ignore[arg-type]  # which of the fields, the parameter says
    bench.queue.flowing.clear()
    waiting = [asyncio.create_task(bench.post_data(n=n)) for n in range(3)]
    await bench.until(lambda: bench.sending._batcher.entries_held == 3)
    response = await bench.post_data(n=3)  # while nothing flows: the answer waits for nothing
    assert (response.status_code, response.content) == (503, b'{"error": "Overloaded"}')
    assert response.headers["retry-after"] == "1"
    bench.queue.flowing.set()
    assert [response.status_code for response in await asyncio.gather(*waiting)] == [200] * 3
    assert (await bench.post_data(n=3)).status_code == 200
    assert len(bench.queued) == 4


async def test_a_lone_email_is_taken_even_where_it_is_longer_than_the_bound() -> None:
    bench = Bench(max_waiting_bytes=1)
    assert (await bench.post()).status_code == 200


async def test_while_overloaded_a_body_is_not_even_asked_for() -> None:
    bench = Bench(max_waiting=1)
    bench.queue.flowing.clear()
    waiting = asyncio.create_task(bench.post())
    await bench.until(lambda: bench.sending._batcher.entries_held == 1)
    response = await bench.post(posted()[:10])  # read, it would be 400
    assert response.status_code == 503
    bench.queue.flowing.set()
    assert (await waiting).status_code == 200


async def test_bodies_that_came_to_their_end_together_do_not_slip_past_the_bound() -> None:
    bench = Bench(max_waiting=1)
    bench.queue.flowing.clear()
    rest = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield posted()[:10]
        await rest.wait()
        yield posted()[10:]

    posts = [asyncio.create_task(bench.post(slow())) for _ in range(3)]
    await bench.until(lambda: bench.bodies._bytes_held == 30)
    rest.set()
    await bench.until(lambda: sum(post.done() for post in posts) == 2)
    bench.queue.flowing.set()
    responses = await asyncio.gather(*posts)
    assert sorted(response.status_code for response in responses) == [200, 503, 503]
    assert len(bench.queued) == 1


async def test_stopping_does_not_wait_forever_for_a_queue_that_never_answers() -> None:
    bench = Bench(queue_timeout_seconds=0.05, limits=Limits(entries=1, payload_bytes=262_144))
    bench.queue.flowing.clear()
    assert (await bench.post()).status_code == 503
    async with asyncio.timeout(DEADLINE):
        await bench.sending.drain()
    bench.queue.flowing.set()
    await bench.sending._batcher.drain()


async def test_stopping_waits_for_the_call_under_way(bench: Bench) -> None:
    bench.queue.flowing.clear()
    waiting = asyncio.create_task(bench.post())
    await bench.until(lambda: len(bench.queue.calls) == 1)
    draining = asyncio.create_task(bench.sending.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    bench.queue.flowing.set()
    await draining
    assert (await waiting).status_code == 200


async def test_each_email_not_confirmed_is_counted(bench: Bench) -> None:
    bench.queue.memory.unavailable = "down"
    await asyncio.gather(*(bench.post_data(n=n) for n in range(3)))
    assert bench.metrics.registry.get_sample_value("checkpoint_not_confirmed_total") == 3
    assert bench.metrics.registry.get_sample_value("checkpoint_requests_total", {"status": "503"}) == 3
