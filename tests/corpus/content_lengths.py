"""Content-Length: odd, doubled, lying, and beside Transfer-Encoding (RFC 9112, 6.1 to 6.3; RFC 9110, 8.6)."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_HTTP, INVALID_JSON, KEPT, NOTHING, PAGE, TOO_LARGE
from corpus.case import Case, Step, kept
from corpus.raw_requests import CHUNKED, GOOD, HOST, JSON, LAST_CHUNK, POSTED, START, chunk, framed, get, head, post

_LENGTH: Final = b"Content-Length: %d" % len(POSTED)
_CODED: Final = chunk(POSTED) + LAST_CHUNK

_NO_LENGTHS: Final = (
    *(b"+5", b"-5", b"-0", b"0x10", b"5 5", b"5,5", b"5, 5", b"5,", b",5", b"", b"five", b"1e2", b"5.0", b"5;", b'"5"'),
    *(b"\xd9\xa5", b"\xb2", b"5\x00", b"5\x0b", b"\x0c5", b"5_0"),
    *(b"18446744073709551616", b"18446744073709551621", b"1" + b"0" * 30, b"9" * 5000),
)

CASES: Final = (
    Case("both lengths at once, Content-Length first", framed(_LENGTH, CHUNKED), INVALID_HTTP),
    Case("both lengths at once, Transfer-Encoding first", framed(CHUNKED, _LENGTH, body=_CODED), INVALID_HTTP),
    Case("both lengths at once, of which one is 0", framed(CHUNKED, b"Content-Length: 0", body=_CODED), INVALID_HTTP),
    Case("both lengths at once on a path that there is not", get(b"/nowhere", CHUNKED, _LENGTH), INVALID_HTTP),
    Case("both lengths at once with a GET", get(b"/docs", CHUNKED, b"Content-Length: 5"), INVALID_HTTP),
    Case(
        "both lengths at once in HTTP/1.0",
        framed(_LENGTH, CHUNKED, start=START.replace(b"1.1", b"1.0")),
        INVALID_HTTP,
    ),
    *(
        Case(f"the length {value[:24]!r} is none", framed(b"Content-Length: " + value), INVALID_HTTP)
        for value in _NO_LENGTHS
    ),
    Case("the length twice, the same", framed(_LENGTH, _LENGTH), INVALID_HTTP),
    Case("the length twice, different", framed(_LENGTH, b"Content-Length: 5"), INVALID_HTTP),
    Case("the length twice, in another case", framed(_LENGTH, _LENGTH.upper()), INVALID_HTTP),
    Case("the length twice, the second one empty", framed(_LENGTH, b"Content-Length:"), INVALID_HTTP),
    Case("the length twice with a GET", get(b"/docs", b"Content-Length: 0", b"Content-Length: 0"), INVALID_HTTP),
    Case("a space before the length's colon", framed(_LENGTH.replace(b":", b" :")), INVALID_HTTP),
    Case("a tab before the length's colon", framed(_LENGTH.replace(b":", b"\t:")), INVALID_HTTP),
    Case("a NUL in the length's name", framed(_LENGTH.replace(b":", b"\x00:")), INVALID_HTTP),
    Case("a length folded onto the next line", framed(_LENGTH.replace(b" ", b"\r\n ")), INVALID_HTTP),
    Case("a length with tabs and spaces around it", framed(_LENGTH.replace(b" ", b" \t ") + b"\t "), KEPT),
    Case("a length right after its colon", framed(_LENGTH.replace(b" ", b"")), KEPT),
    Case("a length whose name is in capitals", framed(_LENGTH.upper()), KEPT),
    Case("a length with leading zeros", framed(b"Content-Length: 000%d" % len(POSTED)), KEPT),
    Case(
        "a length with 5,000 leading zeros, which a server may find too long",
        framed(b"Content-Length: " + b"0" * 5000 + b"%d" % len(POSTED)),
        KEPT,
        or_answers=INVALID_HTTP,
    ),
    Case("a length under another name is none", framed(b"Content_Length: 5"), (INVALID_JSON, INVALID_HTTP)),
    Case("no length at all", head(HOST, JSON), INVALID_JSON),
    Case("no length, and a body", framed(), (INVALID_JSON, INVALID_HTTP)),
    Case("the length 0", post(b""), INVALID_JSON),
    Case("the length 0, and a body", framed(b"Content-Length: 0"), (INVALID_JSON, INVALID_HTTP)),
    Case("a length one too short", framed(b"Content-Length: %d" % (len(POSTED) - 1)), (INVALID_JSON, INVALID_HTTP)),
    Case(
        "a length two too short, where the rest is an empty line that may go before a request",
        (framed(b"Content-Length: %d" % len(POSTED), body=POSTED + b"\r\n"), Step.READ, GOOD),
        (KEPT, KEPT),
    ),
    Case(
        "a length one too long takes the next request's first byte",
        framed(b"Content-Length: %d" % (len(POSTED) + 1)) + GOOD,
        (INVALID_JSON, INVALID_HTTP),
    ),
    Case(
        "a length that takes in the next request",
        framed(b"Content-Length: %d" % len(POSTED + GOOD)) + GOOD,
        INVALID_JSON,
    ),
    Case("a length one too long, and no more", (framed(b"Content-Length: %d" % (len(POSTED) + 1)), Step.END), NOTHING),
    *(
        Case(f"the length 2**{power} - 1, and no body", (framed(line, body=b""), Step.END), TOO_LARGE, ends=True)
        for power in (31, 32, 63, 64)
        for line in [b"Content-Length: %d" % (2**power - 1)]
    ),
    Case("a GET with a body", (get(b"/docs", _LENGTH) + POSTED), PAGE),
    Case(
        "a GET with a body that looks like a request",
        get(b"/docs", b"Content-Length: %d" % len(GOOD)) + GOOD,
        PAGE,
    ),
    Case("a GET with a body in chunks", get(b"/docs", CHUNKED) + _CODED, PAGE),
    Case("a GET with the length 0", get(b"/docs", b"Content-Length: 0"), PAGE),
    Case("a body of spaces around what is posted", post(b" \r\n\t" + POSTED + b"\r\n"), kept(KEPT.kept or b"")),
)
