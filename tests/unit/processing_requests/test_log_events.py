"""What the intake logs: events with stable names, and keys to search for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, posted
from unit.processing_requests.raw_http import answer, connected, head
from unit.processing_requests.waiting import until

Lines = list[dict[str, Any]]


async def test_a_queued_message_is_logged_at_debug_by_its_id(intake: Intake, lines: Lines) -> None:
    identity = (await intake.post()).headers["x-message-id"]
    assert {"event": "message_queued", "message_id": identity, "log_level": "debug"} in lines


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"{", {"status": 400, "error": "Invalid JSON", "fields": []}),
        (posted(token="wrong"), {"status": 401, "error": "Invalid token", "fields": []}),
        (posted([]), {"status": 400, "error": "Invalid date format or fields", "fields": ["data"]}),
        (
            posted(email(email_sender=1, email_timestream="tomorrow")),
            {"status": 400, "error": "Invalid date format or fields", "fields": ["email_sender", "email_timestream"]},
        ),
    ],
    ids=["invalid JSON", "invalid token", "no e-mail", "invalid fields"],
)
async def test_a_refused_request_is_logged_at_debug_with_the_fields_that_are_wrong(
    intake: Intake, lines: Lines, body: bytes, refusal: dict[str, object]
) -> None:
    await intake.post(body)
    assert lines == [{"event": "request_refused", "log_level": "debug", **refusal}]


async def test_a_client_that_disconnects_is_logged_at_debug(intake: Intake, lines: Lines) -> None:
    async with intake.serving() as port:
        async with connected(port) as (_, writer):
            writer.write(head(len(posted())) + posted()[:10])
            await until(lambda: intake.arriving_bytes == 10)
        await until(lambda: {"event": "client_disconnected", "log_level": "debug"} in lines)


async def test_a_connection_that_timed_out_is_logged_with_its_state(lines: Lines) -> None:
    intake = Intake(header_timeout_seconds=0.05)
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(10)[:-2])
        assert await reader.read() == b""
        async with connected(port) as (second_reader, second_writer):
            second_writer.write(head(1_000_000))
            assert (await answer(second_reader))[0] == 413
            second_writer.write(b" ")
            assert await second_reader.read() == b""
    timed_out = [line for line in lines if line["event"] == "connection_timed_out"]
    assert timed_out == [
        {"event": "connection_timed_out", "state": state, "log_level": "debug"} for state in ("head", "dropping")
    ]


async def test_a_request_that_the_stop_leaves_unanswered_is_logged(lines: Lines) -> None:
    intake = Intake(queue_timeout_seconds=2)
    intake.queue.flowing.clear()
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(head(len(posted())) + posted())
        await until(lambda: intake.waiting == 1)
        intake.stop.set()
        assert (await answer(reader))[0] == 503
        intake.queue.flowing.set()
    refused = {"event": "request_refused", "status": 503, "error": "Queue unavailable", "fields": []}
    assert {**refused, "log_level": "debug"} in lines


async def test_the_answers_are_counted_by_status_in_one_line(intake: Intake, lines: Lines) -> None:
    async with intake.serving():
        for body in (posted(), posted(), b"{"):
            await intake.post(body)
    assert lines[-1] == {"event": "requests_answered", "200": 2, "400": 1, "log_level": "info"}


async def test_where_the_service_listens_is_logged(intake: Intake, lines: Lines) -> None:
    async with intake.serving() as port:
        pass
    assert {"event": "listening", "host": "127.0.0.1", "port": port, "log_level": "info"} in lines


async def test_the_name_of_every_event_is_snake_case(intake: Intake, lines: Lines) -> None:
    async with intake.serving():
        await intake.post()
        await intake.post(b"{")
        intake.queue.unavailable = "down"
        await intake.post()
        intake.queue.unavailable = None
        intake.queue.error = RuntimeError()
        await intake.post()
    assert len({line["event"] for line in lines}) >= 6
    assert [line["event"] for line in lines if not re.fullmatch("[a-z]+(_[a-z]+)*", line["event"])] == []
