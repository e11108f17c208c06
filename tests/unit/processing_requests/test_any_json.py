"""Whatever is posted gets one of the table's answers, and what is taken is kept as it was posted."""

from __future__ import annotations

import asyncio
import json
import sys

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from checkpoint.email import FIELDS, Email
from json_texts import names_of_one_object_are_distinct, written
from processing_requests import check as checking
from processing_requests.tokens import Tokens
from unit.processing_requests.intake import NOW, Intake
from unit.processing_requests.posted_emails import JSON, email, posted

ANSWERS = {
    (200, b'{"message": "Request processed successfully"}'),
    (401, b'{"error": "Invalid token"}'),
    (400, b'{"error": "Invalid date format or fields"}'),
    (400, b'{"error": "Invalid JSON"}'),
    (413, b'{"error": "Request too large"}'),
    (415, b'{"error": "Unsupported media type"}'),
}
MODEST = settings(max_examples=150, deadline=None, derandomize=True, database=None)

# Also the characters that JSON, UTF-8 and queues stumble over; surrogates are for those who write escapes.
text = st.text(st.characters(exclude_categories=[]) | st.sampled_from("\0\x7f\u2028\ufeff\ufffe\uffff\U0001f600\ud800"))
numbers = st.integers() | st.integers(-(10**40), 10**40) | st.floats()
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
timestreams = (
    st.integers(0, NOW + 600)
    | st.integers(0, NOW + 600).map(float)
    | st.integers(0, NOW).map(str)
    | st.from_regex(r"\A[0-9]{1,21}\Z")
    | values
)
good_text = st.text(min_size=1)
near_emails = st.fixed_dictionaries(
    {},
    optional={name: timestreams if name == "email_timestream" else good_text | values for name in FIELDS},
)
good_emails = st.fixed_dictionaries(
    {
        name: st.integers(0, NOW).flatmap(lambda number: st.sampled_from([str(number), number, float(number)]))
        if name == "email_timestream"
        else good_text
        for name in FIELDS
    }
)
emails = st.builds(lambda first, last: {**first, **last}, st.dictionaries(text, values, max_size=3), good_emails)
requests = st.fixed_dictionaries({"data": near_emails | emails | values, "token": st.just("foobar") | values})


def answered(body: bytes, headers: dict[str, str] | None = None) -> tuple[tuple[int, bytes], list[bytes]]:
    """The answer to one request to a new intake, and what is queued then."""

    async def post() -> tuple[tuple[int, bytes], list[bytes]]:
        intake = Intake()
        response = await intake.post(body, headers or JSON)
        return (response.status_code, response.content), intake.queued

    return asyncio.run(post())


def check(body: bytes) -> None:
    answer, queued = answered(body)
    assert answer in ANSWERS
    assert bool(queued) == (answer[0] == 200)
    for kept in queued:
        data = json.loads(body)["data"]
        assert json.loads(kept) == data
        assert list(json.loads(kept)) == list(data)
        assert kept.decode() in on_one_line(body.decode())
        assert Email.read(kept).timestream == digits(data["email_timestream"])


def digits(timestream: float | str) -> str:
    """Those of the e-mail's name: of an integer, however it is written."""
    return timestream if isinstance(timestream, str) else str(int(timestream))


def on_one_line(text: str) -> str:
    """What may change of what is posted, and nothing else."""
    for character, instead in (("\n", " "), ("\r", " "), ("\ufffe", r"\ufffe"), ("\uffff", r"\uffff")):
        text = text.replace(character, instead)
    return text


@MODEST
@given(body=values)
@example(body={"data": None, "token": None})
def test_any_json_gets_one_of_the_answers(body: object) -> None:
    check(json.dumps(body).encode())


@MODEST
@given(body=requests)
@example(body={"data": email(), "token": "\ud800"})
@example(body={"data": email(email_content="\udfff"), "token": "foobar"})
@example(body={"data": email(**{"\udfff": float("nan")}), "token": "foobar"})
def test_any_request_near_the_contract_gets_one_of_the_answers(body: object) -> None:
    check(json.dumps(body).encode())


@MODEST
@given(data=emails, indent=st.none() | st.integers(0, 3), ensure_ascii=st.booleans())
def test_an_email_that_is_taken_is_queued_as_it_was_posted(
    data: object, indent: int | None, *, ensure_ascii: bool
) -> None:
    written = json.dumps({"data": data, "token": "foobar"}, indent=indent, ensure_ascii=ensure_ascii)
    check(written.encode(errors="surrogatepass"))


@MODEST
@given(further=written(), before=written(), space=st.sampled_from(["", " ", "\r\n"]))
def test_whatever_json_text_is_taken_is_queued_as_it_was_written(further: str, before: str, space: str) -> None:
    data = json.dumps(email()).replace("}", f',{space}"further"{space}:{space}{further}{space}}}')
    body = f'{{"before":{before},{space}"data":{space}{data}{space},"token":"foobar"}}'
    (status, answer), queued = answered(body.encode())
    assert (status, answer) in ANSWERS
    assert queued == ([on_one_line(data).encode()] if status == 200 else [])
    assert status in {200, 400}
    assert (status == 200) == names_of_one_object_are_distinct(further)


@MODEST
@given(further=written(), padding=st.integers(0, 5_000))
def test_an_email_that_is_taken_keeps_nothing_of_its_request_in_memory(further: str, padding: int) -> None:
    assume(names_of_one_object_are_distinct(further))
    data = json.dumps(email()).replace("}", f', "further": {further}}}')
    body = f'{{"data":{data},"token":"foobar"}}'.encode().rjust(padding)
    references = sys.getrefcount(body)

    kept = checking.check({}, body, tokens=Tokens("foobar"), latest=NOW, max_bytes=len(body))

    assert sys.getrefcount(body) == references
    assert type(kept.body) is bytes
    assert vars(kept) == {"timestream": "1706213694", "body": on_one_line(data).encode()}


@MODEST
@given(body=st.binary() | st.binary(min_size=1).map(lambda noise: posted().replace(b"Your", noise)))
def test_any_bytes_get_one_of_the_answers(body: bytes) -> None:
    answer, _ = answered(body)
    assert answer in ANSWERS


@MODEST
@given(
    place=st.integers(0, len(posted()) - 1),
    change=st.binary(max_size=3),
    taken=st.integers(0, 5),
)
def test_a_good_request_damaged_anywhere_gets_one_of_the_answers(place: int, change: bytes, taken: int) -> None:
    answer, _ = answered(posted()[:place] + change + posted()[place + taken :])
    assert answer in ANSWERS


header_values = st.binary(max_size=20) | st.sampled_from([b"application/json", b"Bearer foobar", b"1", b"\xb2"])


@MODEST
@given(
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "Content-Encoding", "Authorization", "Expect", "Connection"]), header_values
    )
)
def test_any_headers_get_one_of_the_answers(headers: dict[str, bytes]) -> None:
    answer, _ = answered(posted(), headers)  # type: ignore[arg-type]  # httpx takes bytes as well
    assert answer in {*ANSWERS, (400, b'{"error": "Invalid HTTP request"}')}
