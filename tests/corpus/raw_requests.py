"""Requests as bytes. Every e-mail, token and target of the corpus holds MARK, which no log may hold."""

from __future__ import annotations

from typing import Final

from e2e.marked import MARK

# What the process is started with.
TOKEN: Final = f"{MARK}token"
OTHER_TOKEN: Final = f"{MARK}clé-\N{KEY}"
MAX_BYTES: Final = 2_000_000
MAX_HEAD_BYTES: Final = 65_536
# Within which a head, a body and the taking of an answer must be over. Long for a slow machine, and short for a test.
DEADLINE_SECONDS: Final = 3

START: Final = b"POST /process_request HTTP/1.1"
HOST: Final = b"Host: intake"
JSON: Final = b"Content-Type: application/json"

_MARK: Final = MARK.encode()
_MEMBERS: Final = {
    "email_subject": b'"%s subject"' % _MARK,
    "email_sender": b'"%s sender"' % _MARK,
    "email_timestream": b'"1706213694"',
    "email_content": b'"%s content"' % _MARK,
}


def text(value: bytes) -> bytes:
    """A JSON string around what would stand in it."""
    return b'"%s %s"' % (_MARK, value)


def email(**members: bytes) -> bytes:
    """An e-mail's JSON; members, given as JSON, take the place of its own or stand after them."""
    return (
        b"{" + b", ".join(b'"%s": %s' % (name.encode(), value) for name, value in (_MEMBERS | members).items()) + b"}"
    )


def without(name: str) -> bytes:
    """An e-mail's JSON that lacks a member."""
    return b"{" + b", ".join(b'"%s": %s' % (each.encode(), _MEMBERS[each]) for each in _MEMBERS if each != name) + b"}"


EMAIL: Final = email()


def posted(data: bytes = EMAIL, *, token: bytes | None = b'"%s"' % TOKEN.encode()) -> bytes:
    """The body for an e-mail; token: as JSON, None for none."""
    return b'{"data": ' + data + (b"" if token is None else b', "token": ' + token) + b"}"


POSTED: Final = posted()


def head(*lines: bytes, start: bytes = START) -> bytes:
    """A head of these lines and no others."""
    return b"\r\n".join([start, *lines, b"", b""])


def post(body: bytes = POSTED, *lines: bytes, start: bytes = START) -> bytes:
    """A request whose Content-Length is right, with further header lines."""
    return head(HOST, JSON, b"Content-Length: %d" % len(body), *lines, start=start) + body


def framed(*lines: bytes, body: bytes = POSTED, start: bytes = START) -> bytes:
    """A request with these header lines in place of Content-Length."""
    return head(HOST, JSON, *lines, start=start) + body


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    """One chunk of a body."""
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


CHUNKED: Final = b"Transfer-Encoding: chunked"
LAST_CHUNK: Final = b"0\r\n\r\n"


def in_chunks(*coded: bytes) -> bytes:
    """A chunked request whose body is these bytes, as they are."""
    return framed(CHUNKED, body=b"".join(coded))


def get(target: bytes = b"/docs", *lines: bytes, method: bytes = b"GET") -> bytes:
    """A request without a body."""
    return head(HOST, *lines, start=b"%s %s HTTP/1.1" % (method, target))


GOOD: Final = post()
GOOD_IN_CHUNKS: Final = in_chunks(chunk(POSTED), LAST_CHUNK)
