"""Requests that come together share calls to the queue."""

from __future__ import annotations

import asyncio

from checkpoint.message_queue.port import Limits
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, queued
from unit.processing_requests.waiting import until


async def post_at_once(intake: Intake, contents: list[str]) -> list[list[bytes]]:
    """Post the first, and the rest while its call is under way; the calls that all of them took."""
    intake.queue.flowing.clear()
    posts = [asyncio.create_task(intake.post_data(email_content=contents[0]))]
    await until(lambda: len(intake.queue.calls) == 1)
    posts += [asyncio.create_task(intake.post_data(email_content=content)) for content in contents[1:]]
    await until(lambda: intake.waiting == len(contents))
    intake.queue.flowing.set()
    responses = await asyncio.gather(*posts)
    assert {response.status_code for response in responses} == {200}
    assert sorted(intake.queued) == sorted(queued(email(email_content=content)) for content in contents)
    return intake.queue.calls


async def test_a_single_request_is_one_call_of_its_own(intake: Intake) -> None:
    for n in range(3):
        assert (await intake.post_data(n=n)).status_code == 200
    assert [len(call) for call in intake.queue.calls] == [1, 1, 1]


async def test_100_requests_at_once_share_calls_that_are_full(intake: Intake) -> None:
    calls = await post_at_once(intake, [str(n) for n in range(100)])
    assert [len(call) for call in calls] == [1] + [10] * 9 + [9]


async def test_each_of_many_requests_at_once_is_answered_with_its_own_identity(intake: Intake) -> None:
    responses = await asyncio.gather(*(intake.post_data(n=n) for n in range(30)))
    assert len({response.headers["x-message-id"] for response in responses}) == 30


async def test_a_call_carries_no_more_bytes_than_the_queue_takes() -> None:
    longest = len(queued(email(email_content="ü" * 100)))
    intake = Intake(limits=Limits(entries=10, payload_bytes=3 * longest + 1, message_bytes=262_144))
    calls = await post_at_once(intake, ["ü" * 100] * 10)
    assert [len(call) for call in calls] == [1, 3, 3, 3]


async def test_a_long_email_goes_alone_and_those_behind_it_after_it() -> None:
    intake = Intake(limits=Limits(entries=10, payload_bytes=1000, message_bytes=262_144))
    calls = await post_at_once(intake, ["first", "x" * 850, "second", "third"])
    assert [len(call) for call in calls] == [1, 1, 2]


async def test_several_calls_are_under_way_where_the_queue_says_that_helps() -> None:
    intake = Intake(limits=Limits(entries=1, payload_bytes=262_144, message_bytes=262_144, calls_at_once=4))
    intake.queue.flowing.clear()
    posts = [asyncio.create_task(intake.post_data(n=n)) for n in range(10)]
    await until(lambda: intake.waiting == 10)
    await until(lambda: len(intake.queue.calls) == 4)
    intake.queue.flowing.set()
    assert {response.status_code for response in await asyncio.gather(*posts)} == {200}
    assert len(intake.queue.calls) == 10


async def test_beside_a_call_requests_wait_for_others_where_the_queue_says_that_helps() -> None:
    limits = Limits(entries=3, payload_bytes=262_144, message_bytes=262_144, calls_at_once=4, linger_seconds=3600)
    intake = Intake(limits=limits)
    intake.queue.flowing.clear()
    posts = [asyncio.create_task(intake.post_data(n=0))]
    await until(lambda: len(intake.queue.calls) == 1)
    posts += [asyncio.create_task(intake.post_data(n=n)) for n in range(1, 6)]
    await until(lambda: intake.waiting == 6)
    await until(lambda: len(intake.queue.calls) == 2)
    intake.queue.flowing.set()
    assert {response.status_code for response in await asyncio.gather(*posts)} == {200}
    assert [len(call) for call in intake.queue.calls] == [1, 3, 2]
