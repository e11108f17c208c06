"""HTTP/1.1 messages as the proxy reads them from streams, and writes them again: heads and whole bodies.

https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import StreamReader
    from collections.abc import Mapping

LIMIT: Final = 16 * 1024 * 1024  # bytes of a stream's buffer
_NO_CONTENT: Final = 204
_NOT_MODIFIED: Final = 304


@dataclass(frozen=True)
class Request:
    """headers: with lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def to_bytes(self) -> bytes:
        """As it goes over the wire."""
        return _to_bytes(f"{self.method} {self.target} HTTP/1.1", self.headers, self.body)


@dataclass(frozen=True)
class Answer:
    """headers: with lower-case names. has_body: not for the answer to a HEAD, whose length is that of a GET.

    is_torn: its head announces more than its body has, and then the connection ends.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    has_body: bool = True
    is_torn: bool = False

    def to_bytes(self) -> bytes:
        """As it goes over the wire."""
        counts = self.has_body and not self.is_torn
        return _to_bytes(f"HTTP/1.1 {self.status} .", self.headers, self.body, counts=counts)


async def read_request(reader: StreamReader) -> Request:
    """Raises asyncio.IncompleteReadError and OSError where the client goes away, ValueError for what is none."""
    line, headers = await _head(reader)
    method, target, _ = line.split(" ", 2)
    return Request(method, target, headers, await _body(reader, headers))


async def read_answer(reader: StreamReader, *, method: str) -> Answer:
    """As read_request; method: of the request."""
    line, headers = await _head(reader)
    status = int(line.split(" ", 2)[1])
    if method == "HEAD" or status in {_NO_CONTENT, _NOT_MODIFIED}:
        return Answer(status, b"", headers, has_body=False)
    return Answer(status, await _body(reader, headers), headers)


async def _head(reader: StreamReader) -> tuple[str, dict[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    return first, headers


async def _body(reader: StreamReader, headers: dict[str, str]) -> bytes:
    """The body; where it came in chunks, its headers say afterwards how long it is."""
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    del headers["transfer-encoding"]
    return b"".join(parts)


def _to_bytes(first: str, headers: Mapping[str, str], body: bytes, *, counts: bool = True) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers.items() if name != "content-length" or not counts)]
    if counts:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
