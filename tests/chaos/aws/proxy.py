"""The proxy before the emulator: a port per service process and per AWS service, and the faults that are going on."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO, TypeVar
from urllib.parse import urlsplit

import uvloop

from chaos.aws.calls import Call, Ledger
from chaos.aws.ports import Port
from chaos.aws.record import Record

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from chaos.aws.http_messages import Answer

_T = TypeVar("_T")


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
        self._ports: list[Port] = []
        self._going_on: tuple[GoingOn, ...] = ()
        self._refused: list[str] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self.ledger = Ledger()
        self._record = Record(log)
        self.confirmations = self._record.confirmations

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
            port = Port(self, self._emulator, program=program, number=number, service=service)
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
        self._record.ended(call, answer)

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
