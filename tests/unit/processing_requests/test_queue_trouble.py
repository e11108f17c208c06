"""What clients are answered while the queue fails, hangs or refuses single e-mails."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.port import EntryFault, Limits, QueueFullError
from processing_requests.answers import INTERNAL_ERROR, OVERLOADED, QUEUE_UNAVAILABLE, RefusedError
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, posted, queued
from unit.processing_requests.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from processing_requests.answers import Refusal

UNAVAILABLE = (503, b'{"error": "Queue unavailable"}')


async def test_while_the_queue_is_down_clients_are_told_to_retry_and_taken_when_it_is_back(intake: Intake) -> None:
    intake.queue.unavailable = "down"
    response = await intake.post()
    assert (response.status_code, response.content) == UNAVAILABLE
    assert response.headers["retry-after"] == "5"
    intake.queue.unavailable = None
    assert (await intake.post()).status_code == 200
    assert intake.queued == [queued(email())]


async def test_a_full_queue_is_answered_as_such_and_counted_and_the_intake_is_not_ready(intake: Intake) -> None:
    intake.queue.error = QueueFullError("queue.db: is full: 8 bytes are kept")
    response = await intake.post()
    assert (response.status_code, response.content) == (503, b'{"error": "Queue full"}')
    assert response.headers["retry-after"] == "5"
    assert intake.service.health.faults == {"queue": "queue.db: is full: 8 bytes are kept"}
    assert intake.metric("checkpoint_messages_refused_by_full_queue_total") == 1
    assert intake.metric("checkpoint_messages_unconfirmed_total") == 0
    intake.queue.error = None
    assert (await intake.post()).status_code == 200
    assert intake.service.health.faults == {}


async def test_an_email_for_whose_length_there_is_no_room_is_answered_so_and_the_intake_stays_ready(
    intake: Intake,
) -> None:
    assert (await intake.post_data(n=1)).status_code == 200
    intake.queue.refused = {queued(email(n=2))}
    intake.queue.fault = EntryFault("There is no room for it.", is_transient=True, lacks_room=True)
    response = await intake.post_data(n=2)
    assert (response.status_code, response.content) == (503, b'{"error": "Queue full"}')
    assert intake.service.health.faults == {}
    assert intake.metric("checkpoint_messages_refused_by_full_queue_total") == 1
    assert intake.metric("checkpoint_messages_unconfirmed_total") == 0


async def test_a_queue_that_fails_fails_all_who_share_the_call(intake: Intake) -> None:
    intake.queue.unavailable = "down"
    responses = await asyncio.gather(*(intake.post_data(n=n) for n in range(25)))
    assert {(response.status_code, response.content) for response in responses} == {UNAVAILABLE}
    assert intake.waiting == intake.service.sender._batcher.bytes_held == 0


async def test_a_queue_that_hangs_is_waited_for_until_the_deadline_and_no_longer() -> None:
    intake = Intake(queue_timeout_seconds=0.05)
    intake.queue.flowing.clear()
    began = time.monotonic()
    response = await intake.post()
    assert (response.status_code, response.content) == UNAVAILABLE
    assert 0.05 <= time.monotonic() - began < DEADLINE / 2


async def test_an_email_that_timed_out_is_not_sent_later_and_takes_no_room() -> None:
    intake = Intake(queue_timeout_seconds=0.05, max_waiting=2)
    intake.queue.flowing.clear()
    responses = await asyncio.gather(intake.post_data(n=1), intake.post_data(n=2))
    assert [response.status_code for response in responses] == [503, 503]
    under_way = set(intake.queue.calls[0])
    late = asyncio.create_task(intake.post_data(n=3))
    await until(lambda: intake.waiting == 1)
    intake.queue.flowing.set()
    assert (await late).status_code == 200
    given_up = {queued(email(n=1)), queued(email(n=2))} - under_way
    assert given_up.isdisjoint(intake.queued)
    assert queued(email(n=3)) in intake.queued


async def test_an_email_that_the_queue_refuses_harms_none_that_shares_its_call(intake: Intake) -> None:
    intake.queue.flowing.clear()
    first = asyncio.create_task(intake.post_data(n=-1))
    await until(lambda: len(intake.queue.calls) == 1)
    intake.queue.refused = {queued(email(n=3)), queued(email(n=5))}
    rest = [asyncio.create_task(intake.post_data(n=n)) for n in range(8)]
    await until(lambda: intake.waiting == 9)
    intake.queue.flowing.set()
    responses = await asyncio.gather(*rest)
    assert [len(call) for call in intake.queue.calls] == [1, 8]
    assert [response.status_code for response in responses] == [200, 200, 200, 503, 200, 503, 200, 200]
    assert responses[3].content == UNAVAILABLE[1]
    assert (await first).status_code == 200


@pytest.mark.parametrize("settings", [{"max_waiting": 3}, {"max_waiting_bytes": 3 * len(queued(email(n=0)))}], ids=str)
async def test_more_than_may_wait_is_refused_at_once_by_count_and_by_bytes(settings: dict[str, int]) -> None:
    intake = Intake(**settings)  # type: ignore[arg-type]  # which of the fields, the parameter says
    intake.queue.flowing.clear()
    waiting = [asyncio.create_task(intake.post_data(n=n)) for n in range(3)]
    await until(lambda: intake.waiting == 3)
    response = await intake.post_data(n=3)  # while nothing flows: the answer waits for nothing
    assert (response.status_code, response.content) == (503, b'{"error": "Overloaded"}')
    assert response.headers["retry-after"] == "1"
    intake.queue.flowing.set()
    assert [response.status_code for response in await asyncio.gather(*waiting)] == [200] * 3
    assert (await intake.post_data(n=3)).status_code == 200
    assert len(intake.queued) == 4


async def test_a_single_email_is_taken_even_where_it_is_longer_than_the_bound() -> None:
    intake = Intake(max_waiting_bytes=1)
    assert (await intake.post()).status_code == 200


async def test_while_overloaded_a_body_is_not_even_asked_for() -> None:
    intake = Intake(max_waiting=1)
    intake.queue.flowing.clear()
    waiting = asyncio.create_task(intake.post())
    await until(lambda: intake.waiting == 1)
    response = await intake.post(posted()[:10])  # read, it would be 400
    assert response.status_code == 503
    intake.queue.flowing.set()
    assert (await waiting).status_code == 200


async def test_bodies_that_came_to_their_end_together_do_not_slip_past_the_bound() -> None:
    intake = Intake(max_waiting=1)
    intake.queue.flowing.clear()
    rest = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield posted()[:10]
        await rest.wait()
        yield posted()[10:]

    posts = [asyncio.create_task(intake.post(slow())) for _ in range(3)]
    await until(lambda: intake.arriving_bytes == 30)
    rest.set()
    await until(lambda: sum(post.done() for post in posts) == 2)
    intake.queue.flowing.set()
    responses = await asyncio.gather(*posts)
    assert sorted(response.status_code for response in responses) == [200, 503, 503]
    assert len(intake.queued) == 1


async def test_stopping_does_not_wait_forever_for_a_queue_that_never_answers() -> None:
    intake = Intake(queue_timeout_seconds=0.05, limits=Limits(entries=1, payload_bytes=262_144, message_bytes=262_144))
    intake.queue.flowing.clear()
    assert (await intake.post()).status_code == 503
    async with asyncio.timeout(DEADLINE):
        await intake.service.sender.drain()
    intake.queue.flowing.set()
    await intake.service.sender._batcher.drain()


async def test_stopping_waits_for_the_call_under_way(intake: Intake) -> None:
    intake.queue.flowing.clear()
    waiting = asyncio.create_task(intake.post())
    await until(lambda: len(intake.queue.calls) == 1)
    draining = asyncio.create_task(intake.service.sender.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    intake.queue.flowing.set()
    await draining
    assert (await waiting).status_code == 200


async def test_each_email_not_confirmed_is_counted(intake: Intake) -> None:
    intake.queue.unavailable = "down"
    await asyncio.gather(*(intake.post_data(n=n) for n in range(3)))
    assert intake.metric("checkpoint_messages_unconfirmed_total") == 3
    assert intake.metric("checkpoint_requests_total", status="503") == 3


def put(intake: Intake, *bodies: bytes) -> list[Refusal | None]:
    """Put e-mails in line; what comes of them, as it comes."""
    ends: list[Refusal | None] = []
    for body in bodies:
        intake.service.sender.put(body, ends.append)
    return ends


async def test_an_email_put_in_line_is_told_to_be_confirmed_when_the_queue_has_it_and_not_before(
    intake: Intake,
) -> None:
    intake.queue.flowing.clear()
    ends = put(intake, b"a", b"b")
    await until(lambda: intake.queue.calls)
    assert ends == []
    intake.queue.flowing.set()
    await until(lambda: ends)
    assert ends == [None, None]
    assert intake.queued == [b"a", b"b"]


async def test_an_email_put_in_line_is_refused_by_the_outage_and_by_the_deadline() -> None:
    intake = Intake(queue_timeout_seconds=0.05)
    intake.queue.unavailable = "down"
    down = put(intake, b"a")
    await until(lambda: down)
    assert intake.service.health.faults == {"queue": "down"}
    intake.queue.unavailable = None
    intake.queue.flowing.clear()
    late = put(intake, b"b")
    await until(lambda: late)
    assert down == late == [QUEUE_UNAVAILABLE]
    assert intake.service.health.faults == {"queue": "no confirmation within 0.05 s"}
    assert intake.metric("checkpoint_messages_unconfirmed_total") == 2
    intake.queue.flowing.set()
    await intake.service.sender.drain()


async def test_an_email_for_which_there_is_no_room_is_refused_at_once() -> None:
    intake = Intake(max_waiting=1)
    ends = put(intake, b"a")
    with pytest.raises(RefusedError) as refused:
        put(intake, b"b")
    assert refused.value.refusal is OVERLOADED
    await until(lambda: ends)
    assert ends == [None]


async def test_an_error_that_nobody_foresaw_is_told_to_each_of_its_call_and_logged_once(
    intake: Intake, lines: list[dict[str, object]]
) -> None:
    intake.queue.error = RuntimeError("Your Content")
    ends = put(intake, b"a", b"b", b"c")
    await until(lambda: ends)
    assert ends == [INTERNAL_ERROR] * 3
    assert [line["error"] for line in lines if line["event"] == "unexpected_error"] == ["RuntimeError"]
    assert intake.metric("checkpoint_messages_unconfirmed_total") == 0
    assert "Your Content" not in repr(lines)


async def test_a_queue_that_answers_for_another_number_of_emails_confirms_none_of_them(
    intake: Intake, lines: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forgetful(_: object) -> list[None]:
        return []

    monkeypatch.setattr(intake.queue, "send", forgetful)
    ends = put(intake, b"a", b"b")
    await until(lambda: ends)
    assert ends == [INTERNAL_ERROR] * 2
    assert intake.service.health.faults == {"queue": "ValueError"}
    assert [line["error"] for line in lines if line["event"] == "unexpected_error"] == ["ValueError"]


async def test_a_request_that_cannot_be_answered_harms_none_that_shares_its_call(
    intake: Intake, lines: list[dict[str, object]]
) -> None:
    def careless(_: object) -> None:
        raise ZeroDivisionError("Your Content")

    ends = put(intake, b"a")
    intake.service.sender.put(b"careless", careless)
    more = put(intake, b"b")
    await until(lambda: more)
    assert ends == more == [None]
    assert [line["error"] for line in lines if line["event"] == "unexpected_error"] == ["ZeroDivisionError"]
    assert "Your Content" not in repr(lines)
