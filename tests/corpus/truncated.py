"""Requests that break off, at every place that means something: the client ends its half, or resets the connection."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_HTTP, INVALID_JSON, INVALID_TOKEN, KEPT, NOTHING, PAGE, TOO_LARGE
from corpus.case import Case, Step
from corpus.raw_requests import GOOD, GOOD_IN_CHUNKS, MAX_BYTES, POSTED, framed, get, post, posted

_BODY: Final = GOOD.index(b"\r\n\r\n") + 4
_CHUNKS: Final = GOOD_IN_CHUNKS.index(b"\r\n\r\n") + 4
_PLACES: Final = {
    "in the method": 2,
    "after the method": 4,
    "before the target": 5,
    "in the target": 12,
    "after the target": 21,
    "in the version": 28,
    "after the version": 30,
    "between carriage return and line feed": 31,
    "after the request line": 32,
    "in a header's name": 34,
    "after a header's colon": 37,
    "in a header's value": 41,
    "in the length": _BODY - 5,
    "before the empty line": _BODY - 2,
    "in the empty line": _BODY - 1,
    "after the head": _BODY,
    "after the body's first byte": _BODY + 1,
    "in the middle of the body": (_BODY + len(GOOD)) // 2,
    "before the body's last byte": len(GOOD) - 1,
}
_PLACES_OF_CHUNKS: Final = {
    "before the first chunk": _CHUNKS,
    "in a chunk's size": _CHUNKS + 1,
    "after a chunk's size": _CHUNKS + 2,
    "in the line end after a chunk's size": _CHUNKS + 3,
    "before a chunk's data": _CHUNKS + 4,
    "in a chunk's data": _CHUNKS + 50,
    "after a chunk's data": len(GOOD_IN_CHUNKS) - 7,
    "in the line end after a chunk's data": len(GOOD_IN_CHUNKS) - 6,
    "before the last chunk": len(GOOD_IN_CHUNKS) - 5,
    "after the last chunk's size": len(GOOD_IN_CHUNKS) - 4,
    "in the last chunk's line end": len(GOOD_IN_CHUNKS) - 3,
    "before the last empty line": len(GOOD_IN_CHUNKS) - 2,
    "in the last empty line": len(GOOD_IN_CHUNKS) - 1,
}
_WHOLE: Final = {
    "a good request": (GOOD, KEPT),
    "a chunked request": (GOOD_IN_CHUNKS, KEPT),
    "a request with a wrong token": (post(posted(token=b'"wrong"')), INVALID_TOKEN),
    "a request without a body": (post(b""), INVALID_JSON),
    "a request for a page": (get(), PAGE),
    "a request that is none": (b"nonsense\r\n\r\n", INVALID_HTTP),
    "a body that is too long": (post(b" " * (MAX_BYTES + 1)), TOO_LARGE),
    "the head of a body that is too long": (framed(b"Content-Length: %d" % (MAX_BYTES + 1), body=POSTED), TOO_LARGE),
}

CASES: Final = (
    *(Case(f"it ends {where}", (GOOD[:place], Step.END), NOTHING) for where, place in _PLACES.items()),
    *(
        Case(f"it ends {where}", (GOOD_IN_CHUNKS[:place], Step.END), NOTHING)
        for where, place in _PLACES_OF_CHUNKS.items()
    ),
    *(
        Case(f"it is reset {where}", (GOOD[:place], Step.RESET), NOTHING)
        for where, place in _PLACES.items()
        if place >= _BODY - 2
    ),
    *(Case(f"it ends after {what}", (sent, Step.END), answer, ends=True) for what, (sent, answer) in _WHOLE.items()),
)
