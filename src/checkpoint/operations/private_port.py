"""The port for those who run the service: liveness, readiness and metrics. No load balancer leads to it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Final

from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

    from checkpoint.operations.health import Health

_LOOP_ANSWERS_SECONDS: Final = 2.0


@contextmanager
def serve_private_port(host: str, port: int, health: Health, metrics: CollectorRegistry) -> Iterator[int]:
    """Serve `/livez`, `/readyz` and `/metrics` from a thread of its own; gives the port, chosen when `port` is 0.

    A thread, because it must answer truthfully while the event loop is stuck: then `/livez` says so.
    Call it inside the running event loop. Raises OSError where the port is taken.
    """
    loop = asyncio.get_running_loop()

    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds for a request to arrive
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            match self.path:
                case "/livez":
                    alive = _answers(loop)
                    self._answer(200 if alive else 503, {"alive": alive})
                case "/readyz":
                    faults = health.faults
                    self._answer(503 if faults else 200, {"ready": not faults, "faults": faults})
                case "/metrics":
                    encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                    self._send(200, content_type, encode(metrics))
                case _:
                    self._answer(404, {"error": "Not Found"})

        do_HEAD = do_GET  # noqa: N815  the name that the standard library calls

        def _answer(self, status: int, body: object) -> None:
            self._send(status, "application/json", json.dumps(body).encode())

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the standard library's name
            """Say nothing: a probe every few seconds is no news."""

    try:
        server = _Server(host, port, Handler)
    except OSError as error:
        raise OSError(error.errno, f"PRIVATE_PORT: {error.strerror}: {host}:{port}") from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Bind without asking DNS for the host's name, which can take long and is used for nothing."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a prober that hangs up early is no news."""


def _answers(loop: asyncio.AbstractEventLoop) -> bool:
    answered = threading.Event()
    try:
        loop.call_soon_threadsafe(answered.set)
    except RuntimeError:  # the loop is closed
        return False
    return answered.wait(_LOOP_ANSWERS_SECONDS)
