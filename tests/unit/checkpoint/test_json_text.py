"""JSON as it was written: put on one line, and searched for names that stand twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from checkpoint.json_text import has_duplicate_names, on_one_line
from json_texts import names_of_one_object_are_distinct, written


@given(written())
def test_names_that_stand_twice_are_found_however_they_are_written(text: str) -> None:
    assert has_duplicate_names(text.encode(), json.loads(text)) != names_of_one_object_are_distinct(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'{"a": 1, "b": "\u003a"}', False),
        (r'{"a": 1, "a": "\u003a"}', True),
        (r'{"a": 1, "b": "\u003A", "a": ":"}', True),
        (r'{"a\u003a": 1, "a:": 2}', True),
        (r'{"a": "\\u003a"}', False),
        ('{"a": ":::", "b:": {"a": ":"}}', False),
        ('[{"a": 1}, {"a": 1}]', False),
        ('"a:b"', False),
        ('{"": 0, "": 0}', True),
        (r'{"n": 1e5, "a": ' + "9" * 5000 + r', "x": "\u003a"}', False),
    ],
)
def test_colons_in_strings_and_their_escapes_are_no_names(text: str, *, expected: bool) -> None:
    assert has_duplicate_names(text.encode(), json.loads(text, parse_int=str)) == expected


@given(written())
def test_on_one_line_the_json_is_the_same_but_for_line_breaks_and_two_characters(text: str) -> None:
    line = on_one_line(text.encode()).decode()
    assert not set(line) & set("\n\r\ufffe\uffff")
    assert json.loads(line) == json.loads(text)
    as_written = text.replace("\n", " ").replace("\r", " ")
    assert line == as_written.replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")
