"""The contract of an e-mail, without any queue or store."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint.email import FIELDS, MAX_BODY_BYTES, MAX_EXACT_NUMBER, Email, NotAnEmailError
from checkpoint.message_queue.port import Message

EXAMPLE = {
    "email_subject": "Your Subject",
    "email_sender": "Your Sender",
    "email_timestream": "1706213694",
    "email_content": "Your Content",
}
LATEST = 1_800_000_000
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)


def accept(data: object) -> Email:
    return accept_text(json.dumps(data, ensure_ascii=False))


def accept_text(text: str) -> Email:
    return Email.accept(text.encode(), json.loads(text), latest=LATEST)


def pointers(data: object) -> list[str]:
    with pytest.raises(NotAnEmailError) as caught:
        accept(data)
    return [fault.pointer for fault in caught.value.faults]


def test_the_assignments_email_is_archived_as_its_131_bytes() -> None:
    email = accept(EXAMPLE)
    assert len(email.body) == 131
    assert email.body == (
        b'{"email_subject": "Your Subject", "email_sender": "Your Sender", '
        b'"email_timestream": "1706213694", "email_content": "Your Content"}'
    )


def test_the_identity_is_the_sha_256_of_the_archived_bytes() -> None:
    email = accept(EXAMPLE)
    assert email.identity == hashlib.sha256(email.body).hexdigest()


def test_the_names_are_the_assignments_then_longer_ones_with_the_identity() -> None:
    email = accept(EXAMPLE)
    assert list(email.names) == [
        "sqs_message_1706213694.json",
        f"sqs_message_1706213694_{email.identity[:16]}.json",
        f"sqs_message_1706213694_{email.identity}.json",
    ]


def test_members_beyond_the_four_are_kept_in_the_posted_order() -> None:
    data = {"cc": ["a", 1, None], **EXAMPLE, "zeta": {"b": 1, "a": 2}}
    assert accept(data).body == json.dumps(data, ensure_ascii=False).encode()


def test_a_timestream_may_be_an_integer_and_stays_one() -> None:
    email = accept({**EXAMPLE, "email_timestream": 1706213694})
    assert email.timestream == "1706213694"
    assert b'"email_timestream": 1706213694,' in email.body


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        *(
            ("16103.0", "16103"),
            ("1.6e4", "16000"),
            ("1.6E+4", "16000"),
            ("160000e-1", "16000"),
            ("1706213694.000", "1706213694"),
        ),
        *(("0.0", "0"), ("-0.0", "0"), ("-0", "0"), ("-0e5", "0"), ("9007199254740991.0", "9007199254740991")),
    ],
)
def test_a_timestream_may_be_any_integer_of_json_schema_and_keeps_its_spelling(written: str, digits: str) -> None:
    body = json.dumps(EXAMPLE).replace('"1706213694"', written).encode()
    email = Email.accept(body, msgspec.json.decode(body), latest=2**53)
    assert email.timestream == digits
    assert email.body == body
    assert Email.read(body) == email
    assert next(email.names) == f"sqs_message_{email.timestream}.json"


@given(number=st.integers(0, MAX_EXACT_NUMBER), places=st.integers(0, 20), zeros=st.integers(0, 3))
def test_an_integer_has_the_same_digits_with_a_fraction_or_an_exponent(number: int, places: int, zeros: int) -> None:
    digits = str(number).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :] + "0" * zeros
    spelling = f"{int(whole)}.{fraction}e{places}" if fraction else f"{int(whole)}e0"
    body = json.dumps(EXAMPLE).replace('"1706213694"', spelling).encode()
    assert Email.read(body).timestream == str(number)


def test_a_number_that_doubles_do_not_hold_exactly_is_taken_as_an_integer_only_if_it_is_written_as_one() -> None:
    body = json.dumps(EXAMPLE).replace('"1706213694"', "9007199254740993").encode()
    assert Email.read(body).timestream == "9007199254740993"
    with pytest.raises(NotAnEmailError):
        Email.read(body.replace(b"40993", b"40993.0"))


@pytest.mark.parametrize(
    "timestream",
    [
        *("", "12a", "-1", "1.5", "1.0", "1e3", " 1", "1 ", "1\n", "١٢", "²", "1" * 21, "9" * 5000),
        *(-1, 10**20, 1.5, -1.0, 1e-7, 1e20, 1e308, float(2**53), float(2**53 + 2), True, None, [], {}),
    ],
    ids=repr,
)
def test_a_timestream_that_is_not_ascii_digits_is_a_fault(timestream: object) -> None:
    assert pointers({**EXAMPLE, "email_timestream": timestream}) == ["/email_timestream"]


def test_a_timestream_at_the_latest_moment_is_accepted_and_one_second_more_is_not() -> None:
    assert accept({**EXAMPLE, "email_timestream": str(LATEST)}).timestream == str(LATEST)
    assert pointers({**EXAMPLE, "email_timestream": str(LATEST + 1)}) == ["/email_timestream"]


@pytest.mark.parametrize("field", FIELDS)
def test_each_of_the_four_fields_must_be_there(field: str) -> None:
    assert pointers({key: value for key, value in EXAMPLE.items() if key != field}) == [f"/{field}"]


@pytest.mark.parametrize("value", ["", 1, None, [], {}, True], ids=repr)
@pytest.mark.parametrize("field", ["email_subject", "email_sender", "email_content"])
def test_each_of_the_text_fields_must_be_a_string_that_is_not_empty(field: str, value: object) -> None:
    assert pointers({**EXAMPLE, field: value}) == [f"/{field}"]


def test_all_faults_are_named_at_once() -> None:
    assert pointers({"email_content": "x"}) == ["/email_subject", "/email_sender", "/email_timestream"]


@pytest.mark.parametrize("data", [None, [], "x", 1, True], ids=repr)
def test_anything_but_an_object_is_one_fault_at_the_root(data: object) -> None:
    assert pointers(data) == [""]


def test_a_fault_never_repeats_a_value() -> None:
    with pytest.raises(NotAnEmailError) as caught:
        accept({**EXAMPLE, "email_subject": ["secret"], "email_timestream": "secret"})
    assert "secret" not in str(caught.value)
    assert "secret" not in str(caught.value.faults)


def test_an_email_does_not_show_its_content_when_printed() -> None:
    assert "Your" not in repr(accept(EXAMPLE))
    assert "Your" not in repr(Message(accept(EXAMPLE).body, "receipt", 1))


def test_the_two_characters_that_sqs_refuses_are_escaped_and_read_back() -> None:
    email = accept({**EXAMPLE, "email_subject": "a\ufffeb\uffffc\ufffd"})
    assert b"\\ufffe" in email.body
    assert b"\\uffff" in email.body
    assert "\ufffd".encode() in email.body
    assert json.loads(email.body)["email_subject"] == "a\ufffeb\uffffc\ufffd"


def test_from_a_queue_the_date_is_not_compared_with_a_clock() -> None:
    body = json.dumps({**EXAMPLE, "email_timestream": "99999999999999999999"}).encode()
    assert Email.read(body).timestream == "99999999999999999999"


def test_from_a_queue_the_bytes_are_kept_as_they_came() -> None:
    body = json.dumps(EXAMPLE, indent=2).encode()
    assert Email.read(body).body == body


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b'"x"', b"\xff\xfe", b'{"email_subject": "\\ud800"}', b"[" * 100_000, b"NaN"],
    ids=lambda body: repr(body[:20]),
)
def test_bytes_that_are_no_email_are_told_apart(body: bytes) -> None:
    with pytest.raises(NotAnEmailError):
        Email.read(body)


@given(extra=st.dictionaries(TEXT, JSON), text=TEXT.filter(bool))
def test_whatever_is_accepted_reads_back_as_the_posted_data_and_passes_the_broker(
    extra: dict[str, Any], text: str
) -> None:
    data = {**extra, **EXAMPLE, "email_content": text}
    email = accept(data)
    assert json.loads(email.body) == data
    assert Email.read(email.body) == email
    assert not any(ord(character) < 0x20 or character in "\ufffe\uffff" for character in email.body.decode())


@pytest.mark.parametrize(
    "doubled",
    [
        '"email_sender": "a", ',
        '"x": {"a": 1, "a": 1}, ',
        '"x": [[{"\\u0061": ":", "a": "\\u003a"}]], ',
        '"": 1, "": 2, ',
    ],
)
def test_a_name_that_stands_twice_in_an_object_is_one_fault_at_the_root(doubled: str) -> None:
    text = "{" + doubled + json.dumps(EXAMPLE)[1:]
    with pytest.raises(NotAnEmailError) as caught:
        accept_text(text)
    assert [fault.pointer for fault in caught.value.faults] == [""]
    assert Email.read(text.encode()).body == text.encode()  # what is on the queue already is kept


def test_from_a_queue_what_is_longer_than_any_email_is_told_apart() -> None:
    longest = json.dumps({**EXAMPLE, "email_content": "x" * (MAX_BODY_BYTES - 119)}).encode()
    assert len(longest) == MAX_BODY_BYTES
    assert Email.read(longest).body == longest
    with pytest.raises(NotAnEmailError, match="longer than 16777216 bytes"):
        Email.read(longest + b" ")
