"""HTTP's versions, how long a connection lasts by them, and Host (RFC 9112, 2.3, 3.2 and 9.3)."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_HTTP, KEPT, NOT_FOUND, VERSION_NOT_SUPPORTED
from corpus.case import Case
from corpus.raw_requests import GOOD, HOST, JSON, POSTED, START, get, head, post

_LENGTH: Final = b"Content-Length: %d" % len(POSTED)
_IN_1_0: Final = START.replace(b"1.1", b"1.0")

_OTHER_VERSIONS: Final = (b"0.9", b"0.0", b"1.2", b"1.9", b"2.0", b"2.1", b"3.0", b"9.9")
_NO_VERSIONS: Final = (
    *(b"HTTP/1", b"HTTP/2", b"HTTP/", b"HTTP", b"HTTP/1.", b"HTTP/.1", b"HTTP/1.10", b"HTTP/1.11", b"HTTP/11.1"),
    *(b"HTTP/01.1", b"HTTP/1.01", b"HTTP/-1.1", b"HTTP/1,1", b"HTTP/1.1x", b"HTTP/1.x", b"HTTP/x.1", b"HTTP /1.1"),
    *(b"HTTP/ 1.1", b"HTTP/1 .1", b"HTTP1.1", b"HTTP 1.1", b"http/1.1", b"Http/1.1", b"XHTTP/1.1", b"HTTPS/1.1"),
    *(b"RTSP/1.0", b"ICE/1.0", b"SIP/2.0", b"HTCPCP/1.0", b"HTTP/1.1/1.1", b"HTTP/1.1.1", b"HTTP/\xb2.0", b"1.1"),
)
_GOOD_HOSTS: Final = (
    *(b"", b"intake:5001", b"127.0.0.1", b"[::1]", b"[::1]:5001", b"an_underscore", b"a.dot.at.the.end."),
    *(b"INTAKE", b"xn--mnchen-3ya.example", b"intake:", b"%41"),
)
_BAD_HOSTS: Final = (
    *(b"a b", b"a,b", b"a, b", b"intake, intake", b"user@intake", b"intake/path", b"http://intake", b"intake?x"),
    *(b"intake#x", b"int\x00ake", b"int\take", "münchen.example".encode(), b"m\xfcnchen.example", b"<intake>"),
    *(b'"intake"', b"in\\take", b"{intake}", b"intake\x7f", b"a|b", b"a^b"),
)


def _hosts(*lines: bytes, start: bytes = START) -> bytes:
    return head(*lines, JSON, _LENGTH, start=start) + POSTED


CASES: Final = (
    *(
        Case(f"the version {version!r}", GOOD.replace(b"1.1", version, 1), VERSION_NOT_SUPPORTED)
        for version in _OTHER_VERSIONS
    ),
    *(Case(f"{name!r} is no version", GOOD.replace(b"HTTP/1.1", name, 1), INVALID_HTTP) for name in _NO_VERSIONS),
    Case("another version without Host", head(start=b"GET /docs HTTP/2.0"), VERSION_NOT_SUPPORTED),
    Case("HTTP/1.0", post(start=_IN_1_0), KEPT.closing()),
    Case("HTTP/1.0 without Host", _hosts(start=_IN_1_0), KEPT.closing()),
    Case("HTTP/1.0 and close", post(POSTED, b"Connection: close", start=_IN_1_0), KEPT.closing()),
    Case(
        "HTTP/1.0 and keep-alive, which the answer repeats",
        post(POSTED, b"Connection: Keep-Alive", start=_IN_1_0),
        KEPT.saying(connection="keep-alive"),
    ),
    Case(
        "HTTP/1.0, keep-alive and close",
        post(POSTED, b"Connection: keep-alive, close", start=_IN_1_0),
        KEPT.closing(),
    ),
    Case(
        "HTTP/1.0 and keep-alive on a path that there is not",
        get(b"/nowhere", b"Connection: keep-alive").replace(b"1.1", b"1.0"),
        NOT_FOUND.saying(connection="keep-alive"),
    ),
    Case(
        "HTTP/1.0 with the header of old proxies",
        post(POSTED, b"Proxy-Connection: keep-alive", start=_IN_1_0),
        KEPT.closing(),
    ),
    Case("Connection: close", post(POSTED, b"Connection: close"), KEPT.closing()),
    Case("Connection: CLOSE", post(POSTED, b"Connection: CLOSE"), KEPT.closing()),
    Case("close among other options", post(POSTED, b"Connection: x ,close,y"), KEPT.closing()),
    Case("close beside keep-alive", post(POSTED, b"Connection: keep-alive, close"), KEPT.closing()),
    Case("close in a second Connection", post(POSTED, b"Connection: x", b"Connection: close"), KEPT.closing()),
    Case("a word that begins like close", post(POSTED, b"Connection: closed"), KEPT),
    Case("keep-alive, which goes without saying", post(POSTED, b"Connection: keep-alive"), KEPT),
    Case("an empty Connection", post(POSTED, b"Connection:"), KEPT),
    Case("a Connection of commas", post(POSTED, b"Connection: ,,"), KEPT),
    Case("a Connection that names Content-Length", post(POSTED, b"Connection: content-length, host"), KEPT),
    Case("close on a path that there is not", get(b"/nowhere", b"Connection: close"), NOT_FOUND.closing()),
    Case("no Host", _hosts(), INVALID_HTTP),
    Case("no Host on a path that there is not", head(start=b"GET /nowhere HTTP/1.1"), INVALID_HTTP),
    Case("two Hosts", _hosts(HOST, b"Host: elsewhere"), INVALID_HTTP),
    Case("two Hosts that are the same", _hosts(HOST, HOST), INVALID_HTTP),
    Case("two Hosts in two cases", _hosts(HOST, HOST.upper()), INVALID_HTTP),
    Case("two Hosts, the first one empty", _hosts(b"Host:", HOST), INVALID_HTTP),
    Case("two Hosts, the last one empty", _hosts(HOST, b"Host:"), INVALID_HTTP),
    Case("two Hosts, both empty", _hosts(b"Host:", b"Host:"), INVALID_HTTP),
    Case("two Hosts in HTTP/1.0", _hosts(HOST, HOST, start=_IN_1_0), INVALID_HTTP),
    Case("a Host in HTTP/1.0 that is none", _hosts(b"Host: a b", start=_IN_1_0), INVALID_HTTP),
    Case("a space before the colon of Host", _hosts(b"Host : intake"), INVALID_HTTP),
    Case("a Host that is folded", _hosts(b"Host:\r\n intake"), INVALID_HTTP),
    Case("a Host with tabs and spaces around it", _hosts(b"HOST: \t intake\t "), KEPT),
    *(Case(f"the Host {host!r}", _hosts(b"Host: " + host), KEPT) for host in _GOOD_HOSTS),
    *(Case(f"the Host {host!r} is none", _hosts(b"Host: " + host), INVALID_HTTP) for host in _BAD_HOSTS),
)
