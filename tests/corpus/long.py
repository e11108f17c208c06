"""Requests beyond the bounds: in one write and in many, declared, lied about and not declared."""

from __future__ import annotations

from typing import Final

from corpus.answers import HEAD_TOO_LARGE, INVALID_HTTP, INVALID_JSON, INVALID_TOKEN, KEPT, TOO_LARGE, URI_TOO_LONG
from corpus.case import Case, Step
from corpus.raw_requests import (
    CHUNKED,
    GOOD,
    HOST,
    LAST_CHUNK,
    MAX_BYTES,
    MAX_HEAD_BYTES,
    POSTED,
    chunk,
    framed,
    get,
    post,
    posted,
    text,
)

_LENGTH: Final = b"Content-Length: %d" % len(POSTED)
_LONG_TARGET: Final = b"/process_request?" + b"x" * 70_000
_ENDLESS_TARGET: Final = b"POST /process_request?" + b"x" * 70_000


def _with_head_of(size: int) -> bytes:
    line = b"X-Further: "
    head_size = GOOD.index(b"\r\n\r\n") + 4
    return post(POSTED, line + b"x" * (size - head_size - len(line) - 2))


def _in_pieces(sent: bytes, size: int = 1000) -> tuple[bytes, ...]:
    return tuple(sent[place : place + size] for place in range(0, len(sent), size))


_LONG_HEAD: Final = _with_head_of(200_000)
_MANY_LINES: Final = post(POSTED, *[b"X-Further: x"] * 6000)
_ENDLESS_HEAD: Final = GOOD[: GOOD.index(b"\r\n\r\n") + 2] + b"X-Further: x\r\n" * 6000

CASES: Final = (
    Case("a head of exactly as much as may be", _with_head_of(MAX_HEAD_BYTES), KEPT),
    Case("a head of one byte too many", _with_head_of(MAX_HEAD_BYTES + 1), HEAD_TOO_LARGE),
    Case("a head of one byte too many in pieces", _in_pieces(_with_head_of(MAX_HEAD_BYTES + 1)), HEAD_TOO_LARGE),
    Case("a head of exactly as much as may be in pieces", _in_pieces(_with_head_of(MAX_HEAD_BYTES)), KEPT),
    Case("a head of 200,000 bytes", _LONG_HEAD, HEAD_TOO_LARGE),
    Case("a head of 200,000 bytes in pieces", _in_pieces(_LONG_HEAD), HEAD_TOO_LARGE),
    Case("a head of 6,000 lines", _MANY_LINES, HEAD_TOO_LARGE),
    Case("a head of 6,000 lines in pieces", _in_pieces(_MANY_LINES), HEAD_TOO_LARGE),
    Case("a head of too many bytes that does not end", _ENDLESS_HEAD, HEAD_TOO_LARGE),
    Case("a head of too many bytes after a good request", GOOD + _LONG_HEAD, (KEPT, HEAD_TOO_LARGE)),
    Case("a head of too many bytes and a good request", _LONG_HEAD + GOOD, HEAD_TOO_LARGE),
    Case(
        "a token of 100,000 bytes in a header", post(POSTED, b"Authorization: Bearer " + b"x" * 100_000), HEAD_TOO_LARGE
    ),
    Case("a Host of 70,000 bytes", GOOD.replace(HOST, b"Host: " + b"x" * 70_000), HEAD_TOO_LARGE),
    Case("a target of 70,000 bytes", GOOD.replace(b"/process_request", _LONG_TARGET), URI_TOO_LONG),
    Case(
        "a target of 70,000 bytes in pieces", _in_pieces(GOOD.replace(b"/process_request", _LONG_TARGET)), URI_TOO_LONG
    ),
    Case("a target of 70,000 bytes that does not end", _ENDLESS_TARGET, URI_TOO_LONG),
    Case("a target of 70,000 bytes that does not end in pieces", _in_pieces(_ENDLESS_TARGET), URI_TOO_LONG),
    Case("a target of 70,000 bytes with a GET", get(b"/docs?" + b"x" * 70_000), URI_TOO_LONG),
    Case("a body of exactly as much as may be", post(POSTED.ljust(MAX_BYTES)), KEPT),
    Case("a body of one byte too many", post(POSTED.ljust(MAX_BYTES + 1)), TOO_LARGE),
    Case("a body of ten times as much as may be", post(b" " * 10 * MAX_BYTES), TOO_LARGE),
    Case("a body of one byte too many in pieces", _in_pieces(post(POSTED.ljust(MAX_BYTES + 1)), 100_000), TOO_LARGE),
    Case(
        "a body of one byte too many with a wrong token", post(posted(token=b'"wrong"').ljust(MAX_BYTES + 1)), TOO_LARGE
    ),
    Case(
        "a body in chunks that has one byte too many, in pieces",
        _in_pieces(framed(CHUNKED, body=chunk(POSTED) + chunk(b" " * 1000) * 2000 + LAST_CHUNK), 10_000),
        TOO_LARGE.closing(),
    ),
    Case(
        "a length that lies low: the rest is the next request, and none",
        framed(b"Content-Length: 5", body=b"x" * MAX_BYTES),
        (INVALID_JSON, INVALID_HTTP),
    ),
    Case(
        "a length that lies high",
        (framed(b"Content-Length: %d" % (MAX_BYTES * 1000)), Step.END),
        TOO_LARGE,
        ends=True,
    ),
    Case("a token of a megabyte", post(posted(token=text(b"x" * 1_000_000))), INVALID_TOKEN),
    Case("a body that is JSON of spaces", post(b" " * MAX_BYTES), INVALID_JSON),
    Case(
        "a good one after a body that is too long", (post(b" " * (MAX_BYTES + 1)), Step.READ, GOOD), (TOO_LARGE, KEPT)
    ),
)
