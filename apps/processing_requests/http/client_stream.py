"""The bytes to and from one client: back-pressure in both directions, and what is held in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processing_requests.http.long_body import LongBody
    from processing_requests.http.open_connections import OpenConnections
    from processing_requests.http.response import Response


class ClientStream(asyncio.Protocol):
    """What every connection has, whatever is said over it.

    While nothing may be read, one read that was under way is kept, and counted as all connections' held bytes are.
    """

    __slots__ = (
        "_connections",
        "_decompresses",
        "_has_ended",
        "_held_bytes",
        "_is_full",
        "_is_reading",
        "_parts",
        "_start",
        "_transport",
        "_unread",
    )

    _transport: asyncio.Transport

    def __init__(self, connections: OpenConnections) -> None:
        self._connections = connections
        self._unread = b""  # from _start on
        self._start = 0
        self._held_bytes = 0
        self._is_reading = True
        self._is_full = False  # the client does not read
        self._has_ended = False  # the client sends no more
        self._parts: Iterator[bytes | memoryview] | None = None  # of the answer, that are not sent yet
        self._decompresses = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio says."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)  # so that it tells of the first byte that is not taken

    def pause_writing(self) -> None:
        """As asyncio says."""
        self._is_full = True

    def resume_writing(self) -> None:
        """As asyncio says."""
        self._is_full = False

    def _send(self, response: Response, connection: bytes, body: bytes) -> None:
        """connection: the header of that name with its line end, or nothing; and the end of the head."""
        self._transport.write(b"".join((response.start, self._connections.date, connection, body)))

    def _begin_parts(self, body: LongBody | None) -> bool:
        """Have the parts of a body to send, if any; False where it is decompressed for too many clients already."""
        if body is None:
            return True
        if body.decompresses:
            if not self._connections.may_decompress:
                return False
            self._connections.decompressing += 1
        self._decompresses = body.decompresses
        self._parts = body.parts()
        return True

    def _send_part(self) -> bool:
        """Send the next part; whether there was one."""
        part = next(self._parts, None) if self._parts is not None else None
        if part is None:
            self._end_parts()
            return False
        self._transport.write(part)
        return True

    def _end_parts(self) -> None:
        """Send no more of them."""
        self._parts = None
        if self._decompresses:
            self._decompresses = False
            self._connections.decompressing -= 1

    def _stop_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            self._transport.resume_reading()

    def _keep(self, data: bytes, start: int) -> bool:
        """Keep what was read too early, and read no more; False where there is no room for it."""
        self._unread, self._start = data, start
        self._stop_reading()
        return self._hold(len(data))

    def _hold(self, size: int) -> bool:
        """Count bytes as held; whether all connections together stay within their bound."""
        self._held_bytes += size
        return self._connections.hold(size, own=self._held_bytes)

    def _forget(self) -> None:
        """Hold nothing any more."""
        if self._held_bytes:
            self._connections.hold(-self._held_bytes)
            self._held_bytes = 0
        self._unread, self._start = b"", 0
