"""Request targets: paths, escapes, queries, and the other three forms (RFC 9112, 3.2)."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_HTTP, KEPT, NOT_FOUND, ONLY_POST, PAGE
from corpus.case import Case
from corpus.raw_requests import GOOD, HOST, START, get, post
from e2e.marked import MARK

_MARK: Final = MARK.replace("#", "%23").encode()

_GOOD: Final = {
    "with a query": b"/process_request?name=value",
    "with an empty query": b"/process_request?",
    "with a query that has a mark": b"/process_request?token=" + _MARK,
    "with two question marks": b"/process_request??",
    "with slashes in its query": b"/process_request?../../x//y",
    "with a broken escape in its query": b"/process_request?%zz%",
    "with a query of 60,000 bytes": b"/process_request?" + b"x" * 60_000,
    "with an escaped letter": b"/%70rocess_request",
    "with an escaped underscore in capitals": b"/process%5Frequest",
    "with an escaped underscore in small letters": b"/process%5frequest",
    "in absolute form": b"http://intake/process_request",
    "in absolute form with https": b"https://intake/process_request",
    "in absolute form in capitals": b"HTTP://INTAKE/process_request",
    "in absolute form with a port": b"http://intake:5001/process_request",
    "in absolute form of another host": b"http://elsewhere.example/process_request",
    "in absolute form with an IPv6 address": b"http://[::1]:5001/process_request",
    "in absolute form with a query": b"http://intake/process_request?x=/docs",
}
_ELSEWHERE: Final = {
    "with a slash at the end": b"/process_request/",
    "with an escaped slash at the end": b"/process_request%2F",
    "with two slashes at the beginning": b"//process_request",
    "with a dot": b"/./process_request",
    "with two dots": b"/x/../process_request",
    "with escaped dots": b"/x/%2e%2e/process_request",
    "with a backslash": b"/\\process_request",
    "in capitals": b"/PROCESS_REQUEST",
    "with parameters": b"/process_request;x=y",
    "with an escaped NUL": b"/process_request%00",
    "with an escaped line end": b"/process_request%0d%0aX-Further:%20x",
    "with an escaped question mark": b"/process_request%3Fx",
    "with an escaped space": b"/process_request%20",
    "with an escape that is escaped": b"/process%255Frequest",
    "with a broken escape": b"/process_request%zz",
    "with half an escape": b"/process_request%5",
    "with a percent sign": b"/process_request%",
    "with an escape that is not UTF-8": b"/process_request%ff",
    "with an escape that is overlong": b"/process%c1%9frequest",
    "with a mark": b"/" + _MARK,
    "of a file": b"/etc/passwd",
    "of a file, with dots": b"/../../../../etc/passwd",
    "of a slash": b"/",
    "of the private port": b"/metrics",
    "of 60,000 bytes": b"/" + b"x" * 60_000,
    "in absolute form without a path": b"http://intake",
    "in absolute form with a query and no path": b"http://intake?/process_request",
    "in absolute form with another path": b"http://intake/" + _MARK,
    "that is an asterisk": b"*",
}
_BAD: Final = {
    "with a fragment": b"/process_request#x",
    "with a fragment in its query": b"/process_request?x#y",
    "with a raw é in UTF-8": "/process_requesté".encode(),
    "with a raw é in Latin-1": b"/process_request\xe9",
    "with a raw é in its query": "/process_request?é".encode(),
    "with a NUL": b"/process_request\x00",
    "with a NUL in its query": b"/process_request?\x00",
    "with a control character": b"/process_request\x1f",
    "with a delete character": b"/process_request\x7f",
    "with a tab": b"/process_request?\tx",
    "with a space": b"/process_request x",
    "with a bare carriage return": b"/process_request\rx",
    "with a bare line feed": b"/process_request\nx",
    "without a slash": b"process_request",
    "of a query alone": b"?x",
    "of a dot": b"./process_request",
    "with an asterisk and more": b"*x",
    "in authority form": b"intake:5001",
    "in absolute form of ftp": b"ftp://intake/process_request",
    "in absolute form of a file": b"file:///process_request",
    "in absolute form without an authority": b"http:///process_request",
    "in absolute form with an authority that is empty": b"http://",
    "in absolute form without a scheme": b"://intake/process_request",
    "in absolute form with one slash": b"http:/intake/process_request",
    "in absolute form without slashes": b"http:process_request",
    "in absolute form with a user": b"http://user@intake/process_request",
    "in absolute form with a fragment": b"http://intake/process_request#x",
    "in absolute form with spaces in its host": b"http://in take/process_request",
}


def _to(target: bytes) -> bytes:
    return GOOD.replace(b"/process_request", target)


CASES: Final = (
    *(Case(f"a target {how}", _to(target), KEPT) for how, target in _GOOD.items()),
    *(Case(f"a target {how}, which is nowhere", _to(target), NOT_FOUND) for how, target in _ELSEWHERE.items()),
    *(Case(f"a target {how}, which is none", _to(target), INVALID_HTTP) for how, target in _BAD.items()),
    Case("a GET of an absolute form", get(b"http://intake/docs"), PAGE),
    Case("a GET of an absolute form of a path for POST", get(b"http://intake/process_request"), ONLY_POST),
    Case("an absolute form without Host", _to(b"http://intake/process_request").replace(HOST, b"X: x"), INVALID_HTTP),
    Case("a relative path in HTTP/1.0", post(start=b"POST process_request HTTP/1.0"), INVALID_HTTP),
    Case("the target twice", post(start=START.replace(b" HTTP", b" /docs HTTP")), INVALID_HTTP),
)
