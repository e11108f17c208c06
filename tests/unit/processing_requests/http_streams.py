"""Streams of requests as clients might send them, good ones and slightly broken ones, for Hypothesis."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

_METHODS: Final = (
    "GET",
    "POST",
    "PUT",
    "HEAD",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "M-SEARCH",
    "CONNECT",
    "get",
    "FOO",
    "P(ST",
)
_TARGETS: Final = (
    *("/", "/process_request", "/a/b?c=d", "/%70?x%", "/?", "//", "/a%2fb%", "http://a/b", "HTTP://a?b", "http:///b"),
    *("https://[::1]:80/", "ftp://a/b", "*", "a:443", "/#a", "a", "/{}|^~`", "http://u@a/b", "/a\tb", "/é"),
)
_VERSIONS: Final = ("HTTP/1.1",) * 8 + ("HTTP/1.0",) * 3 + ("HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/11", "http/1.1")
_HOSTS: Final = ("Host: a",) * 10 + ("Host:", "host: [::1]:80", "Host: a b", "Host: a,b", "Host: a@b", "Host : a", "")
_LENGTHS: Final = (
    *("Content-Length: {}",) * 10,
    *(
        "content-length:{} ",
        "Content-Length: \t{}",
        "Content-Length: 0{}",
        "Content-Length: +{}",
        "Content-Length: {}, {}",
    ),
    *("Content-Length: {}\r\nContent-Length: {}", "Content-Length: {}\r\nContent-Length: 5", "Content-Length : {}"),
    *(
        "Content-Length: {}\r\nTransfer-Encoding: chunked",
        "Content-Length: -{}",
        "Content-Length: 0x{}",
        "Content-Length:",
    ),
    *("Content-Length: 99999999999999999999", "Content-Length: {}\t", "Content_Length: {}", ""),
)
_CODINGS: Final = (
    *("Transfer-Encoding: chunked",) * 12,
    *(
        "transfer-encoding:CHUNKED ",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding:",
    ),
    *(
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding : chunked",
    ),
    *(
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\t",
        "Transfer-Encoding:\r\n chunked",
    ),
)
_FURTHER: Final = (
    *(
        "X: y",
        "X:",
        "X:\t y \t",
        "Connection: close",
        "Connection: keep-alive",
        "Connection: x, CLOSE",
        "Expect: 100-continue",
    ),
    *(
        "Upgrade: h2c",
        "Connection: Upgrade, HTTP2-Settings",
        "TE: trailers",
        "X: é",
        "X: a\x01b",
        "X: a\x7fb",
        "X: a\x0bb",
    ),
    *("X y: z", "X", ": x", " X: y", "X: y\r\n z", "X: a\nY: b", "X: a\rb", "X: \x00", "É: x", "Cookie: a=b; c=d"),
)
_EXTENSIONS: Final = ("",) * 10 + (
    ";a",
    ";a=b",
    ';a="b c"',
    ';a="',
    " ;a",
    " ",
    "\t",
    ";\x01",
    ";a\x7f",
    ";" + "x" * 300,
)
_TRAILERS: Final = ("",) * 12 + (
    *("X: y\r\n", "X: y\r\nZ:\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n"),
    *("X\r\n", "X : y\r\n", "X: y\n", "X: y\r\n z\r\n", "Host: b\r\n", ": x\r\n"),
)
_DAMAGES: Final = (b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b"\x00", b":", b";", b"0", b"f", b"\xff", b"#", b",")

_bodies: Final = st.binary(max_size=40) | st.sampled_from(
    [b"", b"{}", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"0\r\n\r\n"]
)


@st.composite
def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """A body in chunks of any size, with extensions and trailers."""
    coded = b""
    while body:
        size = draw(st.integers(1, len(body)))
        written = draw(st.sampled_from(["{:x}", "{:X}", "0{:x}"])).format(size)
        coded += f"{written}{draw(st.sampled_from(_EXTENSIONS))}\r\n".encode("latin-1") + body[:size] + b"\r\n"
        body = body[size:]
    return coded + f"0{draw(st.sampled_from(_EXTENSIONS))}\r\n{draw(st.sampled_from(_TRAILERS))}\r\n".encode("latin-1")


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    lines = [" ".join(draw(st.sampled_from(words)) for words in (_METHODS, _TARGETS, _VERSIONS))]
    lines.append(draw(st.sampled_from(_HOSTS)))
    body = draw(_bodies)
    framing = draw(st.sampled_from(["none", "length", "chunked"]))
    if framing == "length":
        lines.append(draw(st.sampled_from(_LENGTHS)).replace("{}", str(len(body))))
    elif framing == "chunked":
        lines.append(draw(st.sampled_from(_CODINGS)))
        body = draw(_chunked(body))
    else:
        body = b""
    lines += draw(st.lists(st.sampled_from(_FURTHER), max_size=2))
    head = "\r\n".join([line for line in lines if line] + ["", ""]).encode("latin-1")
    before = draw(st.sampled_from([b""] * 20 + [b"\r\n"]))
    return before + head + body


@st.composite
def _good_requests(draw: st.DrawFn) -> bytes:
    """What every server must take, so that a stream often gets beyond its first request."""
    body = draw(_bodies)
    if draw(st.booleans()):
        return b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    return b"GET /b?c HTTP/1.1\r\nHost: a\r\n\r\n"


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Requests one after the other, in some of which single bytes are taken away, put in or replaced."""
    stream = b"".join(draw(st.lists(_good_requests() | _requests(), min_size=1, max_size=4)))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        place, taken = draw(st.integers(0, len(stream))), draw(st.integers(0, 2))
        stream = stream[:place] + draw(st.sampled_from(_DAMAGES)) + stream[place + taken :]
    return stream[: draw(st.integers(1, len(stream)))] if draw(st.integers(0, 9)) == 0 and stream else stream


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces, cut at these places as far as they are in it."""
    ends = [*sorted({place for place in places if 0 < place < len(stream)}), len(stream)]
    return [stream[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]
