"""Connections that come to one socket, and the workers that share them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Self, cast

import pytest

from processing_requests.workers import accepting
from processing_requests.workers.accepting import SharedAccepting
from processing_requests.workers.connection_counts import ConnectionCounts
from unit.processing_requests.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from processing_requests.http.open_connections import OpenConnections

    Work = Callable[[int], "Worker"]


class Worker:
    """Takes its share in this process; a socket of its own on the same port, as each process has."""

    def __init__(self, listening: socket.socket, counts: ConnectionCounts, number: int) -> None:
        self.accepting = SharedAccepting(listening.dup(), counts, number)
        self.transports: set[asyncio.BaseTransport] = set()
        self._has_ended = False
        self.accepting.start(lambda: _Connection(self))

    async def end(self) -> None:
        """Accept no more, and close what is open."""
        if not self._has_ended:
            self._has_ended = True
            self.accepting.close()
        await until(lambda: not self.accepting._connecting)
        for transport in self.transports:
            transport.close()
        await until(lambda: not self.transports)


class _Connection(asyncio.Protocol):
    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._worker.transports.add(transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._worker.transports.remove(self._transport)
        self._worker.accepting.lost()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as opened:
        yield opened


@pytest.fixture
def counts() -> Iterator[ConnectionCounts]:
    with closing(ConnectionCounts.create(2)) as created:
        yield created


@pytest.fixture
async def work(listening: socket.socket, counts: ConnectionCounts) -> AsyncIterator[Work]:
    """Starts the worker of a number; it ends with the test."""
    workers: list[Worker] = []

    def start(number: int) -> Worker:
        workers.append(Worker(listening, counts, number))
        return workers[-1]

    yield start
    for worker in workers:
        await worker.end()


@pytest.fixture
def clients(listening: socket.socket) -> Iterator[Clients]:
    made = Clients(listening.getsockname())
    yield made
    made.leave()


class Clients:
    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.all: list[socket.socket] = []

    def come(self, number: int) -> None:
        self.all += [socket.create_connection(self._address, timeout=10) for _ in range(number)]

    def leave(self) -> None:
        while self.all:
            self.all.pop().close()


async def test_connections_that_come_at_once_are_shared(work: Work, clients: Clients) -> None:
    one, two = work(1), work(2)
    clients.come(100)
    await until(lambda: len(one.transports) + len(two.transports) == 100)
    assert abs(len(one.transports) - len(two.transports)) <= 4 * accepting._MOST_AHEAD


async def test_a_worker_takes_everything_while_the_others_are_not_there(work: Work, clients: Clients) -> None:
    only = work(2)
    clients.come(100)
    await until(lambda: len(only.transports) == 100)


async def test_a_worker_takes_everything_while_another_one_is_stuck(
    work: Work, counts: ConnectionCounts, clients: Clients
) -> None:
    counts.set(1, 0)
    other = work(2)
    clients.come(100)
    await until(lambda: len(other.transports) == 100)


async def test_a_worker_that_has_more_waits_no_longer_when_its_connections_have_ended(
    work: Work, counts: ConnectionCounts, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "_LEAVE_SECONDS", 3600)
    counts.set(1, 0)
    other = work(2)
    clients.come(accepting._MOST_AHEAD)
    await until(lambda: len(other.transports) == accepting._MOST_AHEAD)
    first = clients.all.copy()
    clients.come(1)
    await until(lambda: other.accepting._waiting)
    first[0].close()
    await until(lambda: not other.accepting._waiting and len(other.transports) == accepting._MOST_AHEAD)


async def test_a_worker_that_comes_later_is_given_the_next_ones(
    work: Work, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = work(1)
    clients.come(40)
    await until(lambda: len(first.transports) == 40)
    monkeypatch.setattr(accepting, "_LEAVE_SECONDS", 3600)
    second = work(2)
    clients.come(30)
    await until(lambda: len(second.transports) == 30)


async def test_a_worker_that_accepts_no_more_is_not_waited_for(
    work: Work, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "_LEAVE_SECONDS", 3600)
    one, two = work(1), work(2)
    clients.come(10)
    await until(lambda: len(one.transports) + len(two.transports) == 10)
    await one.end()
    clients.come(50)
    await until(lambda: len(two.transports) >= 50)


async def test_where_the_system_lets_no_connection_be_accepted_it_is_tried_again(
    work: Work, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "_RETRY_SECONDS", 0.01)
    tried = 0

    class Full(socket.socket):
        def accept(self) -> tuple[socket.socket, object]:
            nonlocal tried
            tried += 1
            if tried < 3:
                raise OSError(24, "Too many open files")
            return super().accept()

    only = work(1)
    only.accepting._listening = Full(fileno=only.accepting._listening.detach())
    clients.come(1)
    await until(lambda: only.transports)
    assert tried >= 3


async def test_what_is_accepted_as_the_stop_comes_is_connected_before_the_drain(
    listening: socket.socket, counts: ConnectionCounts, clients: Clients
) -> None:
    connections = Connections()
    async with (
        asyncio.timeout(DEADLINE),
        accepting.accept_share(cast("OpenConnections", connections), listening, counts=counts, worker=1),
    ):
        clients.come(1)
        while counts.fewest() != 1:  # noqa: ASYNC110  one turn of the loop at a time
            await asyncio.sleep(0)
        at_the_stop = len(connections.open)
    at_the_drain = len(connections.open)
    await until(lambda: connections.open)
    connections.open[0].close()
    assert (at_the_stop, at_the_drain) == (0, 1)


async def test_a_stop_does_not_wait_for_clients_that_go_on_coming(
    listening: socket.socket, counts: ConnectionCounts, clients: Clients
) -> None:
    connections = Connections()

    async def come() -> None:
        with suppress(ConnectionError):  # nobody listens any more
            while len(clients.all) < 400:
                clients.come(2)
                await asyncio.sleep(0)

    async with accepting.accept_share(cast("OpenConnections", connections), listening, counts=counts, worker=1):
        coming = asyncio.create_task(come())
        await until(lambda: connections.open)
    came = len(clients.all)
    await coming
    for connection in connections.open:
        connection.close()
    assert came < 400


class Connections(asyncio.Protocol):
    """A factory of protocols, and the one protocol that it gives."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.open: list[asyncio.BaseTransport] = []

    def __call__(self) -> Self:
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.open.append(transport)


def test_counts_are_read_by_another_one_who_has_the_descriptor(counts: ConnectionCounts) -> None:
    other = ConnectionCounts(counts.descriptor)
    counts.set(1, 7)
    assert other.fewest() == 7
    other.set(2, 3)
    assert counts.fewest() == 3
    counts.remove(2)
    assert other.fewest() == 7
    other._counts.release()
