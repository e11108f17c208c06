"""What a body is announced as, and in which form a refusal is asked for (RFC 9110, 8.3, 8.4 and 15.5.16)."""

from __future__ import annotations

import gzip
from typing import Final

from corpus.answers import INVALID_JSON, INVALID_TOKEN, KEPT, NOT_FOUND, UNSUPPORTED_MEDIA_TYPE
from corpus.case import Answer, Case
from corpus.raw_requests import CHUNKED, GOOD, HOST, JSON, POSTED, framed, get, head, post, posted

_LENGTH: Final = b"Content-Length: %d" % len(POSTED)

_GOOD: Final = (
    *(
        b"application/json",
        b"APPLICATION/JSON",
        b"application/json; charset=utf-8",
        b"application/json;charset=latin-1",
    ),
    *(b"application/json ; charset=UTF-16", b"application/json;", b"application/vnd.checkpoint+json"),
    *(b"application/problem+JSON; profile=x", b'application/json; x="text/plain, y"'),
)
_BAD: Final = (
    *(b"text/plain", b"text/json", b"application/jsonp", b"application/x-json", b"application/x-www-form-urlencoded"),
    *(
        b"multipart/form-data; boundary=x",
        b"application/octet-stream",
        b"text/vnd.checkpoint+json",
        b"json",
        b"",
        b"*/*",
    ),
    *(b"application/", b"/json", b"application/*", b"application", b"xapplication/json", b"application/json5"),
    *(b"application/xml", b"image/svg+xml", b"application /json", b"application/ json", b"; application/json"),
    *(b"application/json, text/plain", b"text/plain; application/json", b"\xe9", b"x" * 10_000),
)
_CODINGS: Final = (
    b"gzip",
    b"GZIP",
    b"br",
    b"deflate",
    b"zstd",
    b"x",
    b"identity, gzip",
    b"gzip, identity",
    b"identity;q=1",
)
_PROBLEM: Final = b"Accept: application/problem+json"
_TYPE: Final = "application/problem+json"


def _typed(media_type: bytes) -> bytes:
    return GOOD.replace(JSON, b"Content-Type: " + media_type)


CASES: Final = (
    *(Case(f"the media type {media_type!r}", _typed(media_type), KEPT) for media_type in _GOOD),
    *(Case(f"the media type {each[:40]!r} is not taken", _typed(each), UNSUPPORTED_MEDIA_TYPE) for each in _BAD),
    Case("no media type", head(HOST, _LENGTH) + POSTED, UNSUPPORTED_MEDIA_TYPE),
    Case("no media type and no body", head(HOST), UNSUPPORTED_MEDIA_TYPE),
    Case(
        "another media type, in chunks",
        framed(CHUNKED, body=b"0\r\n\r\n").replace(b"json", b"xml"),
        UNSUPPORTED_MEDIA_TYPE,
    ),
    Case(
        "another media type is said before no JSON", _typed(b"text/plain").replace(b"}", b"x"), UNSUPPORTED_MEDIA_TYPE
    ),
    Case("two media types, the first one good", post(POSTED, b"Content-Type: text/plain"), UNSUPPORTED_MEDIA_TYPE),
    Case(
        "two media types, the last one good",
        head(HOST, b"Content-Type: text/plain", JSON, _LENGTH) + POSTED,
        UNSUPPORTED_MEDIA_TYPE,
    ),
    *(
        Case(
            f"the coding {coding!r} is not taken", post(POSTED, b"Content-Encoding: " + coding), UNSUPPORTED_MEDIA_TYPE
        )
        for coding in _CODINGS
    ),
    Case("a compressed body", post(gzip.compress(POSTED, mtime=0), b"Content-Encoding: gzip"), UNSUPPORTED_MEDIA_TYPE),
    Case("a compressed body that does not say so", post(gzip.compress(POSTED, mtime=0)), INVALID_JSON),
    Case(
        "a second coding in a header of its own",
        post(POSTED, b"Content-Encoding: identity", b"Content-Encoding: gzip"),
        UNSUPPORTED_MEDIA_TYPE,
    ),
    Case(
        "a first coding in a header of its own",
        post(POSTED, b"Content-Encoding: gzip", b"Content-Encoding: identity"),
        UNSUPPORTED_MEDIA_TYPE,
    ),
    Case("the coding `identity`, which is none", post(POSTED, b"Content-Encoding: identity"), KEPT),
    Case("the coding `Identity`, which is none", post(POSTED, b"content-encoding: Identity"), KEPT),
    Case("a coding that the client would take", post(POSTED, b"Accept-Encoding: gzip, br"), KEPT),
    Case("a media type that the client would not get", post(POSTED, b"Accept: text/html"), KEPT),
    *(
        Case(
            f"{answer.status} as a problem, for {name}",
            sent,
            Answer(status=answer.status, headers={**answer.headers, "content-type": _TYPE}),
        )
        for name, sent, answer in (
            ("a wrong token", post(posted(token=b'"wrong"'), _PROBLEM), INVALID_TOKEN),
            ("no JSON", post(b"{", b"Accept: text/html, Application/Problem+JSON;q=0.5"), INVALID_JSON),
            (
                "another media type",
                _typed(b"text/plain").replace(HOST, HOST + b"\r\n" + _PROBLEM),
                UNSUPPORTED_MEDIA_TYPE,
            ),
            ("another path", get(b"/nowhere", b"Accept: text/html", _PROBLEM), NOT_FOUND),
        )
    ),
)
