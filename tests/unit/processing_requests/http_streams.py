"""Streams of requests as clients might send them, good ones and slightly broken ones, for Hypothesis."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from unit.processing_requests.http_words import (
    CODINGS,
    DAMAGES,
    EXTENSIONS,
    FURTHER,
    HOSTS,
    LENGTHS,
    METHODS,
    TARGETS,
    TRAILERS,
    VERSIONS,
    Words,
)

# One part in so many is odd: so most requests are right but for one thing, or in everything.
_odd: Final = st.integers(0, 15).map(lambda number: number == 7)  # not an end of the range, which comes more often
_REQUEST: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
_bodies: Final = st.binary(max_size=40) | st.sampled_from([b"", b"{}", _REQUEST, b"0\r\n\r\n"])


@st.composite
def _word(draw: st.DrawFn, words: Words) -> str:
    return draw(st.sampled_from(words.odd if draw(_odd) else words.right))


@st.composite
def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """A body in chunks of any size, with extensions and trailers."""
    coded = b""
    while body:
        size = draw(st.integers(1, len(body)))
        written = draw(st.sampled_from(["{:x}", "{:X}", "0{:x}"])).format(size) + draw(_word(EXTENSIONS))
        coded += written.encode("latin-1") + b"\r\n" + body[:size] + b"\r\n"
        body = body[size:]
    end = f"0{draw(_word(EXTENSIONS))}\r\n{draw(_word(TRAILERS))}\r\n"
    return coded + end.encode("latin-1")


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    lines = [" ".join(draw(_word(words)) for words in (METHODS, TARGETS, VERSIONS)), draw(_word(HOSTS))]
    body = draw(_bodies)
    framing = draw(st.sampled_from(["none", "length", "chunked"]))
    if framing == "length":
        lines.append(draw(_word(LENGTHS)).replace("{}", str(len(body))))
    elif framing == "chunked":
        lines.append(draw(_word(CODINGS)))
        body = draw(_chunked(body))
    else:
        body = b""
    lines += draw(st.lists(_word(FURTHER), max_size=2))
    before = b"\r\n" if draw(_odd) else b""
    return before + "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Requests one after the other, in some of which single bytes are taken away, put in or replaced."""
    stream = b"".join(draw(st.lists(_requests(), min_size=1, max_size=4)))
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2]))):
        place, taken = draw(st.integers(0, len(stream))), draw(st.integers(0, 2))
        stream = stream[:place] + draw(st.sampled_from(DAMAGES)) + stream[place + taken :]
    return stream[: draw(st.integers(1, len(stream)))] if draw(_odd) else stream


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces, cut at these places as far as they are in it."""
    ends = [*sorted({place for place in places if 0 < place < len(stream)}), len(stream)]
    return [stream[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]
