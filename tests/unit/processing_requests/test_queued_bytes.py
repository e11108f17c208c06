"""What is queued of what was posted: every member, in its order, to the byte."""

from __future__ import annotations

import hashlib
import json

import pytest

from checkpoint.email import MAX_BODY_BYTES, Email
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, posted, queued


async def test_further_members_and_the_order_of_all_are_kept(intake: Intake) -> None:
    data = {"z": 1, **dict(reversed(email().items())), "a": {"c": [1, 2.5, None], "b": "ß"}, "token": "of the e-mail"}
    assert (await intake.post(posted(data))).status_code == 200
    assert intake.queued == [queued(data)]
    assert list(json.loads(intake.queued[0])) == list(data)


async def test_members_beside_data_are_not_kept(intake: Intake) -> None:
    body = json.dumps({"further": "x", "token": "foobar", "data": email(), "last": 1}).encode()
    assert (await intake.post(body)).status_code == 200
    assert intake.queued == [queued(email())]


async def test_how_a_client_spaces_and_escapes_its_json_makes_no_other_email(intake: Intake) -> None:
    data = email(email_content="Grüße, 世界 😀")
    request = {"data": data, "token": "foobar"}
    for written in (
        json.dumps(request),
        json.dumps(request, ensure_ascii=False),
        json.dumps(request, indent=4),
        json.dumps(request, separators=(",", ":")),
    ):
        assert (await intake.post(written.encode())).status_code == 200
    assert set(intake.queued) == {queued(data)}
    assert "Grüße, 世界 😀".encode() in intake.queued[0]


async def test_an_integer_timestream_stays_an_integer(intake: Intake) -> None:
    assert (await intake.post_data(email_timestream=1706213694)).status_code == 200
    assert b'"email_timestream": 1706213694,' in intake.queued[0]
    assert Email.read(intake.queued[0]).timestream == "1706213694"


async def test_the_message_id_is_the_sha_256_of_what_is_queued(intake: Intake) -> None:
    for content in ("one", "two", "\uffff"):
        response = await intake.post_data(email_content=content)
        assert response.headers["x-message-id"] == hashlib.sha256(intake.queued[-1]).hexdigest()


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"])
async def test_the_two_characters_that_no_queue_takes_are_escaped(intake: Intake, character: str) -> None:
    data = email(email_content=f"a{character}b", **{f"named {character}": character})
    assert (await intake.post(posted(data))).status_code == 200
    assert character.encode() not in intake.queued[0]
    assert json.loads(intake.queued[0]) == data


async def test_an_email_may_be_as_long_as_a_message_and_no_longer() -> None:
    intake = Intake(max_request_bytes=2 * MAX_BODY_BYTES)
    room = MAX_BODY_BYTES - len(queued(email(email_content="")))
    assert (await intake.post_data(email_content="x" * room)).status_code == 200
    assert len(intake.queued[0]) == MAX_BODY_BYTES
    response = await intake.post_data(email_content="x" * (room + 1))
    assert (response.status_code, response.content) == (413, b'{"error": "Request too large"}')
    assert len(intake.queued) == 1


async def test_an_email_that_grows_beyond_a_message_when_it_is_written_out_is_too_large(intake: Intake) -> None:
    data = {**email(), "spaced": list(range(10)) * 12_000}
    body = json.dumps({"data": data, "token": "foobar"}, separators=(",", ":")).encode()
    assert len(body) < intake.settings.max_request_bytes < len(queued(data))
    response = await intake.post(body)
    assert (response.status_code, response.content) == (413, b'{"error": "Request too large"}')
    assert intake.queued == []
