"""Request lines and header lines that are none, or nearly none (RFC 9112, 2.2, 3 and 5)."""

from __future__ import annotations

from typing import Final

from corpus.answers import INVALID_HTTP, KEPT, NOTHING, VERSION_NOT_SUPPORTED
from corpus.case import Case, Step
from corpus.raw_requests import GOOD, HOST, JSON, LAST_CHUNK, POSTED, START, chunk, framed, post

_LENGTH: Final = b"Content-Length: %d" % len(POSTED)
_CONTROLS: Final = (b"\x01", b"\x08", b"\x0b", b"\x0c", b"\x1b", b"\x1f", b"\x7f")

_BAD_LINES: Final = {
    "without a colon": b"X-Further",
    "without a name": b": x",
    "of a colon": b":",
    "with a space before the colon": b"X-Further : x",
    "with a tab before the colon": b"X-Further\t: x",
    "with a space in the name": b"X Further: x",
    "with a parenthesis in the name": b"X(Further: x",
    "with a slash in the name": b"X/Further: x",
    "with a quote in the name": b'"X-Further": x',
    "with a NUL in the name": b"X\x00Further: x",
    "with a name beyond ASCII": "É: x".encode(),
    "with a NUL in the value": b"X-Further: \x00",
    "with a bare carriage return in the value": b"X-Further: x\ry",
    "with a bare carriage return at the end": b"X-Further: x\r",
    "with a bare line feed in the value": b"X-Further: x\ny: z",
    "that is folded with a space": b"X-Further: x\r\n y",
    "that is folded with a tab": b"X-Further: x\r\n\ty",
    "that is folded before its value": b"X-Further:\r\n x",
    "that is folded into nothing": b"X-Further: x\r\n ",
    "that begins with a space": b" X-Further: x",
}
_GOOD_LINES: Final = {
    "without a value": b"X-Further:",
    "with nothing but spaces as a value": b"X-Further: \t ",
    "with a tab in the value": b"X-Further: x\ty",
    "with a value in Latin-1": b"X-Further: \xe9\xff",
    "with a value in UTF-8": "X-Further: é\N{KEY}".encode(),
    "with every character that a name may have": b"!#$%&'*+-.^_`|~09AZaz: x",
    "with a colon in the value": b"X-Further: a:b: c",
    "with a request in the value": b"X-Further: " + START,
    "that comes twice": b"X-Further: x\r\nX-Further: y",
    "of 60,000 bytes": b"X-Further: " + b"x" * 60_000,
}
_NO_REQUESTS: Final = {
    "words": b"nonsense\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
    "an SSH banner": b"SSH-2.0-OpenSSH_9.6\r\n",
    "an SMTP greeting": b"EHLO example.org\r\n",
    "a hundred NULs": b"\x00" * 100,
    "an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "JSON": POSTED + b"\r\n\r\n",
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a chunk": chunk(POSTED) + LAST_CHUNK,
    "a byte order mark before a request": b"\xef\xbb\xbf" + GOOD,
    "a space before a request": b" " + GOOD,
    "a tab before a request": b"\t" + GOOD,
    "a bare line feed before a request": b"\n" + GOOD,
    "a bare carriage return before a request": b"\r" + GOOD,
    "a header in place of a request line": HOST + b"\r\n" + GOOD,
}
_BAD_STARTS: Final = {
    "without a version": b"POST /process_request",
    "without a version, but for a space": b"POST /process_request ",
    "without a target": b"POST HTTP/1.1",
    "without a method": b"/process_request HTTP/1.1",
    "with an empty target": b"POST  HTTP/1.1",
    "with two spaces after the method": b"POST  /process_request HTTP/1.1",
    "with two spaces after the target": b"POST /process_request  HTTP/1.1",
    "with a tab after the method": b"POST\t/process_request HTTP/1.1",
    "with a tab after the target": b"POST /process_request\tHTTP/1.1",
    "with a space after the version": b"POST /process_request HTTP/1.1 ",
    "with a word after the version": b"POST /process_request HTTP/1.1 x",
    "with a NUL after the version": b"POST /process_request HTTP/1.1\x00",
    "with a bare carriage return after the version": b"POST /process_request HTTP/1.1\r",
    "with a NUL in the method": b"PO\x00ST /process_request HTTP/1.1",
    "with a line feed after the method": b"POST\n/process_request HTTP/1.1",
}

CASES: Final = (
    *(Case(f"a header line {how}", post(POSTED, line), INVALID_HTTP) for how, line in _BAD_LINES.items()),
    *(Case(f"a header line {how}, which may be", post(POSTED, line), KEPT) for how, line in _GOOD_LINES.items()),
    *(Case(f"{control!r} in a value", post(POSTED, b"X-Further: " + control), INVALID_HTTP) for control in _CONTROLS),
    *(Case(f"a first header line {how}", framed(line, _LENGTH), INVALID_HTTP) for how, line in _BAD_LINES.items()),
    Case("1,000 header lines", post(POSTED, *[b"X-Further: x"] * 1000), KEPT),
    Case("header lines in another order", GOOD.replace(HOST + b"\r\n", b"").replace(JSON, JSON + b"\r\n" + HOST), KEPT),
    Case("bare line feeds in place of all line ends", GOOD.replace(b"\r\n", b"\n"), INVALID_HTTP),
    Case("a bare line feed after the request line", GOOD.replace(b"1.1\r\n", b"1.1\n"), INVALID_HTTP),
    Case("a bare line feed after a header", GOOD.replace(HOST + b"\r\n", HOST + b"\n"), INVALID_HTTP),
    Case("a bare line feed after the last header", GOOD.replace(b"\r\n\r\n", b"\n\r\n"), INVALID_HTTP),
    Case("a bare line feed as the empty line", GOOD.replace(b"\r\n\r\n", b"\r\n\n"), INVALID_HTTP),
    Case("bare carriage returns in place of all line ends", GOOD.replace(b"\r\n", b"\r"), INVALID_HTTP),
    Case("a bare carriage return as the empty line", GOOD.replace(b"\r\n\r\n", b"\r\n\r"), INVALID_HTTP),
    Case("two carriage returns at a line's end", GOOD.replace(HOST + b"\r\n", HOST + b"\r\r\n"), INVALID_HTTP),
    Case("a space before the first header line", GOOD.replace(HOST, b" " + HOST), INVALID_HTTP),
    *(Case(f"{what} in place of a request", sent, INVALID_HTTP) for what, sent in _NO_REQUESTS.items()),
    *(Case(f"a request line {how}", GOOD.replace(START, start), INVALID_HTTP) for how, start in _BAD_STARTS.items()),
    Case("an empty line before a request", b"\r\n" + GOOD, KEPT),
    Case(
        "two empty lines before a request, of which the RFC has one passed over",
        b"\r\n\r\n" + GOOD,
        KEPT,
        or_answers=INVALID_HTTP,
    ),
    Case("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), VERSION_NOT_SUPPORTED),
    Case("a request of HTTP/0.9", (b"GET /docs\r\n", Step.END), INVALID_HTTP),
    Case("nothing at all", (Step.END,), NOTHING),
    Case("an empty line and nothing else", (b"\r\n", Step.END), NOTHING),
)
