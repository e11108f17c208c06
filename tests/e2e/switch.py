"""A network path that can be switched off: a TCP forwarder on a loopback port."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES: Final = 65_536


class Switch:
    """Forwards connections to `to` while it is on; switched off, it cuts those there are and every new one.

    connections: how many it has forwarded.
    """

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._is_on = True
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port = 0
        self.connections = 0

    def off(self) -> None:
        """Cut the path."""
        with self._lock:
            self._is_on = False
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def on(self) -> None:
        """Mend the path."""
        with self._lock:
            self._is_on = True

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen while the body runs."""
        forward = self._forward

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                forward(self.request)

        with _Server(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield
            finally:
                self.off()
                server.shutdown()
                thread.join()

    def _forward(self, near: socket.socket) -> None:
        with socket.socket() as far:
            with self._lock:
                if not self._is_on:
                    return
                far.connect(self._to)
                self._open |= {near, far}
                self.connections += 1
            back = threading.Thread(target=_pump, args=(far, near))
            back.start()
            _pump(near, far)
            back.join()
            with self._lock:
                self._open -= {near, far}


class _Server(socketserver.ThreadingTCPServer):
    request_queue_size = 128


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes until an end; then say so to both."""
    with suppress(OSError):
        while chunk := source.recv(_CHUNK_BYTES):
            sink.sendall(chunk)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
