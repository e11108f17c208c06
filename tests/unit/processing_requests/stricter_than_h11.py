"""Where the intake and h11 differ on purpose: what else they make different of a stream is a fault of one of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from unit.processing_requests.second_opinion import Opinion

_HEAD: Final = re.compile(rb".*?\r?\n\r?\n", re.DOTALL)
_LENGTHS: Final = re.compile(rb"(?im)^content-length:(.*)$")
_HOST: Final = re.compile(rb"[A-Za-z0-9._~!$&'()*+;=%:\[\]-]*")
_HTTP_TARGET: Final = re.compile(rb"/[^#]*|\*|(?i:https?)://[^/?#@]+([/?][^#]*)?")
# RFC 9112, 7.1.1, without the spaces that it lets recipients take.
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED: Final = rb'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t -~\x80-\xff])*"'
_CHUNK: Final = re.compile(rb"[0-9A-Fa-f]{1,16}(?:;%s(?:=(?:%s|%s))?)*\r\n" % (_TOKEN, _TOKEN, _QUOTED))
# Of those that the streams hold.
_METHODS: Final = {b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"M-SEARCH"}


def _head(opinion: Opinion) -> bytes:
    found = _HEAD.match(opinion.raw.lstrip(b"\r\n"))
    return found[0] if found else opinion.raw


def _framing(opinion: Opinion) -> bytes:
    """The head; and the lines of a chunked body, in which its data stand as well."""
    return opinion.raw if _is_chunked(opinion) else _head(opinion)


def _is_chunked(opinion: Opinion) -> bool:
    return b"transfer-encoding" in opinion.fields


def _trailers(opinion: Opinion) -> bytes:
    return opinion.raw.rpartition(b"\r\n0")[2] if _is_chunked(opinion) else b""


def _has_odd_chunk(opinion: Opinion) -> bool:
    if not _is_chunked(opinion):
        return False
    rest = opinion.raw[len(_head(opinion)) :]
    while rest:
        line = _CHUNK.match(rest)
        if line is None:
            return True
        size = int(line[0].partition(b";")[0], 16)
        if size == 0:
            return False
        rest = rest[line.end() + size + 2 :]
    return False


class Difference(NamedTuple):
    """Something that one of the two takes.

    example: a stream in which it is all that is odd. applies: whether a request has it.
    """

    name: str
    example: bytes
    applies: Callable[[Opinion], object]


def _get(*lines: bytes, start: bytes = b"GET / HTTP/1.1") -> bytes:
    return b"\r\n".join([start, b"Host: a", *lines, b"", b""])


def _chunks(coded: bytes, *lines: bytes, start: bytes = b"GET / HTTP/1.1") -> bytes:
    return _get(b"Transfer-Encoding: chunked", *lines, start=start) + coded


# The intake refuses, h11 takes.
STRICTER: Final = (
    Difference(
        "a line ends with a bare line feed",
        _get().replace(b"a\r\n", b"a\n"),
        lambda opinion: re.search(rb"(?<!\r)\n", _framing(opinion)),
    ),
    Difference(
        "a header or a trailer is folded",
        _get(b"X: y\r\n z"),
        lambda opinion: re.search(rb"\n[ \t]", _framing(opinion)),
    ),
    Difference(
        "a control character stands in a value",
        _get(b"X: \x01"),
        lambda opinion: re.search(rb"[\x01-\x08\x0e-\x1f\x7f]", _framing(opinion)),
    ),
    Difference(
        "both lengths at once",
        _chunks(b"0\r\n\r\n", b"Content-Length: 5"),
        lambda opinion: _is_chunked(opinion) and _LENGTHS.search(_head(opinion)),
    ),
    Difference(
        "Content-Length twice, in one header or in two",
        _get(b"Content-Length: 0, 0"),
        lambda opinion: b"," in b",".join(_LENGTHS.findall(_head(opinion))),
    ),
    Difference(
        "a length beyond 64 bits",
        _get(b"Content-Length: 18446744073709551616"),
        lambda opinion: int(opinion.fields.get(b"content-length", b"0")) >= 2**64,
    ),
    Difference(
        "a tab after a coding",
        _get().replace(b"a\r\n", b"a\r\nTransfer-Encoding: chunked\t\r\n") + b"0\r\n\r\n",
        lambda opinion: re.search(rb"(?i)\ntransfer-encoding:[^\r\n]*\t[ \t]*\r\n", _head(opinion)),
    ),
    Difference(
        "chunked in HTTP/1.0",
        _chunks(b"0\r\n\r\n", start=b"GET / HTTP/1.0"),
        lambda opinion: _is_chunked(opinion) and opinion.version == b"1.0",
    ),
    Difference(
        "a method that llhttp does not know, or that is for proxies",
        _get(start=b"get / HTTP/1.1"),
        lambda opinion: opinion.method not in _METHODS,
    ),
    Difference(
        "another version",
        _get(start=b"GET / HTTP/1.2"),
        lambda opinion: opinion.version not in {b"1.0", b"1.1"},
    ),
    Difference(
        "a Host that is no host",
        _get().replace(b": a", b": a b"),
        lambda opinion: not _HOST.fullmatch(opinion.fields.get(b"host", b"")),
    ),
    Difference(
        "a target that no origin server has",
        _get(start=b"GET ftp://a/ HTTP/1.1"),
        lambda opinion: not _HTTP_TARGET.fullmatch(opinion.target),
    ),
    Difference(
        "a chunk's size or extension that RFC 9112 does not have",
        _chunks(b"0 \r\n\r\n"),
        _has_odd_chunk,
    ),
    Difference(
        "a trailer that frames",
        _chunks(b"0\r\nContent-Length: 0\r\n\r\n"),
        lambda opinion: re.search(rb"(?i)\n(content-length|transfer-encoding):", _trailers(opinion)),
    ),
)

# The intake takes, h11 refuses.
MORE_LENIENT: Final = (
    Difference(
        "an empty line before a request",
        b"\r\n" + _get(),
        lambda opinion: opinion.raw.startswith(b"\r\n"),
    ),
)

# The intake takes another request over the connection, h11 does not.
KEEPS_ALIVE: Final = (
    Difference(
        "keep-alive in HTTP/1.0",
        _get(b"Connection: keep-alive", start=b"GET / HTTP/1.0") * 2,
        lambda opinion: opinion.version == b"1.0" and b"keep-alive" in opinion.fields.get(b"connection", b"").lower(),
    ),
)


def reasons(table: Iterable[Difference], opinion: Opinion) -> list[str]:
    """The names of the differences that apply to a request."""
    return [difference.name for difference in table if difference.applies(opinion)]
