"""RFC 9457 for those who ask for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from intake_bench import JSON, Bench, email, posted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PROBLEM = {**JSON, "Accept": "application/problem+json"}


async def problem(bench: Bench, body: bytes | AsyncIterator[bytes], **headers: str) -> dict[str, Any]:
    response = await bench.post(body, {**PROBLEM, **headers})
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == response.status_code
    assert told["type"].startswith("urn:checkpoint:problem:")
    assert " " not in told["type"]
    assert told["detail"].endswith(".")
    return told


async def test_each_fault_of_an_email_is_told_with_its_place_and_a_sentence(bench: Bench) -> None:
    data = email(email_sender="", email_timestream="tomorrow")
    del data["email_subject"]
    told = await problem(bench, posted(data))
    assert told == {
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
async def test_data_that_is_no_object_is_told_as_such(bench: Bench, data: object) -> None:
    told = await problem(bench, posted(data))
    assert told["errors"] == [
        {"pointer": "#/data", "detail": "data must be a JSON object with the e-mail's fields."},
    ]


async def test_a_date_beyond_the_clock_skew_is_told_as_such(bench: Bench) -> None:
    told = await problem(bench, posted(email(email_timestream="170621369400")))
    assert told["errors"] == [
        {
            "pointer": "#/data/email_timestream",
            "detail": "email_timestream is further in the future than the clock skew allows.",
        }
    ]


async def test_a_problem_never_repeats_what_was_posted(bench: Bench) -> None:
    data = {"email_subject": ["MARK"], "email_sender": {"MARK": 1}, "email_timestream": "MARK", "MARK": "MARK"}
    assert "MARK" not in repr(await problem(bench, posted(data)))


async def test_a_wrong_token_and_bad_json_are_told(bench: Bench) -> None:
    assert (await problem(bench, posted(token="x")))["title"] == "Invalid token"
    told = await problem(bench, b"{")
    assert (told["title"], "errors" in told) == ("Invalid JSON", False)


async def test_what_is_wrong_with_a_request_itself_is_told() -> None:
    bench = Bench(max_bytes=1000, body_timeout_seconds=0.02)

    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    assert (await problem(bench, b" " * 1001))["title"] == "Request too large"
    assert (await problem(bench, posted(), **{"Content-Type": "text/plain"}))["title"] == "Unsupported media type"
    assert (await problem(bench, endless()))["title"] == "Request timeout"


async def test_what_is_wrong_with_the_service_is_told() -> None:
    bench = Bench(max_waiting=1)
    bench.queue.memory.unavailable = "down"
    assert (await problem(bench, posted()))["title"] == "Queue unavailable"
    bench.queue.error = RuntimeError()
    assert (await problem(bench, posted()))["title"] == "Internal error"
    bench.queue.flowing.clear()
    waiting = asyncio.create_task(bench.post())
    await bench.until(lambda: bench.sending._batcher.entries_held == 1)
    assert (await problem(bench, posted()))["title"] == "Overloaded"
    bench.queue.flowing.set()
    assert (await waiting).status_code == 500


async def test_another_path_and_another_method_are_told_as_problems(bench: Bench) -> None:
    for method, path, status, title in (
        ("POST", "/nowhere", 404, "Not Found"),
        ("GET", "/process_request", 405, "Method Not Allowed"),
    ):
        response = await bench.request(method, path, headers=PROBLEM)
        told = response.json()
        assert response.headers["content-type"] == "application/problem+json"
        assert (response.status_code, told["status"], told["title"]) == (status, status, title)
        assert response.headers.get("allow") == ("POST" if status == 405 else None)


@pytest.mark.parametrize(
    "accept",
    ["application/problem+json, application/json", "Application/Problem+JSON", "*/*;q=0.1,application/problem+json"],
)
async def test_it_is_asked_for_by_its_name_among_others_in_any_case(bench: Bench, accept: str) -> None:
    assert (await problem(bench, b"{", Accept=accept))["status"] == 400


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/*", "", "text/html"])
async def test_who_does_not_ask_for_it_by_name_gets_the_plain_body(bench: Bench, accept: str) -> None:
    response = await bench.post(b"{", {**JSON, "Accept": accept})
    assert response.content == b'{"error": "Invalid JSON"}'


async def test_an_email_taken_is_answered_alike_whatever_was_asked_for(bench: Bench) -> None:
    assert (await bench.post(headers=PROBLEM)).content == b'{"message": "Request processed successfully"}'
