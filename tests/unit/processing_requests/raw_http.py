"""HTTP byte by byte, for what no client library would send."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from unit.processing_requests.waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A raw connection; whatever waits on it has a deadline."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(DEADLINE):
            yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def head(length: int | None, *extra: str, target: str = "/process_request") -> bytes:
    """A POST's head; chunked where it has no length."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"POST {target} HTTP/1.1", "Host: intake", "Content-Type: application/json", framing, *extra]
    return "\r\n".join([*lines, "", ""]).encode()


async def answer(reader: asyncio.StreamReader, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
    """Read one answer: status, headers in lower case, body; has_body: False for the answer to HEAD."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    length = int(headers.get("content-length", "0")) if has_body else 0
    return int(lines[0].split()[1]), headers, await reader.readexactly(length)
