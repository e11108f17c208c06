"""What a body may be announced as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.processing_requests.posted_emails import JSON, posted

if TYPE_CHECKING:
    from unit.processing_requests.intake import Intake


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=latin-1",
        "APPLICATION/JSON",
        " Application/Json ; charset=UTF-8",
        "application/vnd.checkpoint+json",
        "application/problem+JSON; profile=x",
    ],
)
async def test_json_is_taken_by_any_of_its_names(intake: Intake, media_type: str) -> None:
    assert (await intake.post(headers={"Content-Type": media_type})).status_code == 200


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "text/vnd.checkpoint+json",
        "json",
        "",
    ],
)
async def test_another_media_type_is_refused(intake: Intake, media_type: str) -> None:
    response = await intake.post(headers={"Content-Type": media_type})
    assert (response.status_code, response.content) == (415, b'{"error": "Unsupported media type"}')
    assert response.headers["accept"] == "application/json"
    assert intake.queued == []


async def test_a_request_that_announces_no_media_type_is_refused(intake: Intake) -> None:
    assert (await intake.post(headers={})).status_code == 415


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "x"])
async def test_an_encoded_body_is_refused_and_told_what_is_taken(intake: Intake, coding: str) -> None:
    response = await intake.post(headers={**JSON, "Content-Encoding": coding})
    assert (response.status_code, response.content) == (415, b'{"error": "Unsupported media type"}')
    assert response.headers["accept-encoding"] == "identity"


async def test_the_identity_coding_is_no_coding(intake: Intake) -> None:
    assert (await intake.post(posted(), {**JSON, "Content-Encoding": "Identity"})).status_code == 200
