"""Transfer-Encoding: only `chunked` is one, in HTTP/1.1 (RFC 9112, 6.1)."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_HTTP, INVALID_JSON, KEPT
from corpus.case import Case
from corpus.raw_requests import CHUNKED, LAST_CHUNK, POSTED, START, chunk, framed, get

_CODED: Final = chunk(POSTED) + LAST_CHUNK
_IN_1_0: Final = START.replace(b"1.1", b"1.0")

_GOOD: Final = (
    *(b"Transfer-Encoding: Chunked", b"Transfer-Encoding: CHUNKED", b"transfer-encoding: chunked"),
    *(b"Transfer-Encoding:chunked", b"Transfer-Encoding: \t chunked  ", b"TRANSFER-ENCODING: cHuNkEd"),
)
_BAD_VALUES: Final = (
    *(b"xchunked", b"chunkedx", b"chunked, chunked", b"chunked,", b",chunked", b"chunked,chunked", b"x, chunked"),
    *(b"gzip", b"gzip, chunked", b"gzip,chunked", b"chunked, gzip", b"deflate", b"identity", b"identity, chunked"),
    *(b"chunked, identity", b"", b'"chunked"', b"chunked;q=1", b"chunked ;x", b"chun ked", b"chunk", b"trailers"),
    *(b"chunked\x0b", b"\x0bchunked", b"chunked\x00", b"\xefchunked", b"chun\tked", b"'chunked'", b"chunked\x7f"),
    b"chunked\t",  # spaces and tabs around a value are no part of it (RFC 9110, 5.5), but llhttp refuses this one
)
_BAD_LINES: Final = {
    "twice": (CHUNKED, CHUNKED),
    "twice, in two cases": (CHUNKED, CHUNKED.lower()),
    "twice, one of them empty": (CHUNKED, b"Transfer-Encoding:"),
    "after another coding in a line of its own": (b"Transfer-Encoding: gzip", CHUNKED),
    "before another coding in a line of its own": (CHUNKED, b"Transfer-Encoding: gzip"),
    "before `identity` in a line of its own": (CHUNKED, b"Transfer-Encoding: identity"),
    "with a space before the colon": (b"Transfer-Encoding : chunked",),
    "with a tab before the colon": (b"Transfer-Encoding\t: chunked",),
    "with a NUL in its name": (b"Transfer\x00-Encoding: chunked",),
    "with a space in its name": (b"Transfer Encoding: chunked",),
    "folded onto the next line": (b"Transfer-Encoding:\r\n chunked",),
    "folded, with a tab": (b"Transfer-Encoding: gzip,\r\n\tchunked",),
    "as the continuation of another line": (b"X-Further: x\r\n Transfer-Encoding: chunked",),
    "after a line that ends without a carriage return": (b"X-Further: x\nTransfer-Encoding: chunked",),
    "after a line that ends without a line feed": (b"X-Further: x\rTransfer-Encoding: chunked",),
}

CASES: Final = (
    *(Case(f"the coding {line!r}", framed(line, body=_CODED), KEPT) for line in _GOOD),
    *(
        Case(f"the coding {value!r} is not taken", framed(b"Transfer-Encoding: " + value, body=_CODED), INVALID_HTTP)
        for value in _BAD_VALUES
    ),
    *(Case(f"Transfer-Encoding {how}", framed(*lines, body=_CODED), INVALID_HTTP) for how, lines in _BAD_LINES.items()),
    Case("chunked in HTTP/1.0", framed(CHUNKED, body=_CODED, start=_IN_1_0), INVALID_HTTP),
    Case(
        "chunked in HTTP/1.0 with keep-alive",
        framed(CHUNKED, b"Connection: keep-alive", body=_CODED, start=_IN_1_0),
        INVALID_HTTP,
    ),
    Case("another coding with a GET", get(b"/docs", b"Transfer-Encoding: gzip"), INVALID_HTTP),
    Case(
        "a coding under another name is none",
        framed(b"Transfer_Encoding: chunked", body=_CODED),
        (INVALID_JSON, INVALID_HTTP),
    ),
    Case("chunked, with the codings that the client would take", framed(CHUNKED, b"TE: trailers", body=_CODED), KEPT),
)
