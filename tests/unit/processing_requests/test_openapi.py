"""The description: true, whole, and readable without fetching anything."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from processing_requests import answers
from processing_requests.openapi import PostedEmail, Problem, Processed, Refused
from unit.processing_requests.posted_emails import email, posted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unit.processing_requests.intake import Intake

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest.fixture
async def document(intake: Intake) -> dict[str, Any]:
    response = await intake.request("GET", "/openapi.json")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    parsed: dict[str, Any] = response.json()
    return parsed


def refusals() -> list[answers.Refusal]:
    others = {answers.NOT_FOUND, answers.METHOD_NOT_ALLOWED}  # of another path, or another method
    return [value for value in vars(answers).values() if isinstance(value, answers.Refusal) and value not in others]


def everything_in(value: object) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from everything_in(inner)


def test_it_has_the_shape_of_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(document["info"])
    assert set(document["paths"]) == {"/process_request"}
    for operations in document["paths"].values():
        assert set(operations) <= METHODS
        for operation in operations.values():
            assert operation["requestBody"]["content"]
            for status, response in operation["responses"].items():
                assert re.fullmatch(r"[1-5][0-9][0-9]", status)
                assert response["description"]
                assert all("schema" in media for media in response["content"].values())
                assert all("schema" in header for header in response.get("headers", {}).values())


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = [part["$ref"] for part in everything_in(document) if isinstance(part, dict) and "$ref" in part]
    assert references
    for reference in references:
        target = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target["type"] == "object"


def test_what_may_secure_a_request_is_described(document: dict[str, Any]) -> None:
    named = {name for way in document["paths"]["/process_request"]["post"]["security"] for name in way}
    assert named == set(document["components"]["securitySchemes"])


def test_every_answer_is_in_it(document: dict[str, Any]) -> None:
    responses = document["paths"]["/process_request"]["post"]["responses"]
    assert set(responses) == {"200"} | {str(refusal.status) for refusal in refusals()}
    for refusal in refusals():
        response = responses[str(refusal.status)]
        assert {"error": refusal.error} in [
            each["value"] for each in response["content"]["application/json"]["examples"].values()
        ]
        assert "application/problem+json" in response["content"]
        assert set(refusal.headers) <= set(response["headers"])
    assert "X-Message-Id" in responses["200"]["headers"]


def test_every_status_that_a_client_may_get_is_in_it(document: dict[str, Any]) -> None:
    responses = document["paths"]["/process_request"]["post"]["responses"]
    every = {"200", "400", "401", "408", "413", "414", "415", "431", "500", "503", "505"}
    assert set(responses) == every
    for other in ("404", "405"):  # of other requests than the one that it describes
        assert other in document["info"]["description"]


def test_its_example_is_the_assignments_request_and_is_taken(document: dict[str, Any]) -> None:
    media = document["paths"]["/process_request"]["post"]["requestBody"]["content"]["application/json"]
    assert media["example"] == json.loads(posted())
    msgspec.convert(media["example"], PostedEmail)


async def test_answers_are_of_the_types_that_it_describes(intake: Intake) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/problem+json"}
    msgspec.json.decode((await intake.post()).content, type=Processed)
    msgspec.json.decode((await intake.post(b"{")).content, type=Refused)
    problem = msgspec.json.decode((await intake.post(posted({}), headers)).content, type=Problem)
    assert problem.errors


async def test_the_page_to_read_shows_every_answer(intake: Intake) -> None:
    response = await intake.request("GET", "/docs")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    shown = response.text.replace("&quot;", '"')
    assert "POST /process_request" in shown
    assert '{"message": "Request processed successfully"}' in shown
    for refusal in refusals():
        assert f'{{"error": "{refusal.error}"}}' in shown
    for field in email():
        assert field in shown
