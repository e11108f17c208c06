"""Takes connections from a socket that all workers share, so that each of them gets as many."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from processing_requests.http.server import accept_waiting

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable

    from processing_requests.http.open_connections import OpenConnections
    from processing_requests.workers.connection_counts import ConnectionCounts

# A worker that has so many connections more than another one, or a sixteenth more, leaves new ones to it for a while.
_MOST_AHEAD: Final = 4
_MOST_AHEAD_PART: Final = 16
_LEAVE_SECONDS: Final = 0.005  # about a turn of a busy worker's loop
# A turn that serves a crowd takes many milliseconds; a new client must not wait for as many as there are before it.
_PER_TURN: Final = 16
# Where no connection can be accepted, because a limit of the system is reached.
_RETRY_SECONDS: Final = 0.1


@asynccontextmanager
async def accept_share(
    connections: OpenConnections, listening: socket.socket, *, counts: ConnectionCounts, worker: int
) -> AsyncIterator[None]:
    """Take a worker's share of the connections that come, while the body runs."""
    accepting = SharedAccepting(listening, counts, worker)
    connections.on_lost = accepting.lost
    accepting.start(connections)
    try:
        yield
        await accept_waiting(connections, listening)
    finally:
        accepting.close()
    await accepting.all_connected()


class SharedAccepting:
    """A worker's share of the connections.

    The kernel wakes every worker for a new connection. Of clients that connect at the same time the worker that comes
    first may take nearly all, and serves them alone for as long as they stay. So a worker waits where another one has
    fewer connections. It waits for a moment only: the other one may be busy, or stuck.
    """

    def __init__(self, listening: socket.socket, counts: ConnectionCounts, worker: int) -> None:
        listening.settimeout(0)
        self._listening = listening
        self._counts = counts
        self._worker = worker
        self._open = 0
        self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.TimerHandle | None = None
        self._connecting: set[asyncio.Task[object]] = set()

    def start(self, factory: Callable[[], asyncio.Protocol]) -> None:
        """Accept from now on. Each protocol's end is told by `lost`."""
        self._factory = factory
        self._counts.set(self._worker, 0)
        self._loop.add_reader(self._listening.fileno(), self._accept_some)

    def lost(self) -> None:
        """A connection has ended."""
        self._count(-1)
        if self._waiting and not self._is_ahead():
            self._go_on()

    async def all_connected(self) -> None:
        """Return when every connection that was accepted is one of those that a drain ends; after `close`.

        While new ones come, there might always be one that is not connected yet.
        """
        while self._connecting:
            await asyncio.wait(self._connecting)

    def close(self) -> None:
        """Accept no more."""
        self._is_closed = True
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None
        self._loop.remove_reader(self._listening.fileno())
        self._listening.close()
        self._counts.remove(self._worker)  # the others need not wait for it any more

    def _accept_some(self) -> None:
        """Called when connections are there, and again if there are more."""
        if self._is_ahead():
            self._wait(_LEAVE_SECONDS, self._accept_what_others_left)
            return
        for _ in range(_PER_TURN):
            if not self._accept() or self._is_ahead():
                break

    def _accept_what_others_left(self) -> None:
        self._go_on()
        for _ in range(self._most_ahead()):
            if not self._accept():
                break

    def _accept(self) -> bool:
        """Whether there was a connection."""
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker was quicker, or the client has gone
            return False
        except OSError:
            self._wait(_RETRY_SECONDS, self._go_on)
            return False
        self._count(1)
        connecting = self._loop.create_task(self._connect(connection))
        self._connecting.add(connecting)
        connecting.add_done_callback(self._connecting.discard)
        return True

    async def _connect(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._factory, connection)
        except OSError:  # it ended before it began
            self.lost()

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listening.fileno())
        self._waiting = self._loop.call_later(seconds, then)

    def _go_on(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None
        self._loop.add_reader(self._listening.fileno(), self._accept_some)

    def _is_ahead(self) -> bool:
        return self._open >= self._counts.fewest() + self._most_ahead()

    def _most_ahead(self) -> int:
        return max(_MOST_AHEAD, self._counts.fewest() // _MOST_AHEAD_PART)

    def _count(self, change: int) -> None:
        self._open += change
        if not self._is_closed:
            self._counts.set(self._worker, self._open)
