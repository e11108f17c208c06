"""Bodies made to cost much: what the check of one takes, in memory, is bounded by the body's length."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing_requests import check as checking
from processing_requests.answers import INVALID_TOKEN, Refusal, RefusedError
from processing_requests.tokens import Tokens
from unit.processing_requests.intake import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

TOKENS = Tokens("foobar")


def refusal_of(body: bytes) -> Refusal:
    with pytest.raises(RefusedError) as refused:
        checking.check({}, body, tokens=TOKENS, latest=NOW, max_bytes=2**24)
    return refused.value.refusal


def peak_memory(act: Callable[[], object]) -> int:
    """The bytes that it allocates, at their peak."""
    tracemalloc.start()
    try:
        assert act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def members(count: int) -> bytes:
    return b"".join(b',"%x":1' % number for number in range(count))


@pytest.mark.parametrize("token", [b"1", b'"wrong"', b"null"])
def test_without_a_token_a_body_of_many_members_takes_no_memory(token: bytes) -> None:
    body = b'{"token":%s%s}' % (token, members(100_000))
    assert peak_memory(lambda: refusal_of(body) is INVALID_TOKEN) < 100_000


@pytest.mark.parametrize("value", [b'""', b'"\\""', b'"\\\\"', b'","', b"[]"], ids=repr)
def test_values_are_counted_in_a_small_multiple_of_the_memory_of_the_body(value: bytes) -> None:
    count = 200_000
    body = b"[%s]" % b",".join([value] * count)
    assert peak_memory(lambda: checking.separators(body)) < 10 * len(body)
    assert checking.separators(body) == count * (2 if value == b"[]" else 1)


text = st.text(st.sampled_from('",[{\\:}]a\né'), max_size=6)
values = st.recursive(
    text | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(value=values, is_ascii=st.booleans())
def test_values_are_counted_whatever_stands_in_strings(value: object, *, is_ascii: bool) -> None:
    """Each but the first has a comma before it, or the bracket of what it is in; an empty array has a bracket too."""

    def marks(value: object) -> int:
        inner = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else None
        return 0 if inner is None else 1 + max(len(inner) - 1, 0) + sum(map(marks, inner))

    assert checking.separators(json.dumps(value, ensure_ascii=is_ascii).encode()) == marks(value)
