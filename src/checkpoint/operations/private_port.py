"""The port for operations: liveness, readiness and metrics. No load balancer leads to it."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Final

from prometheus_client import MetricsHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

    from checkpoint.operations.health import Health

_LOOP_TIMEOUT_SECONDS: Final = 2.0
_CLIENT_TIMEOUT_SECONDS: Final = 5.0


@contextmanager
def serve_private_port(host: str, port: int, health: Health, metrics: CollectorRegistry) -> Iterator[int]:
    """Serve `/livez`, `/readyz` and `/metrics` from threads; yield the port, which the system chooses for `port` 0.

    Threads, so that `/livez` can answer 503 while the event loop is stuck. Call this inside the running event loop.
    Raises OSError, which names the settings, where the address cannot be listened on.
    """
    loop = asyncio.get_running_loop()

    class Handler(MetricsHandler):
        registry = metrics
        timeout = _CLIENT_TIMEOUT_SECONDS  # for each read and each write, so that no client keeps its thread

        def do_GET(self) -> None:  # noqa: N802  the name that the standard library calls
            match self.path.partition("?")[0]:
                case "/metrics":
                    super().do_GET()
                case "/livez":
                    alive = _is_responsive(loop)
                    self._send_json({"alive": alive}, HTTPStatus.OK if alive else HTTPStatus.SERVICE_UNAVAILABLE)
                case "/readyz":
                    faults, warnings = health.faults, health.warnings
                    self._send_json(
                        {"ready": not faults, "faults": faults, "warnings": warnings},
                        HTTPStatus.SERVICE_UNAVAILABLE if faults else HTTPStatus.OK,
                    )
                case _:
                    self._send_json({"error": "Not Found"}, HTTPStatus.NOT_FOUND)

        do_HEAD = do_GET  # noqa: N815  as do_GET

        def _send_json(self, body: object, status: HTTPStatus) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def end_headers(self) -> None:
            super().end_headers()
            if self.command == "HEAD":
                self.wfile = io.BytesIO()  # a response to HEAD has no body

    try:
        server = _Server(host, port, Handler)
    except OSError as error:
        where = f"{host}:{port}"
        raise OSError(f"PRIVATE_HOST, PRIVATE_PORT: cannot listen on {where}: {error.strerror}") from None
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Bind without asking DNS for the host's name, which can take long and is used for nothing."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: that a client hangs up early is no news."""


def _is_responsive(loop: asyncio.AbstractEventLoop) -> bool:
    ran = threading.Event()
    try:
        loop.call_soon_threadsafe(ran.set)
    except RuntimeError:  # the loop is closed
        return False
    return ran.wait(_LOOP_TIMEOUT_SECONDS)
