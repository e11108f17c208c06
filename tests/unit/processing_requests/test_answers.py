"""The answers' table, row by row: status, body, headers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from unit.processing_requests.posted_emails import JSON, email, posted, queued

if TYPE_CHECKING:
    import httpx

    from unit.processing_requests.intake import Intake

INVALID_FIELDS = b'{"error": "Invalid date format or fields"}'
EXAMPLE = (
    b'{"email_subject": "Your Subject", "email_sender": "Your Sender", '
    b'"email_timestream": "1706213694", "email_content": "Your Content"}'
)


def is_refused(response: httpx.Response, status: int, body: bytes) -> bool:
    is_json = response.headers["content-type"] == "application/json"
    return (response.status_code, response.content, is_json) == (status, body, True)


async def test_the_assignments_request_is_queued_and_answered_as_it_shows(intake: Intake) -> None:
    response = await intake.post()
    assert response.status_code == 200
    assert response.content == b'{"message": "Request processed successfully"}'
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-message-id"] == hashlib.sha256(EXAMPLE).hexdigest()
    assert intake.queued == [EXAMPLE]
    assert len(EXAMPLE) == 131


async def test_the_assignments_wrong_token_is_answered_as_it_shows(intake: Intake) -> None:
    response = await intake.post(posted(token="notgood"))
    assert is_refused(response, 401, b'{"error": "Invalid token"}')
    assert response.headers["www-authenticate"] == 'Bearer realm="checkpoint"'
    assert intake.queued == []


async def test_the_assignments_wrong_timestamp_is_answered_as_it_shows(intake: Intake) -> None:
    response = await intake.post_data(email_timestream="170621369400")
    assert is_refused(response, 400, INVALID_FIELDS)
    assert intake.queued == []


@pytest.mark.parametrize("data", [None, [], "text", 1, True, {}], ids=repr)
async def test_data_that_is_no_email_object_is_refused(intake: Intake, data: object) -> None:
    body = b'{"token": "foobar"}' if data is None else posted(data)
    assert is_refused(await intake.post(body), 400, INVALID_FIELDS)


@pytest.mark.parametrize("value", ["", None, 1, 1.5, True, [], {}, ["text"]], ids=repr)
@pytest.mark.parametrize("name", ["email_subject", "email_sender", "email_content"])
async def test_a_text_field_that_is_empty_or_no_string_is_refused(intake: Intake, name: str, value: object) -> None:
    assert is_refused(await intake.post_data(**{name: value}), 400, INVALID_FIELDS)
    assert intake.queued == []


@pytest.mark.parametrize("name", sorted(email()))
async def test_each_of_the_four_fields_is_needed(intake: Intake, name: str) -> None:
    data = email()
    del data[name]
    assert is_refused(await intake.post(posted(data)), 400, INVALID_FIELDS)


@pytest.mark.parametrize(
    "timestream",
    [
        *(
            "",
            " 1706213694",
            "1706213694\n",
            "+1",
            "-1",
            "1.0",
            "1e9",
            "abc",
            "1_000",
            "\u0661\u0662",
            "\xb2",
            "0" * 21,
        ),
        *(-1, 1.5, float(2**53), True, None, [], 10**20),
    ],
    ids=repr,
)
async def test_a_timestream_that_is_not_ascii_digits_or_an_integer_is_refused(
    intake: Intake, timestream: object
) -> None:
    assert is_refused(await intake.post_data(email_timestream=timestream), 400, INVALID_FIELDS)
    assert intake.queued == []


@pytest.mark.parametrize("timestream", ["0", "0001706213694", "0" * 20, 0, 1706213694, 16103.0, -0.0], ids=repr)
async def test_a_timestream_of_digits_or_an_integer_is_kept_as_it_was_posted(
    intake: Intake, timestream: object
) -> None:
    assert (await intake.post_data(email_timestream=timestream)).status_code == 200
    assert intake.queued == [queued(email(email_timestream=timestream))]


@pytest.mark.parametrize("kind", [str, int])
async def test_an_email_dated_exactly_at_the_clock_skew_is_taken_and_one_second_more_is_refused(
    intake: Intake, kind: type
) -> None:
    intake.clock.now = 1_000.9
    assert (await intake.post_data(email_timestream=kind(1_300))).status_code == 200
    assert is_refused(await intake.post_data(email_timestream=kind(1_301)), 400, INVALID_FIELDS)


async def test_the_token_is_checked_before_the_fields(intake: Intake) -> None:
    assert is_refused(await intake.post(posted({}, token="wrong")), 401, b'{"error": "Invalid token"}')


@pytest.mark.parametrize("path", ["/", "/process_request/", "/Process_Request", "/process_request/x", "/livez"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_another_path_is_not_found(intake: Intake, method: str, path: str) -> None:
    assert is_refused(await intake.request(method, path, headers=JSON), 404, b'{"error": "Not Found"}')


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_is_not_allowed_and_told_which_is(intake: Intake, method: str) -> None:
    response = await intake.request(method, "/process_request", content=posted(), headers=JSON)
    assert is_refused(response, 405, b"" if method == "HEAD" else b'{"error": "Method Not Allowed"}')
    assert response.headers["allow"] == "POST"
    assert intake.queued == []


async def test_an_error_of_our_own_is_answered_and_logged_by_its_place_alone(
    intake: Intake, lines: list[dict[str, str]]
) -> None:
    intake.queue.error = RuntimeError("Your Content is in this text")
    response = await intake.post()
    assert is_refused(response, 500, b'{"error": "Internal error"}')
    failed = [line for line in lines if line["event"] == "unexpected_error"]
    assert [line["error"] for line in failed] == ["RuntimeError"]
    assert "watched_queue.py:" in failed[0]["at"]
    assert "Your Content" not in repr(lines)
