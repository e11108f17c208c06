"""Methods, right and wrong, on every path (RFC 9110, 9)."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_HTTP, KEPT, NOT_FOUND, ONLY_GET, ONLY_POST, PAGE
from corpus.case import Case
from corpus.raw_requests import GOOD, GOOD_IN_CHUNKS, get, post

_OTHERS: Final = (b"GET", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND", b"M-SEARCH")
_UNKNOWN: Final = (b"post", b"Post", b"POSTS", b"POS", b"FOO", b"P", b"POST\xe9", b"P\xd6ST", b"PO(ST", b"1POST", b"")
_LONG: Final = b"X" * 60_000

CASES: Final = (
    *(
        Case(f"{method.decode()} where only POST is", get(b"/process_request", method=method), ONLY_POST)
        for method in _OTHERS
    ),
    *(
        Case(f"{method.decode()} with an e-mail where only POST is", GOOD.replace(b"POST", method), ONLY_POST)
        for method in _OTHERS
    ),
    Case("PUT with an e-mail in chunks", GOOD_IN_CHUNKS.replace(b"POST", b"PUT"), ONLY_POST),
    Case("HEAD where only POST is", get(b"/process_request", method=b"HEAD"), ONLY_POST.to_head()),
    Case("HEAD with an e-mail", GOOD.replace(b"POST", b"HEAD"), ONLY_POST.to_head()),
    *(Case(f"GET {path.decode()}", get(path), PAGE) for path in (b"/docs", b"/openapi.json", b"/docs?x=y")),
    *(
        Case(f"HEAD {path.decode()}", get(path, method=b"HEAD"), PAGE.to_head())
        for path in (b"/docs", b"/openapi.json")
    ),
    *(
        Case(f"{method.decode()} of a page", get(b"/docs", method=method), ONLY_GET)
        for method in (b"PUT", b"DELETE", b"OPTIONS", b"TRACE")
    ),
    Case("an e-mail that is posted to a page", post(start=b"POST /docs HTTP/1.1"), ONLY_GET),
    *(
        Case(f"{method.decode()} on a path that there is not", get(b"/nowhere", method=method), NOT_FOUND)
        for method in _OTHERS
    ),
    Case("HEAD on a path that there is not", get(b"/nowhere", method=b"HEAD"), NOT_FOUND.to_head()),
    Case("an e-mail that is posted to nowhere", post(start=b"POST /nowhere HTTP/1.1"), NOT_FOUND),
    Case("OPTIONS of everything", get(b"*", method=b"OPTIONS"), NOT_FOUND),
    Case("CONNECT to a host", get(b"intake:443", method=b"CONNECT"), INVALID_HTTP),
    Case("CONNECT to a path", get(b"/process_request", method=b"CONNECT"), INVALID_HTTP),
    Case("CONNECT with an e-mail", GOOD.replace(b"POST", b"CONNECT"), INVALID_HTTP),
    *(Case(f"the method {method!r}", GOOD.replace(b"POST", method), INVALID_HTTP) for method in _UNKNOWN),
    Case("a method of 60,000 letters", GOOD.replace(b"POST", _LONG), INVALID_HTTP),
    Case("RTSP's DESCRIBE", GOOD.replace(b"POST", b"DESCRIBE"), INVALID_HTTP),
    Case(
        "a method that another header would put in POST's place",
        post(GOOD[GOOD.index(b"{") :], b"X-HTTP-Method-Override: DELETE"),
        KEPT,
    ),
)
