"""A client whose connection to the intake is no socket: what is posted is handed over in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import httpx

from processing_requests.http.connection import Connection
from unit.processing_requests.raw_http import answer
from unit.processing_requests.waiting import DEADLINE

if TYPE_CHECKING:
    from processing_requests.http.open_connections import OpenConnections


class MemoryTransport(asyncio.Transport):
    """What a connection writes goes to `reader`, and is always taken at once."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.reader = asyncio.StreamReader()
        self._connection = connection
        self._closing = False
        self.has_answered = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.has_answered = True
        self.reader.feed_data(bytes(data))

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self.reader.feed_eof()
            asyncio.get_running_loop().call_soon(self._connection.connection_lost, None)

    abort = close
    write_eof = close

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass


class InProcess(httpx.AsyncBaseTransport):
    """For httpx: each request goes over a connection of its own; a body that comes in parts is sent in chunks."""

    def __init__(self, connections: OpenConnections) -> None:
        self._connections = connections

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        connection = Connection(self._connections)
        transport = MemoryTransport(connection)
        connection.connection_made(transport)
        sending = asyncio.create_task(self._send(request, connection, transport))
        try:
            async with asyncio.timeout(DEADLINE):
                status, headers, body = await answer(transport.reader, has_body=request.method != "HEAD")
        finally:
            sending.cancel()
            transport.close()
        return httpx.Response(status, headers=headers, content=body)

    async def _send(self, request: httpx.Request, connection: Connection, transport: MemoryTransport) -> None:
        lines = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
        lines += [b"%s: %s" % header for header in request.headers.raw]
        connection.data_received(b"\r\n".join([*lines, b"", b""]))
        if transport.has_answered:
            return
        is_chunked = "transfer-encoding" in request.headers
        async for part in cast("httpx.AsyncByteStream", request.stream):
            if transport.is_closing() or transport.has_answered:
                return
            if part:
                connection.data_received(b"%x\r\n%s\r\n" % (len(part), part) if is_chunked else part)
        if is_chunked and not transport.is_closing():
            connection.data_received(b"0\r\n\r\n")
