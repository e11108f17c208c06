"""The proxy before the emulator: a port per service process and per AWS service, and the faults that are going on."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO, TypeVar
from urllib.parse import urlsplit

import uvloop

from chaos.aws.calls import S3, SEND, Call, Ledger, read_json
from chaos.aws.http_messages import LIMIT, Answer, read_answer, read_request
from conservation.history import Confirmation, identity

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Coroutine, Iterator

    from chaos.aws.http_messages import Request

_T = TypeVar("_T")
_SUCCESS: Final = 200
_AWAY: Final = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


class GoingOn(Protocol):
    """A fault while it happens."""

    name: str

    def hits(self, call: Call) -> bool:
        """Whether it happens to this call."""
        ...

    async def answer(self, call: Call) -> Answer | None:
        """What the client gets; None: its connection is reset."""
        ...


class Proxy:
    """Brings calls to the emulator, unless a fault that is going on does something else with them.

    log: a text file for a line of JSON per call, from which a violation's story can be read; None: none is written.
    ledger: of receives that faults made vain. confirmations: of each message that SQS confirmed to a client.
    """

    def __init__(self, emulator_url: str, *, log: TextIO | None = None) -> None:
        parts = urlsplit(emulator_url)
        self._emulator = (str(parts.hostname), int(parts.port or 0))
        self._ports: list[_Port] = []
        self._going_on: tuple[GoingOn, ...] = ()
        self._refused: list[str] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self.ledger = Ledger()
        self._log = log
        self.confirmations: list[Confirmation] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve in a thread while the body runs."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._run(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def open(self, program: str, number: int, service: str) -> str:
        """The URL of a new port, for the calls of one process to one AWS service."""
        with self._lock:
            port = _Port(self, program, number, service)
            self._ports.append(port)
            if service not in self._refused:
                self._run(port.listen())
            return port.url

    @contextmanager
    def happening(self, fault: GoingOn) -> Iterator[None]:
        """Let a fault happen to calls while the body runs."""
        with self._lock:
            self._going_on = (*self._going_on, fault)
        try:
            yield
        finally:
            with self._lock:
                self._going_on = tuple(each for each in self._going_on if each is not fault)

    @contextmanager
    def refusing(self, service: str) -> Iterator[int]:
        """Refuse connections to a service, and reset those that there are; gives how many these are."""
        with self._lock:
            self._refused.append(service)
            closed = sum([self._run(port.close()) for port in self._ports if port.service == service])
        try:
            yield closed
        finally:
            with self._lock:
                self._refused.remove(service)
                if service not in self._refused:
                    for port in self._ports:
                        if port.service == service:
                            self._run(port.listen())

    async def answer(self, call: Call) -> Answer | None:
        """What the client gets; None: its connection is reset."""
        for fault in self._going_on:
            if fault.hits(call):
                call.fault = fault.name
                return await fault.answer(call)
        return await call.forward()

    def ended(self, call: Call, answer: Answer | None) -> None:
        """Take down what a client was answered; None: nothing."""
        now = time.monotonic()
        confirmed = _confirmed(call, answer) if answer else []
        self.confirmations += [Confirmation(each, call.asked_at, now) for each in confirmed]
        if self._log:
            line = {
                "asked_at": call.asked_at,
                "at": now,
                "program": call.program,
                "number": call.number,
                "operation": call.operation,
                "fault": call.fault,
                "status": answer and answer.status,
                "of": _of(call),
                "confirmed": confirmed,
            }
            self._log.write(f"{json.dumps(line)}\n")

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        """A connection to the emulator."""
        return await asyncio.open_connection(*self._emulator, limit=LIMIT)

    async def _close(self) -> None:
        for port in self._ports:
            await port.close()
            port.unbind()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_default_executor()

    def _run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


class _Port:
    """Bound for as long as the proxy runs, so that nobody else gets it; it listens where connections are accepted."""

    def __init__(self, proxy: Proxy, program: str, number: int, service: str) -> None:
        self._proxy = proxy
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
        self._socket.close()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._clients.add(writer)
        emulator = _Connection(self._proxy)
        try:
            with suppress(*_AWAY, asyncio.CancelledError):  # which comes at the end alone
                while await self._exchange(reader, writer, emulator):
                    pass
        finally:
            self._clients.discard(writer)
            emulator.close()
            writer.close()

    async def _exchange(self, reader: StreamReader, writer: StreamWriter, emulator: _Connection) -> bool:
        """Read one request and answer it; whether the connection goes on."""
        request = await read_request(reader)

        async def client_is_gone() -> None:
            await reader.read(1)

        call = Call(*self._process, self.service, request, emulator.exchange, client_is_gone, self._proxy.ledger)
        answer = await self._proxy.answer(call)
        if answer is None or reader.at_eof() or writer.is_closing():
            self._proxy.ended(call, None)
            reset(writer)
            return False
        writer.write(answer.to_bytes())
        await writer.drain()
        is_gone = answer.is_torn or reader.at_eof() or writer.is_closing()
        self._proxy.ended(call, None if is_gone else answer)
        return not is_gone


class _Connection:
    """To the emulator, for one client; opened when it is needed."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
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
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _try(self, request: Request) -> Answer:
        if self._streams is None:
            self._streams = await self._proxy.connect()
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


def _confirmed(call: Call, answer: Answer) -> list[str]:
    """The identities of the messages that an answer says to be durable."""
    if call.operation != SEND or answer.status != _SUCCESS:
        return []
    bodies = _bodies(call)
    return [bodies[each["Id"]] for each in read_json(answer).get("Successful", [])]


def _bodies(call: Call) -> dict[str, str]:
    return {entry["Id"]: identity(entry["MessageBody"].encode()) for entry in call.read()["Entries"]}


def _of(call: Call) -> list[str]:
    """The messages that are sent, or the object, that a call is about."""
    if call.service == S3:
        return [call.key]
    return list(_bodies(call).values()) if call.operation == SEND else []
