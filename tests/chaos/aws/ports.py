"""A port of the proxy: connections of clients, each with one to the emulator."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from chaos.aws.calls import Call, Ledger
from chaos.aws.http_messages import LIMIT, Answer, Request, read_answer, read_request

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

_AWAY: Final = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


class Answering(Protocol):
    """Who answers the calls of a port."""

    ledger: Ledger

    async def answer(self, call: Call) -> Answer | None:
        """What the client gets; None: its connection is reset."""
        ...

    def ended(self, call: Call, answer: Answer | None) -> None:
        """Take down what a client was answered; None: nothing."""
        ...


class Port:
    """Bound for as long as the proxy runs, so that nobody else gets it; it listens where connections are accepted."""

    def __init__(self, calls: Answering, emulator: tuple[str, int], *, program: str, number: int, service: str) -> None:
        self._calls = calls
        self._emulator = emulator
        self._process = (program, number)
        self._server: asyncio.Server | None = None
        self._clients: set[StreamWriter] = set()
        self._socket = self._bound(0)
        self._number: int = self._socket.getsockname()[1]
        self.service = service
        self.url = f"http://127.0.0.1:{self._number}"

    @staticmethod
    def _bound(number: int) -> socket.socket:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", number))
        return bound

    async def listen(self) -> None:
        """Accept connections from now on."""
        self._server = await asyncio.start_server(self._serve, sock=self._socket, limit=LIMIT)

    async def close(self) -> int:
        """Listen no more, and reset every connection; how many there were."""
        if self._server is None:
            return 0
        self._server.close()
        self._server = None
        self._socket.close()
        closed = len(self._clients)
        for client in list(self._clients):
            reset(client)
        await asyncio.sleep(0)
        for _ in range(100):  # the loop closes its listening socket a little later
            try:
                self._socket = self._bound(self._number)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                return closed
        raise OSError("the port is still taken")

    def unbind(self) -> None:
        """Give the port back."""
        self._socket.close()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._clients.add(writer)
        emulator = Connection(self._emulator)
        try:
            with suppress(*_AWAY, asyncio.CancelledError):  # which comes at the end alone
                while await self._exchange(reader, writer, emulator):
                    pass
        finally:
            self._clients.discard(writer)
            emulator.close()
            writer.close()

    async def _exchange(self, reader: StreamReader, writer: StreamWriter, emulator: Connection) -> bool:
        """Read one request and answer it; whether the connection goes on."""
        request = await read_request(reader)

        async def client_is_gone() -> None:
            await reader.read(1)

        call = Call(*self._process, self.service, request, emulator.exchange, client_is_gone, self._calls.ledger)
        answer = await self._calls.answer(call)
        if answer is None or reader.at_eof() or writer.is_closing():
            self._calls.ended(call, None)
            reset(writer)
            return False
        writer.write(answer.to_bytes())
        await writer.drain()
        is_gone = answer.is_torn or reader.at_eof() or writer.is_closing()
        self._calls.ended(call, None if is_gone else answer)
        return not is_gone


class Connection:
    """To the emulator, for one client; opened when it is needed. address: the emulator's."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._streams: tuple[StreamReader, StreamWriter] | None = None

    async def exchange(self, request: Request) -> Answer:
        """Raises as read_answer."""
        was_open = self._streams is not None
        try:
            return await self._try(request)
        except _AWAY:
            self.close()
            if not was_open:
                raise
        return await self._try(request)  # the emulator had closed an idle connection

    def close(self) -> None:
        """Close it, where it is open."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _try(self, request: Request) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address, limit=LIMIT)
        reader, writer = self._streams
        writer.write(request.to_bytes())
        return await read_answer(reader, method=request.method)


def reset(writer: StreamWriter) -> None:
    """End a connection by a TCP reset."""
    with suppress(OSError):
        found: socket.socket | None = writer.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()
