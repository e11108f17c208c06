"""Several requests in one write: answered in their order, one at a time (RFC 9112, 9.3.2)."""

from __future__ import annotations

from typing import Final

from corpus.answers import (
    INVALID_FIELDS,
    INVALID_HTTP,
    INVALID_JSON,
    INVALID_TOKEN,
    KEPT,
    NOT_FOUND,
    ONLY_POST,
    PAGE,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    VERSION_NOT_SUPPORTED,
)
from corpus.case import Case, Step, kept
from corpus.raw_requests import (
    CHUNKED,
    GOOD,
    GOOD_IN_CHUNKS,
    JSON,
    LAST_CHUNK,
    MAX_BYTES,
    POSTED,
    START,
    chunk,
    email,
    framed,
    get,
    post,
    posted,
    text,
)

_CLOSING: Final = post(POSTED, b"Connection: close")
_GARBAGE: Final = b"nonsense\r\n\r\n"
_TYPED_WRONG: Final = GOOD.replace(JSON, b"Content-Type: text/plain")
_WRONG: Final = post(posted(token=b'"wrong"'))
_NUMBERED: Final = tuple(email(number=b"%d" % number) for number in range(100))

CASES: Final = (
    Case("two requests", GOOD * 2, (KEPT, KEPT)),
    Case("100 requests", b"".join(post(posted(each)) for each in _NUMBERED), tuple(kept(each) for each in _NUMBERED)),
    Case("100 pages", get() * 100, (PAGE,) * 100),
    Case("100 refusals", _WRONG * 100, (INVALID_TOKEN,) * 100),
    Case("100 requests, and the sending half ends", (GOOD * 100, Step.END), (KEPT,) * 100, ends=True),
    Case(
        "requests of every kind",
        GOOD + _WRONG + get() + post(b"") + get(b"/nowhere") + _TYPED_WRONG + post(posted(b"[]")) + get(b"*") + GOOD,
        (
            *(KEPT, INVALID_TOKEN, PAGE, INVALID_JSON, NOT_FOUND),
            *(UNSUPPORTED_MEDIA_TYPE, INVALID_FIELDS, NOT_FOUND, KEPT),
        ),
    ),
    Case("a HEAD among them", GOOD + get(method=b"HEAD") + GOOD, (KEPT, PAGE.to_head(), KEPT)),
    Case("an empty line between two requests", GOOD + b"\r\n" + GOOD, (KEPT, KEPT)),
    Case("a good one and garbage", GOOD + _GARBAGE, (KEPT, INVALID_HTTP)),
    Case("ten good ones and garbage", GOOD * 10 + _GARBAGE, (KEPT,) * 10 + (INVALID_HTTP,)),
    Case("garbage and a good one", _GARBAGE + GOOD, INVALID_HTTP),
    Case("a good one between garbage", GOOD + _GARBAGE + GOOD, (KEPT, INVALID_HTTP)),
    Case("a good one and NULs", GOOD + bytes(100), (KEPT, INVALID_HTTP)),
    Case("a good one and a TLS handshake", GOOD + b"\x16\x03\x01\x02\x00\x01", (KEPT, INVALID_HTTP)),
    Case("a good one and both lengths at once", GOOD + framed(CHUNKED, b"Content-Length: 5"), (KEPT, INVALID_HTTP)),
    Case("a good one and another version", GOOD + GOOD.replace(b"1.1", b"3.0"), (KEPT, VERSION_NOT_SUPPORTED)),
    Case("a good one and half of one", (GOOD + GOOD[:200], Step.END), KEPT, ends=True),
    Case("a good one and a piece of a head", (GOOD + GOOD[:20], Step.END), KEPT, ends=True),
    Case("a good one and the rest of another, later", (GOOD + GOOD[:20], Step.READ, GOOD[20:]), (KEPT, KEPT)),
    Case("a good one and a body, later", (GOOD + GOOD[:200], Step.READ, GOOD[200:]), (KEPT, KEPT)),
    Case("a wrong token and a good one", _WRONG + GOOD, (INVALID_TOKEN, KEPT)),
    Case("another path and a good one", post(start=b"POST /nowhere HTTP/1.1") + GOOD, (NOT_FOUND, KEPT)),
    Case("another method and a good one", GOOD.replace(b"POST", b"PUT") + GOOD, (ONLY_POST, KEPT)),
    Case("another media type and a good one", _TYPED_WRONG + GOOD, (UNSUPPORTED_MEDIA_TYPE, KEPT)),
    Case("a body that is too long and a good one", post(b" " * (MAX_BYTES + 1)) + GOOD, (TOO_LARGE, KEPT)),
    Case("one that closes and a good one", _CLOSING + GOOD, KEPT.closing()),
    Case("one that closes and garbage", _CLOSING + _GARBAGE, KEPT.closing()),
    Case("one of HTTP/1.0 and a good one", post(start=START.replace(b"1.1", b"1.0")) + GOOD, KEPT.closing()),
    Case(
        "in HTTP/1.0 with keep-alive",
        post(POSTED, b"Connection: keep-alive", start=START.replace(b"1.1", b"1.0")) * 2,
        (KEPT.saying(connection="keep-alive"),) * 2,
    ),
    Case(
        "a chunked one and a good one, which may be answered by closing",
        GOOD_IN_CHUNKS + GOOD,
        (KEPT, KEPT),
        or_answers=KEPT.closing(),
    ),
    Case(
        "a chunked one and garbage, which may be answered by closing",
        GOOD_IN_CHUNKS + _GARBAGE,
        (KEPT, INVALID_HTTP),
        or_answers=KEPT.closing(),
    ),
    Case(
        "a chunked one on another path and a good one, which may be answered by closing",
        framed(CHUNKED, body=chunk(POSTED) + LAST_CHUNK, start=b"POST /nowhere HTTP/1.1") + GOOD,
        (NOT_FOUND, KEPT),
        or_answers=NOT_FOUND.closing(),
    ),
    Case("a good one and a chunked one", GOOD + GOOD_IN_CHUNKS, (KEPT, KEPT)),
    Case("a chunked one and, when it is answered, a good one", (GOOD_IN_CHUNKS, Step.READ, GOOD), (KEPT, KEPT)),
    Case("good ones, each when the one before is answered", (GOOD, Step.READ, GOOD, Step.READ, GOOD), (KEPT,) * 3),
    Case(
        "a request in an e-mail is none",
        post(posted(email(email_content=text(GOOD[:60].replace(b"\r\n", rb"\r\n"))))),
        kept(email(email_content=text(GOOD[:60].replace(b"\r\n", rb"\r\n")))),
    ),
)
