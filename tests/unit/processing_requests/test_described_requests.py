"""The OpenAPI document's schema of a request and the service agree: what one refuses, the other refuses."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checkpoint.email import FIELDS, MAX_EXACT_NUMBER
from json_texts import written
from processing_requests.openapi import describe
from unit.processing_requests.intake import NOW, Intake
from unit.processing_requests.posted_emails import JSON, TOKEN, email, posted

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEST: Final = settings(max_examples=200, deadline=None, derandomize=True, database=None)
DOCUMENT: Final = describe()
REQUEST_BODY: Final = DOCUMENT["paths"]["/process_request"]["post"]["requestBody"]["content"]["application/json"]
# Its patterns are read as JSON Schema means them (ECMA-262), where `$` is no place before a last line break.
SCHEMA: Final = jsonschema_rs.Draft202012Validator(
    REQUEST_BODY["schema"] | {"components": DOCUMENT["components"]},
)

# All that a schema cannot say of a body that it takes.
BEYOND_A_SCHEMA: Final = {
    "email_timestream is further in the future than the clock skew allows.",
    "data must not have two members of one name in any object.",
}
BY_HEADER: Final = {**JSON, "Authorization": f"Bearer {TOKEN}"}
PROBLEM: Final = {"Accept": "application/problem+json"}

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
dates = st.integers(0, NOW) | st.integers(-2, NOW + 600) | st.sampled_from([MAX_EXACT_NUMBER, 2**53, 2**64, 10**20])
timestreams = (
    dates.map(str)
    | dates.map('"{}"'.format)
    | dates.map(lambda date: f"{date}.0")
    | dates.map(lambda date: f"{date}e-{len(str(date))}")
    | st.builds("{}e{}".format, st.integers(0, 99), st.integers(0, 9))
    | st.from_regex(r'\A"[0-9]{1,21}(\\n)?"\Z')
    | values.map(json.dumps)
)
texts = (text | text.filter(bool) | values).map(json.dumps)
fields = {name: timestreams if name == "email_timestream" else texts for name in FIELDS}
tokens = (st.just(TOKEN) | st.sampled_from(["wrong", "", None]) | values).map(json.dumps)


def written_object(members: Mapping[str, str]) -> str:
    """The JSON text of an object with these members, each of them a JSON text."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in members.items()) + "}"


GOOD: Final = {name: json.dumps(value) for name, value in email().items()}
one_change = st.sampled_from([*FIELDS, "further"]).flatmap(
    lambda name: st.fixed_dictionaries({name: fields.get(name, written())})
)
good_emails = one_change.map(lambda change: written_object(GOOD | change))
any_emails = st.fixed_dictionaries({}, optional=fields).map(written_object) | values.map(json.dumps)
further = {"further": written()}
requests = (
    st.fixed_dictionaries({"data": good_emails, "token": st.just(json.dumps(TOKEN))}, optional=further)
    | st.fixed_dictionaries({"data": good_emails}, optional={"token": tokens, **further})
    | st.fixed_dictionaries({}, optional={"data": any_emails, "token": tokens, **further})
).map(written_object)


def answered(body: str, headers: Mapping[str, str]) -> tuple[int, dict[str, Any], int]:
    """The status and the problem of a request to a new intake, and how many e-mails are on the queue then."""

    async def post() -> tuple[int, dict[str, Any], int]:
        intake = Intake()
        response = await intake.post(body.encode(), {**headers, **PROBLEM})
        return response.status_code, response.json(), len(intake.queued)

    return asyncio.run(post())


def check(body: str, headers: Mapping[str, str], *, token_is_right: bool) -> None:
    status, answer, queued = answered(body, headers)
    if not SCHEMA.is_valid(json.loads(body)):
        assert status in {400, 401}
    elif not token_is_right:
        assert status == 401
    elif status != 200:
        reasons = {error["detail"] for error in answer["errors"]}
        assert (status, reasons - BEYOND_A_SCHEMA) == (400, set())
    assert queued == (status == 200)


@MODEST
@given(body=requests)
@example(body=posted().decode())
@example(body=posted(token=None).decode())
@example(body=posted(token=1).decode())
@example(body=posted(email(email_timestream=str(NOW + 301))).decode())
@example(body=posted(email(further="MARK")).decode().replace('"further"', '"email_sender"'))
def test_with_the_token_in_the_body_schema_and_service_agree(body: str) -> None:
    check(body, JSON, token_is_right=json.loads(body).get("token") == TOKEN)


@MODEST
@given(body=requests)
@example(body=posted(token=None).decode())
@example(body=posted(token="wrong").decode())
@example(body=posted(token=1).decode())
@example(body=posted(email(email_timestream=str(NOW + 301))).decode())
@example(body=posted(email(further="MARK")).decode().replace('"further"', '"email_sender"'))
def test_with_the_token_in_the_header_schema_and_service_agree(body: str) -> None:
    check(body, BY_HEADER, token_is_right=True)


@MODEST
@given(body=written() | values.map(json.dumps))
def test_any_other_json_is_refused_by_both(body: str) -> None:
    assert not SCHEMA.is_valid(json.loads(body))
    check(body, BY_HEADER, token_is_right=True)


@pytest.mark.parametrize(
    "timestream",
    ['"0"', '"00000000000000000000"', "0", "-0", "-0.0", "16103", "16103.0", "1.6e4", "160000E-1", str(NOW + 300)],
)
async def test_a_timestream_that_the_schema_takes_is_taken(intake: Intake, timestream: str) -> None:
    body = posted().decode().replace('"1706213694"', timestream)
    assert SCHEMA.is_valid(json.loads(body))
    assert (await intake.post(body.encode())).status_code == 200
    assert timestream.encode() in intake.queued[0]


@pytest.mark.parametrize(
    "timestream",
    [
        *('""', '"1e3"', '"1.0"', '"-1"', '"1\\n"', '"000000000000000000000"', '"\\u0661"'),
        *("-1", "1.5", "1e-1", "9007199254740992", "9007199254740993.0", "1e20", "true", "null", "[1]", "{}"),
    ],
)
async def test_a_timestream_that_the_schema_refuses_is_refused(intake: Intake, timestream: str) -> None:
    body = posted().decode().replace('"1706213694"', timestream)
    assert not SCHEMA.is_valid(json.loads(body))
    assert (await intake.post(body.encode())).status_code == 400
    assert intake.queued == []


def test_of_the_requests_of_these_tests_many_are_valid_and_many_are_not() -> None:
    """Otherwise they would show little."""
    valid: list[bool] = []

    @MODEST
    @given(body=requests)
    def look(body: str) -> None:
        valid.append(SCHEMA.is_valid(json.loads(body)))

    look()
    assert len(valid) / 10 < sum(valid) < len(valid) * 9 / 10
