"""The public port: one listening socket, and as many connections as the process may have."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from processing_requests.http.open_connections import OpenConnections

    Accept = Callable[[OpenConnections, socket.socket], AbstractAsyncContextManager[None]]

_log = structlog.get_logger()

# Kept for the private port, the queue, the log, and for connections that are accepted before others are closed.
_RESERVED_FILES: Final = 256
_BACKLOG: Final = 2048
# libuv accepts one connection per watcher and turn of its loop. A turn that serves a crowd takes many milliseconds, and
# a new client would wait for as many of them as there are clients before it. A watcher that finds none costs little.
_WATCHERS: Final = 16
# Workers whose parent was killed answer what has come before they give up the port. nginx waits as long for it.
_TAKEN_SECONDS: Final = 2.5
_TRY_SECONDS: Final = 0.1


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket. Raises OSError where the port is taken, and still is after 2.5 seconds."""
    with _bound(host, port) as listening:
        _log.info("listening", host=host, port=listening.getsockname()[1])
        yield listening


def _bound(host: str, port: int) -> socket.socket:
    """Waits without the event loop: before it listens, a service has nothing else to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + _TAKEN_SECONDS
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
        time.sleep(_TRY_SECONDS)


def raise_file_limit() -> None:
    """Let this process open as many files as the system allows it without asking for more rights."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connection_limit(wanted: int) -> int:
    """How many connections there may be: fewer than wanted where the file limit is low, which is logged."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = wanted if files == resource.RLIM_INFINITY else files - min(_RESERVED_FILES, files // 2)
    if possible < wanted:
        _log.warning("connection_limit_lowered", max_connections=possible, wanted=wanted, file_limit=files)
    return min(wanted, possible)


@asynccontextmanager
async def accept_all(connections: OpenConnections, listening: socket.socket) -> AsyncIterator[None]:
    """Take each connection as soon as it comes, while the body runs."""
    async with AsyncExitStack() as accepting:
        for _ in range(_WATCHERS):
            server = await connections.loop.create_server(connections, sock=listening.dup(), backlog=_BACKLOG)
            accepting.callback(server.close)
        yield
        await accept_waiting(connections, listening)
        listening.close()


async def accept_waiting(connections: OpenConnections, listening: socket.socket) -> None:
    """Take who is connected already: a listening socket that is closed over them resets them with their requests."""
    listening.settimeout(0)
    waiting: list[socket.socket] = []
    with suppress(OSError):  # nobody is left, or no more files may be opened
        while len(waiting) < _BACKLOG:
            waiting.append(listening.accept()[0])
    connecting = (connections.loop.connect_accepted_socket(connections, client) for client in waiting)
    await asyncio.gather(*connecting, return_exceptions=True)


async def serve_http(
    connections: OpenConnections, listening: socket.socket, stop: asyncio.Event, accept: Accept = accept_all
) -> None:
    """Serve until `stop` is set; return when every connection has ended.

    accept: takes connections while its body runs, and closes the socket then.
    """
    connections.start()
    async with accept(connections, listening):
        await stop.wait()
    await connections.drain()
