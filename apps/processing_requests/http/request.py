"""A request's head: parsed by httptools, and checked for what RFC 9112 asks of a server beyond that."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

import httptools

from processing_requests.answers import (
    HEAD_TOO_LARGE,
    INVALID_HTTP,
    TARGET_TOO_LONG,
    VERSION_NOT_SUPPORTED,
    Refusal,
    RefusedError,
)
from processing_requests.http.bounds import MAX_HEAD_BYTES, MAX_HEAD_LINES

if TYPE_CHECKING:
    from checkpoint.operations.tracing import Span

# The fields that decide anything about an e-mail; all others are dropped while they are parsed.
_FIELDS: Final = frozenset(
    {
        b"accept",
        b"authorization",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"host",
        b"traceparent",
        b"transfer-encoding",
    }
)
_FIELDS_OF_DOCUMENTS: Final = _FIELDS | {b"accept-encoding", b"if-none-match"}
_REQUEST_LINE: Final = re.compile(rb"([A-Z-]+) ([!-~]+) HTTP/1\.([01])\r\n")
_OTHER_VERSION: Final = re.compile(rb"[A-Z-]+ [!-~]+ HTTP/[0-9]\.[0-9]\r\n")
_REQUEST_LINE_START: Final = re.compile(rb"[A-Z-]+( ([!-~]+( [!-~]*\r?)?)?)?|\r")
# RFC 9110 (7.2) and RFC 3986 (3.2.2); without a comma, by which a field that was sent twice shows.
_HOST: Final = re.compile(rb"[\w.~!$&'()*+;=%:\[\]-]*")
_USUAL_BYTES: Final = 1_024
_MAX_LENGTH_DIGITS: Final = 20  # 2**64 - 1, the most that llhttp takes, without zeros before it
_MANY_LINES_BYTES: Final = 4 * MAX_HEAD_LINES  # the least that more lines have
_ABSOLUTE: Final = re.compile(rb"(?i:https?)://[\w.~!$&'()*+;=%:\[\]-]+(/[^?]*)?(?:\?.*)?")


class Request:
    """A request without its body.

    method, path: the path is decoded, and without a query.
    fields: values by name in lower case, of those that matter here; one that was sent several times is joined by ", ".
    length: the body's bytes; None where it is chunked.
    keeps_alive: whether the client would send another request over the connection.
    is_http_1_0: whether it has to be told that the connection stays (RFC 9112, 9.3).
    waits_for_100: whether the client sends the body only when it was asked to (RFC 9110, 10.1.1).
    """

    __slots__ = (
        *("_kept", "began", "fields", "is_http_1_0", "keeps_alive"),
        *("length", "method", "path", "span", "waits_for_100"),
    )

    began: float
    span: Span  # where there are traces

    def __init__(self, head: bytes) -> None:
        """Parse a whole head, with the empty line that ends it. Raises RefusedError."""
        if len(head) > _MANY_LINES_BYTES and head.count(b"\r\n") > MAX_HEAD_LINES:
            raise RefusedError(HEAD_TOO_LARGE)
        line = _REQUEST_LINE.match(head)
        if line is None:
            raise RefusedError(VERSION_NOT_SUPPORTED if _OTHER_VERSION.match(head) else INVALID_HTTP)
        self.method, target, minor = line.groups()
        self.is_http_1_0 = minor == b"0"
        self.path = _path(target)
        self.fields: dict[bytes, bytes] = {}
        self._kept = _FIELDS if self.method == b"POST" else _FIELDS_OF_DOCUMENTS
        try:
            httptools.HttpRequestParser(self).feed_data(head)
        except httptools.HttpParserUpgrade:
            # An offer to speak another protocol, which Java's clients make with every request: a server may ignore it
            # (RFC 9110, 7.8). CONNECT looks the same to httptools; it is for proxies.
            if self.method == b"CONNECT":
                raise RefusedError(INVALID_HTTP) from None
        except httptools.HttpParserError:
            raise RefusedError(INVALID_HTTP) from None
        fields = self.fields
        host = fields.get(b"host")  # RFC 9112, 3.2
        if not (_is_host(host) if host is not None else self.is_http_1_0):
            raise RefusedError(INVALID_HTTP)
        self.length = self._length()
        self.keeps_alive = not self.is_http_1_0
        if b"connection" in fields:
            options = {option.strip() for option in fields[b"connection"].lower().split(b",")}
            self.keeps_alive = b"close" not in options and (self.keeps_alive or b"keep-alive" in options)
        self.waits_for_100 = (
            b"expect" in fields and fields[b"expect"].lower() == b"100-continue" and not self.is_http_1_0
        )

    def on_header(self, name: bytes, value: bytes) -> None:
        """As httptools says."""
        name = name.lower()
        if name in self._kept:
            fields, value = self.fields, value.strip(b" \t")
            fields[name] = fields[name] + b", " + value if name in fields else value

    @property
    def kept_bytes(self) -> int:
        """What it keeps in memory while its body arrives; 0 for a usual one, which has no more than any connection."""
        kept = len(self.path) + sum(map(len, self.fields.values()))
        return kept if kept > _USUAL_BYTES else 0

    def _length(self) -> int | None:
        """RFC 9112, 6.1 to 6.3. What could be read in two ways is refused: that is how requests are smuggled."""
        length, coding = self.fields.get(b"content-length"), self.fields.get(b"transfer-encoding")
        if coding is not None:
            if coding.lower() != b"chunked" or length is not None or self.is_http_1_0:
                raise RefusedError(INVALID_HTTP)
            return None
        if length is None:
            return 0
        if not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS:
            raise RefusedError(INVALID_HTTP)
        return int(length)


def refusal_of_start(head: bytes) -> Refusal | None:
    """What a head that has not come to its end is refused for at once; None where it may become a request."""
    is_long = len(head) > MAX_HEAD_BYTES
    if b"\n" not in head:
        if not _REQUEST_LINE_START.fullmatch(head):
            return INVALID_HTTP
        return TARGET_TOO_LONG if is_long else None
    if not _REQUEST_LINE.match(head):
        return VERSION_NOT_SUPPORTED if _OTHER_VERSION.match(head) else INVALID_HTTP
    ends = head.count(b"\r\n")
    if head.count(b"\n") != ends or head.count(b"\r", 0, -1) != ends:  # with other line ends it would never end
        return INVALID_HTTP
    return HEAD_TOO_LARGE if is_long else None


@lru_cache(maxsize=64)  # most clients ask one name for one path
def _is_host(host: bytes) -> bool:
    return _HOST.fullmatch(host) is not None


@lru_cache(maxsize=64)
def _path(target: bytes) -> bytes:
    """The path of a request target in origin-form, absolute-form or asterisk-form (RFC 9112, 3.2)."""
    if target.startswith(b"/"):
        path = target.partition(b"?")[0]
    elif match := _ABSOLUTE.fullmatch(target):
        path = match[1] or b"/"
    elif target == b"*":
        path = target
    else:
        raise RefusedError(INVALID_HTTP)
    if b"#" in target:
        raise RefusedError(INVALID_HTTP)
    return unquote_to_bytes(path) if b"%" in path else path
