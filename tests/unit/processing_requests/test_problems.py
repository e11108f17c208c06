"""RFC 9457 for those who ask for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from checkpoint.message_queue.port import QueueFullError
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import JSON, email, posted
from unit.processing_requests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PROBLEM = {**JSON, "Accept": "application/problem+json"}


async def problem(intake: Intake, posted_body: bytes | AsyncIterator[bytes], **headers: str) -> dict[str, Any]:
    response = await intake.post(posted_body, {**PROBLEM, **headers})
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    assert body["type"].startswith("urn:checkpoint:problem:")
    assert " " not in body["type"]
    assert body["detail"].endswith(".")
    return body


async def test_a_problem_lists_each_fault_of_an_email_with_a_pointer_and_a_sentence(intake: Intake) -> None:
    data = email(email_sender="", email_timestream="tomorrow")
    del data["email_subject"]
    body = await problem(intake, posted(data))
    assert body == {
        "type": "urn:checkpoint:problem:invalid-date-format-or-fields",
        "title": "Invalid date format or fields",
        "status": 400,
        "detail": "The member `data` breaks the contract of an e-mail; `errors` says where.",
        "errors": [
            {"pointer": "#/data/email_subject", "detail": "email_subject is missing."},
            {"pointer": "#/data/email_sender", "detail": "email_sender must be a string that is not empty."},
            {
                "pointer": "#/data/email_timestream",
                "detail": "email_timestream must be seconds since 1970: ASCII digits, at most 20, or an integer.",
            },
        ],
    }


@pytest.mark.parametrize("data", [[], "text", 1], ids=repr)
async def test_a_problem_says_that_data_is_no_object(intake: Intake, data: object) -> None:
    body = await problem(intake, posted(data))
    assert body["errors"] == [
        {"pointer": "#/data", "detail": "data must be a JSON object with the e-mail's fields."},
    ]


async def test_a_problem_says_that_a_date_is_beyond_the_clock_skew(intake: Intake) -> None:
    body = await problem(intake, posted(email(email_timestream="170621369400")))
    assert body["errors"] == [
        {
            "pointer": "#/data/email_timestream",
            "detail": "email_timestream is further in the future than the clock skew allows.",
        }
    ]


async def test_a_problem_never_repeats_what_was_posted(intake: Intake) -> None:
    data = {"email_subject": ["MARK"], "email_sender": {"MARK": 1}, "email_timestream": "MARK", "MARK": "MARK"}
    assert "MARK" not in repr(await problem(intake, posted(data)))


async def test_a_wrong_token_and_invalid_json_are_problems(intake: Intake) -> None:
    assert (await problem(intake, posted(token="x")))["title"] == "Invalid token"
    body = await problem(intake, b"{")
    assert (body["title"], "errors" in body) == ("Invalid JSON", False)


async def test_what_is_wrong_with_a_request_is_a_problem() -> None:
    intake = Intake(max_request_bytes=1000, body_timeout_seconds=0.02)

    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    assert (await problem(intake, b" " * 1001))["title"] == "Request too large"
    assert (await problem(intake, posted(), **{"Content-Type": "text/plain"}))["title"] == "Unsupported media type"
    assert (await problem(intake, endless()))["title"] == "Request timeout"


async def test_what_is_wrong_with_the_service_is_a_problem() -> None:
    intake = Intake(max_waiting=1)
    intake.queue.unavailable = "down"
    assert (await problem(intake, posted()))["title"] == "Queue unavailable"
    intake.queue.error = QueueFullError("full")
    full = await problem(intake, posted())
    assert (full["type"], full["title"]) == ("urn:checkpoint:problem:queue-full", "Queue full")
    intake.queue.error = RuntimeError()
    assert (await problem(intake, posted()))["title"] == "Internal error"
    intake.queue.flowing.clear()
    waiting = asyncio.create_task(intake.post())
    await until(lambda: intake.waiting == 1)
    assert (await problem(intake, posted()))["title"] == "Overloaded"
    intake.queue.flowing.set()
    assert (await waiting).status_code == 500


async def test_another_path_and_another_method_are_problems(intake: Intake) -> None:
    for method, path, status, title in (
        ("POST", "/nowhere", 404, "Not Found"),
        ("GET", "/process_request", 405, "Method Not Allowed"),
    ):
        response = await intake.request(method, path, headers=PROBLEM)
        body = response.json()
        assert response.headers["content-type"] == "application/problem+json"
        assert (response.status_code, body["status"], body["title"]) == (status, status, title)
        assert response.headers.get("allow") == ("POST" if status == 405 else None)


@pytest.mark.parametrize(
    "accept",
    ["application/problem+json, application/json", "Application/Problem+JSON", "*/*;q=0.1,application/problem+json"],
)
async def test_a_problem_is_asked_for_by_its_media_type_among_others_in_any_case(intake: Intake, accept: str) -> None:
    assert (await problem(intake, b"{", Accept=accept))["status"] == 400


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/*", "", "text/html"])
async def test_a_client_that_does_not_ask_for_a_problem_gets_the_plain_body(intake: Intake, accept: str) -> None:
    response = await intake.post(b"{", {**JSON, "Accept": accept})
    assert response.content == b'{"error": "Invalid JSON"}'


async def test_the_200_is_the_same_for_a_client_that_asks_for_problems(intake: Intake) -> None:
    assert (await intake.post(headers=PROBLEM)).content == b'{"message": "Request processed successfully"}'
