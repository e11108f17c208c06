"""Bodies that are not quite JSON, or more of it than anyone needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from unit.processing_requests.posted_emails import email, posted, queued

if TYPE_CHECKING:
    from unit.processing_requests.intake import Intake

INVALID = (400, b'{"error": "Invalid JSON"}')
MARK = '"MARK"'


def with_raw(raw: bytes) -> bytes:
    """A good request in which one further member is these bytes."""
    return posted(email(further="MARK")).replace(MARK.encode(), raw)


def nested(containers: int, innermost: object) -> bytes:
    """A good request whose posted object, `data` and what is in it are that many containers within one another."""
    value = innermost
    for depth in range(containers - 2):
        value = [value] if depth % 2 else {"deeper": value}
    return posted(email(further=value))


def short(raw: bytes) -> str:
    return repr(raw[:24])


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"{", b"}", b"[]", b"[{}]", b"1", b'"text"', b"null", b"true", b"NaN", b"nonsense", b"{} {}"),
        *(b"{'data': 1}", b'{"data": 1,}', b"{data: 1}", b"\0", b"data=1&token=foobar"),
        b"\xef\xbb\xbf" + posted(),
        posted().decode().encode("utf-16"),
        posted() + b"x",
        posted()[:-1],
    ],
    ids=short,
)
async def test_what_is_not_one_json_object_is_refused(intake: Intake, body: bytes) -> None:
    response = await intake.post(body)
    assert (response.status_code, response.content) == INVALID


@pytest.mark.parametrize(
    "raw",
    [
        *(b'"\xff"', b'"\xc3"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xc0\xaf"'),  # not UTF-8
        *(rb'"\ud800"', rb'"\udc00"', rb'"\ud800\ud800"', rb'"\udc00\ud800"', rb'"\ud800x"'),  # lone surrogates
        *(rb'{"\ud800": 1}', rb'"\uD83D"', rb'"\ud83d\u0041"'),
        *(b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"1" * 5000),  # no number that can be kept
        *(b'"\n"', b'"\x00"', rb'"\x41"', rb'"\u12"', b"01", b"+1", b".5", b"1."),
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
    ],
    ids=short,
)
async def test_json_that_cannot_be_kept_as_it_is_is_refused(intake: Intake, raw: bytes) -> None:
    response = await intake.post(with_raw(raw))
    assert (response.status_code, response.content) == INVALID
    assert intake.queued == []


@pytest.mark.parametrize(
    "raw",
    [
        *(b"1" * 4000, b"-" + b"9" * 300, b"18446744073709551616", b"0.1", b"-0.0", b"1e308", b"1E5", b"1e-400"),
        *(rb'"\ud83d\ude00"', '"😀"'.encode(), rb'"\u0000"', b'"\x7f"', rb'"\/"', rb'"\u2028"', b'""', b"{}", b"[]"),
        *(b"null", b"true", b'[1, [2, {"a": [3]}]]'),
    ],
    ids=short,
)
async def test_a_further_member_of_any_kind_is_queued_as_it_was_written(intake: Intake, raw: bytes) -> None:
    assert (await intake.post(with_raw(raw))).status_code == 200
    assert intake.queued == [json.dumps(email(further="MARK")).encode().replace(MARK.encode(), raw)]


@pytest.mark.parametrize("innermost", ["text", {}, []], ids=repr)
async def test_64_containers_within_one_another_are_taken_and_65_refused(intake: Intake, innermost: object) -> None:
    """The posted object is the first, `data` the second; a container is counted, empty or not."""
    most = 64 - isinstance(innermost, dict | list)
    assert (await intake.post(nested(most, innermost))).status_code == 200
    response = await intake.post(nested(most + 1, innermost))
    assert (response.status_code, response.content) == INVALID


async def test_nesting_outside_data_counts_too_but_the_token_is_asked_first(intake: Intake) -> None:
    body = b'{"ignored": ' + b"[" * 64 + b"]" * 64 + b', "token": "wrong"}'
    assert (await intake.post(body)).status_code == 401
    response = await intake.post(body.replace(b"wrong", b"foobar"))
    assert (response.status_code, response.content) == INVALID
    allowed = body.replace(b"[" * 64, b"[" * 63).replace(b"]" * 64, b"]" * 63)
    assert (await intake.post(allowed.replace(b"wrong", b"foobar"))).content != INVALID[1]


async def test_brackets_in_text_and_many_side_by_side_are_no_nesting(intake: Intake) -> None:
    data = email(email_content="[{" * 500, further=[[], {}] * 500)
    assert (await intake.post(posted(data))).status_code == 200
    assert intake.queued == [queued(data)]


@pytest.mark.parametrize(
    ("member", "doubled"),
    [
        ('"email_content":', '"email_sender": "Another", "email_content":'),
        ('"email_content":', '"email\\u005fcontent": "Another", "email_content":'),
        ('"email_content":', '"further": [{"a": 1, "b": {"a": ":"}, "a": "\\u003a"}], "email_content":'),
    ],
)
async def test_members_of_one_name_in_an_email_are_refused(intake: Intake, member: str, doubled: str) -> None:
    response = await intake.post(posted().replace(member.encode(), doubled.encode()))
    assert (response.status_code, response.content) == (400, b'{"error": "Invalid date format or fields"}')
    assert intake.queued == []


async def test_beside_the_email_the_last_member_of_a_name_counts(intake: Intake) -> None:
    body = posted().replace(b'"token": "foobar"', b'"token": "wrong", "token": "foobar"')
    body = body.replace(b'{"data":', rb'{"data": {"email_sender": "Nobody"}, "d\u0061ta":')
    assert (await intake.post(body)).status_code == 200
    assert intake.queued == [queued(email())]
