"""Requests that come together share calls to the queue."""

from __future__ import annotations

import asyncio

from checkpoint.message_queue.port import Limits
from intake_bench import Bench, email, kept


async def crowd(bench: Bench, contents: list[str]) -> list[list[bytes]]:
    """Post the first, and the rest while its call is under way; the calls that all of them took."""
    bench.queue.flowing.clear()
    posts = [asyncio.create_task(bench.post_data(email_content=contents[0]))]
    await bench.until(lambda: len(bench.queue.calls) == 1)
    posts += [asyncio.create_task(bench.post_data(email_content=content)) for content in contents[1:]]
    await bench.until(lambda: bench.sending._batcher.entries_held == len(contents))
    bench.queue.flowing.set()
    responses = await asyncio.gather(*posts)
    assert {response.status_code for response in responses} == {200}
    assert sorted(bench.queued) == sorted(kept(email(email_content=content)) for content in contents)
    return bench.queue.calls


async def test_a_lone_request_is_one_call_of_its_own(bench: Bench) -> None:
    for n in range(3):
        assert (await bench.post_data(n=n)).status_code == 200
    assert [len(call) for call in bench.queue.calls] == [1, 1, 1]


async def test_a_crowd_of_100_shares_calls_as_full_as_they_may_be(bench: Bench) -> None:
    calls = await crowd(bench, [str(n) for n in range(100)])
    assert [len(call) for call in calls] == [1] + [10] * 9 + [9]


async def test_each_of_a_crowd_is_told_its_own_identity(bench: Bench) -> None:
    responses = await asyncio.gather(*(bench.post_data(n=n) for n in range(30)))
    assert len({response.headers["x-message-id"] for response in responses}) == 30


async def test_a_call_carries_no_more_bytes_than_the_queue_takes() -> None:
    longest = len(kept(email(email_content="ü" * 100)))
    bench = Bench(limits=Limits(entries=10, payload_bytes=3 * longest + 1))
    calls = await crowd(bench, ["ü" * 100] * 10)
    assert [len(call) for call in calls] == [1, 3, 3, 3]


async def test_a_long_email_goes_alone_and_those_behind_it_after_it() -> None:
    bench = Bench(limits=Limits(entries=10, payload_bytes=1000))
    calls = await crowd(bench, ["first", "x" * 850, "second", "third"])
    assert [len(call) for call in calls] == [1, 1, 2]


async def test_several_calls_are_under_way_where_the_queue_says_that_helps() -> None:
    bench = Bench(limits=Limits(entries=1, payload_bytes=262_144, calls_at_once=4))
    bench.queue.flowing.clear()
    posts = [asyncio.create_task(bench.post_data(n=n)) for n in range(10)]
    await bench.until(lambda: bench.sending._batcher.entries_held == 10)
    await bench.until(lambda: len(bench.queue.calls) == 4)
    bench.queue.flowing.set()
    assert {response.status_code for response in await asyncio.gather(*posts)} == {200}
    assert len(bench.queue.calls) == 10
