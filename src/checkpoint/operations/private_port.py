"""The port for operations: liveness, readiness, metrics, and a page for people. No load balancer leads to it."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from prometheus_client import MetricsHandler

from checkpoint.operations.status_page.history import History
from checkpoint.operations.status_page.layout import MEASURES
from checkpoint.operations.status_page.page import HEADERS, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from prometheus_client import CollectorRegistry

    from checkpoint.operations.health import Health

_LOOP_TIMEOUT_SECONDS: Final = 2.0
_CLIENT_TIMEOUT_SECONDS: Final = 5.0


class Readings(Protocol):
    """What the private port tells. Its threads ask, several at once; no answer may take longer than a probe waits."""

    def is_alive(self) -> bool:
        """Whether it goes on; False has the service restarted."""
        ...

    def readiness(self) -> Readiness:
        """Whether it can do its work."""
        ...

    def metrics(self) -> CollectorRegistry:
        """What Prometheus reads."""
        ...


class Readiness(NamedTuple):
    """faults: what is wrong, by condition; empty when ready. warnings: what somebody should look at, by its name."""

    faults: Mapping[str, str]
    warnings: Mapping[str, str]


def serve_private_port(host: str, port: int, health: Health, metrics: CollectorRegistry) -> AbstractContextManager[int]:
    """Serve the readings of this process, as `serve_readings` does. Call this inside the running event loop."""
    return serve_readings(host, port, _OfThisProcess(asyncio.get_running_loop(), health, metrics))


@contextmanager
def serve_readings(host: str, port: int, readings: Readings) -> Iterator[int]:
    """Serve `/`, `/livez`, `/readyz` and `/metrics` from threads; yield the port, which the system chooses for 0.

    Threads, so that `/livez` can answer 503 while the event loop is stuck.
    Raises OSError, which names the settings, where the address cannot be listened on.
    """
    history = History(readings.metrics, MEASURES)

    class Handler(_Handler):
        told = readings
        past = history

    try:
        server = _Server(host, port, Handler)
    except OSError as error:
        where = f"{host}:{port}"
        raise OSError(f"PRIVATE_HOST, PRIVATE_PORT: cannot listen on {where}: {error.strerror}") from None
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        with history.sampling():
            yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Handler(MetricsHandler):
    """told: what is asked for. past: the last hour of it."""

    told: Readings
    past: History
    timeout = _CLIENT_TIMEOUT_SECONDS  # for each read and each write, so that no client keeps its thread

    def do_GET(self) -> None:  # noqa: N802  the name that the standard library calls
        path, _, query = self.path.partition("?")
        match path:
            case "/":
                self._send_page(query)
            case "/metrics":
                self.registry = self.told.metrics()
                super().do_GET()
            case "/livez":
                alive = self.told.is_alive()
                self._send_json({"alive": alive}, HTTPStatus.OK if alive else HTTPStatus.SERVICE_UNAVAILABLE)
            case "/readyz":
                faults, warnings = self.told.readiness()
                self._send_json(
                    {"ready": not faults, "faults": faults, "warnings": warnings},
                    HTTPStatus.SERVICE_UNAVAILABLE if faults else HTTPStatus.OK,
                )
            case _:
                self._send_json({"error": "Not Found"}, HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET  # noqa: N815  as do_GET

    def _send_page(self, query: str) -> None:
        """All is asked at once, for each answer may take its time where something is stuck."""
        with ThreadPoolExecutor(3) as asking:
            readiness, alive = asking.submit(self.told.readiness), asking.submit(self.told.is_alive)
            hour = asking.submit(self.past.look).result()
            faults, warnings = readiness.result()
            page = render(
                hour, alive=alive.result(), faults=faults, warnings=warnings, now=time.time(), query=query
            ).encode()
        self._send(page, HTTPStatus.OK, HEADERS)

    def _send_json(self, body: object, status: HTTPStatus) -> None:
        self._send(json.dumps(body).encode(), status, {"Content-Type": "application/json"})

    def _send(self, body: bytes, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        super().end_headers()
        if self.command == "HEAD":
            self.wfile = io.BytesIO()  # a response to HEAD has no body


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


@dataclass(frozen=True, slots=True)
class _OfThisProcess:
    """Readings of the process that serves them."""

    loop: asyncio.AbstractEventLoop
    health: Health
    registry: CollectorRegistry

    def is_alive(self) -> bool:
        """Whether the event loop runs what it is given."""
        ran = threading.Event()
        try:
            self.loop.call_soon_threadsafe(ran.set)
        except RuntimeError:  # the loop is closed
            return False
        return ran.wait(_LOOP_TIMEOUT_SECONDS)

    def readiness(self) -> Readiness:
        return Readiness(self.health.faults, self.health.warnings)

    def metrics(self) -> CollectorRegistry:
        return self.registry
