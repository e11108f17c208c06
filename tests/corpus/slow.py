"""Clients that are slow, and clients that stop: each is answered or let go within its deadline."""

from __future__ import annotations

from typing import Final

from corpus.answers import CONTINUE, INVALID_HTTP, INVALID_TOKEN, KEPT, NOTHING, PAGE, REQUEST_TIMEOUT, TOO_LARGE
from corpus.case import Case, Pause, Step
from corpus.raw_requests import (
    CHUNKED,
    DEADLINE_SECONDS,
    GOOD,
    GOOD_IN_CHUNKS,
    HOST,
    JSON,
    MAX_BYTES,
    POSTED,
    chunk,
    framed,
    get,
    head,
    in_chunks,
    post,
    posted,
)

_GAP: Final = 0.001
_SHORT: Final = Pause(0.1)
_ENDLESS: Final = Pause(DEADLINE_SECONDS * 2)
_HEAD: Final = GOOD[: GOOD.index(b"\r\n\r\n") + 4]


def _dribbled(sent: bytes, *, seconds: float) -> tuple[bytes | Pause, ...]:
    """Single bytes so far apart that each read comes well within the deadline, and all of them do not."""
    steps: list[bytes | Pause] = []
    for place in range(len(sent)):
        steps += [sent[place : place + 1], Pause(seconds)]
    return tuple(steps)


CASES: Final = (
    Case("a request byte by byte", GOOD, KEPT, gap_seconds=_GAP),
    Case("a chunked request byte by byte", GOOD_IN_CHUNKS, KEPT, gap_seconds=_GAP),
    Case("a wrong token byte by byte", post(posted(token=b'"wrong"')), INVALID_TOKEN, gap_seconds=_GAP),
    Case("two requests byte by byte", GOOD * 2, (KEPT, KEPT), gap_seconds=_GAP),
    Case(
        "both lengths at once byte by byte", head(HOST, CHUNKED, b"Content-Length: 5"), INVALID_HTTP, gap_seconds=_GAP
    ),
    Case("a bad chunk byte by byte", in_chunks(b"x\r\n"), INVALID_HTTP, gap_seconds=_GAP),
    Case("a pause before the body", (_HEAD, _SHORT, POSTED), KEPT),
    Case("a pause before the last byte of the body", (GOOD[:-1], _SHORT, GOOD[-1:]), KEPT),
    Case("a pause between the last two bytes of the head", (_HEAD[:-1], _SHORT, _HEAD[-1:] + POSTED), KEPT),
    Case("a pause between a carriage return and its line feed", (GOOD[:31], _SHORT, GOOD[31:]), KEPT),
    Case("a pause in the length", (_HEAD[:-6], _SHORT, _HEAD[-6:] + POSTED), KEPT),
    Case("a pause in the empty line before a request", (b"\r", _SHORT, b"\n" + GOOD), KEPT),
    Case("a pause between two requests", (GOOD, Step.READ, _SHORT, GOOD), (KEPT, KEPT)),
    Case(
        "a pause before the last line feed of a chunked body",
        (GOOD_IN_CHUNKS[:-1], _SHORT, GOOD_IN_CHUNKS[-1:]),
        KEPT,
    ),
    Case("a client that sends nothing", (_ENDLESS,), NOTHING),
    Case("a head that never ends", (_HEAD[:-2], _ENDLESS), NOTHING),
    Case("a head of one letter", (b"P", _ENDLESS), NOTHING),
    Case("a head that comes bit by bit for ever", _dribbled(GOOD[:16], seconds=DEADLINE_SECONDS / 6), NOTHING),
    Case("a second head that never ends", (GOOD, Step.READ, GOOD[:50], _ENDLESS), KEPT, ends=True),
    Case("a body that never comes", (_HEAD, _ENDLESS), REQUEST_TIMEOUT),
    Case("a body that stops halfway", (GOOD[:-50], _ENDLESS), REQUEST_TIMEOUT),
    Case("a body that lacks its last byte", (GOOD[:-1], _ENDLESS), REQUEST_TIMEOUT),
    Case(
        "a body that comes bit by bit for ever",
        (_HEAD, *_dribbled(POSTED[:16], seconds=DEADLINE_SECONDS / 6)),
        REQUEST_TIMEOUT,
    ),
    Case("a chunk's size that never ends", (in_chunks(b"5"), _ENDLESS), REQUEST_TIMEOUT),
    Case("a chunk that never ends", (in_chunks(chunk(POSTED)[:-9]), _ENDLESS), REQUEST_TIMEOUT),
    Case("a last chunk that never comes", (in_chunks(chunk(POSTED)), _ENDLESS), REQUEST_TIMEOUT),
    Case("trailers that never end", (in_chunks(chunk(POSTED), b"0\r\nX: x\r\n"), _ENDLESS), REQUEST_TIMEOUT),
    Case(
        "a body that never comes after a 100",
        (head(HOST, JSON, b"Content-Length: 9", b"Expect: 100-continue"), _ENDLESS),
        (CONTINUE, REQUEST_TIMEOUT),
    ),
    Case(
        "a body that is too long and never comes",
        (framed(b"Content-Length: %d" % (MAX_BYTES + 1), body=b""), _ENDLESS),
        TOO_LARGE,
        ends=True,
    ),
    Case("a page with a body that never comes", (get(b"/docs", b"Content-Length: 5"), _ENDLESS), PAGE, ends=True),
)
