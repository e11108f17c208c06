"""Which token a request is judged by, and how."""

from __future__ import annotations

import pytest

from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import JSON, email, posted

NO_TOKEN = b'{"data": ' + posted()[len(b'{"data": ') :].partition(b', "token"')[0] + b"}"


async def status(intake: Intake, body: bytes, authorization: bytes | str | None = None) -> int:
    headers = JSON if authorization is None else {**JSON, "Authorization": authorization}
    return (await intake.post(body, headers)).status_code  # type: ignore[arg-type]  # httpx takes bytes as well


@pytest.mark.parametrize("token", ["wrong", "", "foobar ", "Foobar", "fooba", 1, None, True, [], ["foobar"], {}])
async def test_a_token_that_is_wrong_or_no_string_is_refused(intake: Intake, token: object) -> None:
    assert await status(intake, posted(token=token)) == 401
    assert intake.queued == []


async def test_a_request_without_a_token_is_refused(intake: Intake) -> None:
    assert await status(intake, NO_TOKEN) == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_token_may_come_in_the_header(intake: Intake, scheme: str) -> None:
    assert await status(intake, NO_TOKEN, f"{scheme} foobar") == 200


async def test_the_header_goes_before_the_body(intake: Intake) -> None:
    assert await status(intake, posted(token="wrong"), "Bearer foobar") == 200
    assert await status(intake, posted(token="foobar"), "Bearer wrong") == 401
    assert await status(intake, posted(token="foobar"), "Bearer ") == 401
    assert await status(intake, posted(token="foobar"), "Bearer") == 401


@pytest.mark.parametrize("token", [1, 0, False, True, 1.5, [], ["foobar"], {}, {"token": "foobar"}], ids=repr)
async def test_a_token_in_the_body_that_is_neither_a_string_nor_null_is_refused_whatever_the_header_has(
    intake: Intake, token: object
) -> None:
    for authorization in ("Bearer foobar", "Bearer wrong", None):
        body = posted(token=token)
        response = await intake.post(body, JSON if authorization is None else {**JSON, "Authorization": authorization})
        assert (response.status_code, response.content) == (401, b'{"error": "Invalid token"}')
    assert await status(intake, posted({}, token=token), "Bearer foobar") == 401  # before the fields are looked at
    assert intake.queued == []


async def test_a_token_that_is_null_counts_as_absent(intake: Intake) -> None:
    assert await status(intake, posted(token=None)) == 401
    assert await status(intake, posted(token=None), "Bearer wrong") == 401
    assert await status(intake, posted(token=None), "Bearer foobar") == 200


async def test_of_several_tokens_in_the_body_the_last_counts_and_so_does_its_type(intake: Intake) -> None:
    twice = posted(token=1).replace(b'"token": 1', b'"token": %s, "token": %s')
    assert await status(intake, twice % (b"1", b'"foobar"')) == 200
    assert await status(intake, twice % (b'"foobar"', b"1")) == 401
    assert await status(intake, twice % (b'"foobar"', b"1"), "Bearer foobar") == 401
    assert await status(intake, twice % (b"1", b"null"), "Bearer foobar") == 200


@pytest.mark.parametrize("authorization", ["Basic foobar", "foobar", "", "Token foobar", "Bearerfoobar"])
async def test_another_scheme_is_no_token_and_leaves_the_bodys(intake: Intake, authorization: str) -> None:
    assert await status(intake, NO_TOKEN, authorization) == 401
    assert await status(intake, posted(), authorization) == 200


async def test_each_of_several_tokens_is_valid_and_nothing_else() -> None:
    intake = Intake(token=" old , new,,")
    assert await status(intake, posted(token="old")) == 200
    assert await status(intake, posted(token="new")) == 200
    assert await status(intake, NO_TOKEN, "Bearer old") == 200
    for wrong in ("old,new", " old ", "", ","):
        assert await status(intake, posted(token=wrong)) == 401


async def test_a_token_beyond_ascii_is_valid_in_the_body_and_in_the_header() -> None:
    intake = Intake(token="clé-🔑")
    assert await status(intake, posted(token="clé-🔑")) == 200
    assert await status(intake, NO_TOKEN, "Bearer clé-🔑".encode()) == 200
    assert await status(intake, posted(token="clé")) == 401
    assert await status(intake, NO_TOKEN, "Bearer clé".encode("latin-1")) == 401


async def test_the_token_never_reaches_the_queue(intake: Intake) -> None:
    assert await status(intake, posted(email(token="another matter"))) == 200
    assert b"foobar" not in intake.queued[0]
    assert b'"token": "another matter"' in intake.queued[0]
