"""Chunked bodies: sizes, extensions, trailers and ends (RFC 9112, 7.1)."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_HTTP, INVALID_JSON, INVALID_TOKEN, KEPT, NOTHING, TOO_LARGE
from corpus.case import Case, Step
from corpus.raw_requests import EMAIL, GOOD, LAST_CHUNK, MAX_BYTES, POSTED, TOKEN, chunk, in_chunks, posted

_SIZE: Final = b"%x" % len(POSTED)
_BEARER: Final = b"Authorization: Bearer " + TOKEN.encode()
_SINGLE_BYTES: Final = tuple(POSTED[place : place + 1] for place in range(len(POSTED)))

# What stands before the data of a first chunk.
_GOOD_SIZES: Final = {
    "in capitals": _SIZE.upper(),
    "with leading zeros": b"00000" + _SIZE,
    "with an extension": _SIZE + b";name",
    "with an extension that has a value": _SIZE + b";name=value",
    "with a quoted extension": _SIZE + b';name="a value"',
    "with a semicolon in quotes": _SIZE + b';name="a;b"',
    "with an escaped quote in quotes": _SIZE + rb';name="a\"b"',
    "with several extensions": _SIZE + b';a=b;c;d="e"',
    "with 10,000 bytes of extensions": _SIZE + b";name=" + b"x" * 10_000,
}
_BAD_SIZES: Final = {
    "that is empty": b"",
    "that is no hexadecimal number": b"g",
    "that is negative": b"-1",
    "that is minus zero": b"-0",
    "with a plus sign": b"+" + _SIZE,
    "with 0x before it": b"0x" + _SIZE,
    "with h after it": _SIZE + b"h",
    "with a space before it": b" " + _SIZE,
    "with a tab before it": b"\t" + _SIZE,
    "with a space in it": _SIZE[:1] + b" " + _SIZE[1:],
    "with a NUL after it": _SIZE + b"\x00",
    "with an underscore in it": b"0_" + _SIZE,
    "with a comma after it": _SIZE + b",name",
    "beyond 64 bits": b"1" + b"0" * 16,
    "beyond 64 bits by far": b"f" * 100,
    "in the digits of another script": "\u0665".encode(),
    "with an extension of no name": _SIZE + b";",
    "with a NUL in an extension": _SIZE + b";a\x00b",
    "with a bare carriage return in an extension": _SIZE + b";a\rb",
    "with a quote in an extension that never ends": _SIZE + b';a="b',
    "with 300,000 bytes of extensions": _SIZE + b";name=" + b"x" * 300_000,
}
_GOOD_TRAILERS: Final = {
    "one trailer": b"X-Trailer: x\r\n",
    "10,000 bytes of trailers": b"X-Trailer: x\r\n" * 714,
    "a trailer that names another Host": b"Host: elsewhere, or not\r\n",
    "a trailer that would end the connection": b"Connection: close\r\n",
    "a trailer that would have another media type": b"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n",
}
_BAD_TRAILERS: Final = {
    "a trailer that repeats Content-Length": b"Content-Length: 5\r\n",
    "two trailers that repeat Content-Length": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "a trailer that repeats Transfer-Encoding": b"Transfer-Encoding: gzip\r\n",
    "a trailer without a colon": b"X-Trailer\r\n",
    "a trailer with a space before its colon": b"X-Trailer : x\r\n",
    "a trailer without a name": b": x\r\n",
    "a trailer with a NUL": b"X-Trailer: \x00\r\n",
    "a trailer that is folded": b"X-Trailer: x\r\n y\r\n",
    "a trailer that ends with a bare line feed": b"X-Trailer: x\n",
    "a trailer with a bare carriage return": b"X-Trailer: x\rX-Another: y\r\n",
    "300,000 bytes of trailers": b"X-Trailer: x\r\n" * 21_429,
    "a single trailer of 300,000 bytes": b"X-Trailer: " + b"x" * 300_000 + b"\r\n",
}

CASES: Final = (
    Case("one chunk", in_chunks(chunk(POSTED), LAST_CHUNK), KEPT),
    Case("two chunks", in_chunks(chunk(POSTED[:7]), chunk(POSTED[7:]), LAST_CHUNK), KEPT),
    Case("a chunk for each byte", in_chunks(*map(chunk, _SINGLE_BYTES), LAST_CHUNK), KEPT),
    Case("no chunk but the last", in_chunks(LAST_CHUNK), INVALID_JSON),
    Case("a last chunk of several zeros", in_chunks(chunk(POSTED), b"000\r\n\r\n"), KEPT),
    Case("a last chunk with an extension", in_chunks(chunk(POSTED), b"0;name=value\r\n\r\n"), KEPT),
    Case("chunks of 100,000 bytes", in_chunks(chunk(POSTED), chunk(b" " * 100_000) * 10, LAST_CHUNK), KEPT),
    *(
        Case(f"a chunk's size {how}", in_chunks(size, b"\r\n", POSTED, b"\r\n", LAST_CHUNK), KEPT)
        for how, size in _GOOD_SIZES.items()
    ),
    *(
        Case(f"a chunk's size {how}", in_chunks(size, b"\r\n", POSTED, b"\r\n", LAST_CHUNK), INVALID_HTTP)
        for how, size in _BAD_SIZES.items()
    ),
    Case(
        "extensions longer than the data of many chunks",
        in_chunks(*(chunk(byte, b";" + b"x" * 300) for byte in _SINGLE_BYTES), LAST_CHUNK),
        INVALID_HTTP,
    ),
    Case("a bare line feed after a size", in_chunks(_SIZE, b"\n", POSTED, b"\r\n", LAST_CHUNK), INVALID_HTTP),
    Case("a bare carriage return after a size", in_chunks(_SIZE, b"\r", POSTED, b"\r\n", LAST_CHUNK), INVALID_HTTP),
    Case("a bare line feed after the data", in_chunks(_SIZE, b"\r\n", POSTED, b"\n", LAST_CHUNK), INVALID_HTTP),
    Case("no line end after the data", in_chunks(_SIZE, b"\r\n", POSTED, LAST_CHUNK), INVALID_HTTP),
    Case("data longer than its size", in_chunks(b"5\r\n", POSTED, b"\r\n", LAST_CHUNK), INVALID_HTTP),
    Case("data shorter than its size", in_chunks(b"fff\r\n", POSTED, b"\r\n", LAST_CHUNK, b"x" * 5000), INVALID_HTTP),
    Case("a line feed as the last line's end", in_chunks(chunk(POSTED), b"0\r\n\n"), INVALID_HTTP),
    Case("a line feed as the last chunk's end", in_chunks(chunk(POSTED), b"0\n\r\n"), INVALID_HTTP),
    Case("a body that is not coded", in_chunks(POSTED), INVALID_HTTP),
    Case("no last chunk", (in_chunks(chunk(POSTED)), Step.END), NOTHING),
    Case("a last chunk without an empty line", (in_chunks(chunk(POSTED), b"0\r\n"), Step.END), NOTHING),
    Case("a request in place of the last empty line", in_chunks(chunk(POSTED), b"0\r\n", GOOD), INVALID_HTTP),
    *(
        Case(f"{what}", in_chunks(chunk(POSTED), b"0\r\n", trailers, b"\r\n"), KEPT)
        for what, trailers in _GOOD_TRAILERS.items()
    ),
    *(
        Case(f"{what}", in_chunks(chunk(POSTED), b"0\r\n", trailers, b"\r\n"), INVALID_HTTP)
        for what, trailers in _BAD_TRAILERS.items()
    ),
    Case(
        "a token in a trailer is none",
        in_chunks(chunk(posted(EMAIL, token=None)), b"0\r\n", _BEARER, b"\r\n\r\n"),
        INVALID_TOKEN,
    ),
    Case("a chunk of 2**63 bytes, and no more", (in_chunks(b"8" + b"0" * 15 + b"\r\n"), Step.END), NOTHING),
    Case("exactly as much as may be", in_chunks(chunk(POSTED.ljust(MAX_BYTES)), LAST_CHUNK), KEPT),
    Case("one byte too many", in_chunks(chunk(POSTED.ljust(MAX_BYTES + 1)), LAST_CHUNK), TOO_LARGE.closing()),
    Case("too much in many chunks", in_chunks(chunk(b" " * 50_000) * 50, LAST_CHUNK), TOO_LARGE.closing()),
)
