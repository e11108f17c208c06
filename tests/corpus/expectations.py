"""`Expect: 100-continue`, and offers of another protocol (RFC 9110, 7.8 and 10.1.1)."""

from __future__ import annotations

from typing import Final

from corpus.answers import (
    CONTINUE,
    INVALID_HTTP,
    INVALID_JSON,
    INVALID_TOKEN,
    KEPT,
    NOT_FOUND,
    NOTHING,
    ONLY_GET,
    ONLY_POST,
    PAGE,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
)
from corpus.case import Case, Step
from corpus.raw_requests import (
    CHUNKED,
    GOOD,
    HOST,
    JSON,
    LAST_CHUNK,
    MAX_BYTES,
    POSTED,
    START,
    chunk,
    get,
    head,
    post,
    posted,
)

_EXPECT: Final = b"Expect: 100-continue"
_LENGTH: Final = b"Content-Length: %d" % len(POSTED)
_CODED: Final = chunk(POSTED) + LAST_CHUNK
_HEAD: Final = head(HOST, JSON, _LENGTH, _EXPECT)
_CHUNKED_HEAD: Final = head(HOST, JSON, CHUNKED, _EXPECT)
_READ: Final = Step.READ
_WRONG: Final = posted(token=b'"wrong"')

_H2C: Final = (
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
)
_WEBSOCKET: Final = (
    *(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)

_CONTINUED: Final = (
    Case("a body that is waited for", (_HEAD, _READ, POSTED), (CONTINUE, KEPT)),
    Case("a body in chunks that is waited for", (_CHUNKED_HEAD, _READ, _CODED), (CONTINUE, KEPT)),
    Case("an expectation in capitals", (_HEAD.replace(b"100-c", b"100-C"), _READ, POSTED), (CONTINUE, KEPT)),
    Case(
        "a wrong token after a 100",
        (head(HOST, JSON, _LENGTH, _EXPECT), _READ, _WRONG.ljust(len(POSTED))),
        (CONTINUE, INVALID_TOKEN),
    ),
    Case(
        "two requests that wait", (_HEAD, _READ, POSTED + _HEAD, _READ, _READ, POSTED), (CONTINUE, KEPT, CONTINUE, KEPT)
    ),
    Case("garbage after a 100", (_CHUNKED_HEAD, _READ, b"nonsense\r\n"), (CONTINUE, INVALID_HTTP)),
    Case("nothing after a 100", (_HEAD, _READ, Step.END), CONTINUE, ends=True),
    Case("a piece of the body after a 100", (_HEAD, _READ, POSTED[:50], Step.END), CONTINUE, ends=True),
    Case(
        "an answer to who waited is followed by a request", (_HEAD, _READ, POSTED, _READ, GOOD), (CONTINUE, KEPT, KEPT)
    ),
    Case(
        "a body that came with its head needs no 100, and may get it",
        _HEAD + POSTED,
        KEPT,
        or_answers=(CONTINUE, KEPT),
    ),
    Case(
        "a body in chunks that came with its head needs no 100, and may get it",
        _CHUNKED_HEAD + _CODED,
        KEPT,
        or_answers=(CONTINUE, KEPT),
    ),
)
_REFUSED: Final = (
    Case(
        "no 100 for a body that is too long",
        head(HOST, JSON, b"Content-Length: %d" % (MAX_BYTES + 1), _EXPECT),
        TOO_LARGE.closing(),
    ),
    Case("no 100 for another media type", head(HOST, _LENGTH, _EXPECT), UNSUPPORTED_MEDIA_TYPE.closing()),
    Case("no 100 for another path", get(b"/nowhere", _LENGTH, _EXPECT, method=b"POST"), NOT_FOUND.closing()),
    Case("no 100 for another method", get(b"/process_request", _LENGTH, _EXPECT, method=b"PUT"), ONLY_POST.closing()),
    Case("no 100 for a page with a body", get(b"/docs", _LENGTH, _EXPECT, method=b"POST"), ONLY_GET.closing()),
    Case("no 100 for both lengths at once", head(HOST, JSON, _LENGTH, CHUNKED, _EXPECT), INVALID_HTTP),
    Case("no 100 for a request without Host", head(JSON, _LENGTH, _EXPECT), INVALID_HTTP),
    Case("no 100 for a body of no length", head(HOST, JSON, b"Content-Length: 0", _EXPECT), INVALID_JSON),
    Case("no 100 for a GET without a body", get(b"/docs", _EXPECT), PAGE),
    Case(
        "no 100 for HTTP/1.0",
        (head(HOST, JSON, _LENGTH, _EXPECT, start=START.replace(b"1.1", b"1.0")), POSTED),
        KEPT.closing(),
    ),
)
_IGNORED: Final = (
    Case("another expectation is ignored", post(POSTED, b"Expect: tea"), KEPT),
    Case("an empty expectation is ignored", post(POSTED, b"Expect:"), KEPT),
    Case("a longer number is another expectation", post(POSTED, b"Expect: 1000-continue"), KEPT),
    *(
        Case(f"an offer of {name} is ignored", post(POSTED, *lines), KEPT)
        for name, lines in {
            "h2c": _H2C,
            "websocket": _WEBSOCKET,
            "TLS": (b"Connection: Upgrade", b"Upgrade: TLS/1.0"),
            "several protocols": (b"Connection: upgrade", b"Upgrade: h2c, websocket, x"),
            "nothing": (b"Connection: upgrade", b"Upgrade:"),
            "h2c that Connection does not name": (b"Upgrade: h2c",),
        }.items()
    ),
    Case("an upgrade that names no protocol is ignored", post(POSTED, b"Connection: upgrade"), KEPT),
    Case("an offer of h2c with a body in chunks", head(HOST, JSON, CHUNKED, *_H2C) + _CODED, KEPT),
    Case("an offer of h2c with a body that comes later", (head(HOST, JSON, _LENGTH, *_H2C), POSTED), KEPT),
    Case("an offer of h2c without a body", get(b"/docs", *_H2C), PAGE),
    Case("an offer of h2c with a HEAD", get(b"/docs", *_H2C, method=b"HEAD"), PAGE.to_head()),
    Case("an offer of a websocket with a GET", get(b"/docs", *_WEBSOCKET), PAGE),
    Case("an offer of a websocket on another path", get(b"/nowhere", *_WEBSOCKET), NOT_FOUND),
    Case("a frame after an offer of a websocket", get(b"/docs", *_WEBSOCKET) + b"\x81\x05hello", (PAGE, INVALID_HTTP)),
    Case("two requests with offers", post(POSTED, *_H2C) * 2, (KEPT, KEPT)),
    Case(
        "an offer of h2c that waits for 100",
        (head(HOST, JSON, _LENGTH, _EXPECT, *_H2C), _READ, POSTED),
        (CONTINUE, KEPT),
    ),
    Case(
        "an offer in HTTP/1.0",
        post(POSTED, *_H2C, start=START.replace(b"1.1", b"1.0")),
        KEPT.closing(),
    ),
    Case("an offer with both lengths at once", head(HOST, JSON, _LENGTH, CHUNKED, *_H2C) + POSTED, INVALID_HTTP),
    Case("an offer with half a body", (head(HOST, JSON, _LENGTH, *_H2C) + POSTED[:50], Step.END), NOTHING),
)

CASES: Final = (*_CONTINUED, *_REFUSED, *_IGNORED)
