"""Liveness, readiness and metrics over a real socket."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import pytest
from prometheus_client import CollectorRegistry, Counter

from checkpoint.operations import private_port
from checkpoint.operations.health import Health
from checkpoint.operations.metrics import new_registry
from checkpoint.operations.private_port import Readiness, serve_private_port, serve_readings
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager


class Response(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def serve(health: Health | None = None, registry: CollectorRegistry | None = None) -> AbstractContextManager[int]:
    return serve_private_port("127.0.0.1", 0, health or Health(untried=[]), registry or CollectorRegistry())


def request(
    port: int, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, host: str = "127.0.0.1"
) -> Response:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Response(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


async def get(port: int, path: str, **headers: str) -> Response:
    return await asyncio.to_thread(request, port, path, "GET", headers)


@pytest.fixture
def things() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("things", "Things", registry=registry).inc(3)
    Counter("others", "Others", registry=registry)
    return registry


async def test_readiness_is_the_health_of_the_service_and_names_its_faults() -> None:
    health = Health(untried=["queue"])
    with serve(health) as port:
        unready = await get(port, "/readyz")
        assert unready.status == 503
        assert unready.json() == {"ready": False, "faults": {"queue": "not tried yet"}, "warnings": {}}
        health.healthy("queue")
        ready = await get(port, "/readyz")
        assert ready.status == 200
        assert ready.json() == {"ready": True, "faults": {}, "warnings": {}}


async def test_a_warning_is_named_and_leaves_the_service_ready() -> None:
    health = Health(untried=[])
    health.warn("object.json", "InvalidObjectState")
    with serve(health) as port:
        answer = await get(port, "/readyz")
    assert answer.status == 200
    assert answer.json() == {"ready": True, "faults": {}, "warnings": {"object.json": "InvalidObjectState"}}


async def test_metrics_are_those_of_the_registry(things: CollectorRegistry) -> None:
    with serve(registry=things) as port:
        answer = await get(port, "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert b"things_total 3.0" in answer.body


async def test_metrics_come_in_the_format_that_is_asked_for(things: CollectorRegistry) -> None:
    with serve(registry=things) as port:
        answer = await get(port, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.body.endswith(b"# EOF\n")


async def test_metrics_are_compressed_for_a_client_that_accepts_it(things: CollectorRegistry) -> None:
    with serve(registry=things) as port:
        answer = await get(port, "/metrics", **{"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"things_total 3.0" in gzip.decompress(answer.body)


async def test_metrics_can_be_filtered_by_name(things: CollectorRegistry) -> None:
    with serve(registry=things) as port:
        answer = await get(port, "/metrics?name[]=things_total")
    assert b"things_total 3.0" in answer.body
    assert b"others_total" not in answer.body


async def test_a_loop_that_runs_is_alive() -> None:
    with serve() as port:
        answer = await get(port, "/livez")
    assert (answer.status, answer.json()) == (200, {"alive": True})


async def test_a_loop_that_is_stuck_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_port, "_LOOP_TIMEOUT_SECONDS", 0.05)
    answers: list[Response] = []
    with serve() as port:
        asking = threading.Thread(target=lambda: answers.append(request(port, "/livez")))
        asking.start()
        asking.join(10)  # the loop is stuck right here
    assert [(answer.status, answer.json()) for answer in answers] == [(503, {"alive": False})]


async def test_the_page_for_people_shows_the_readiness_and_its_headers_allow_it_nothing() -> None:
    health = Health(untried=["queue"])
    health.warn("object.json", "InvalidObjectState")
    with serve(health, new_registry("message_broker")) as port:
        answer = await get(port, "/?refresh")
    assert answer.status == 200
    for shown in ("message_broker", "Not ready", "not tried yet", "InvalidObjectState", "http-equiv=refresh"):
        assert shown in answer.body.decode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_what_the_page_shows_is_asked_for_at_once() -> None:
    """Where a worker is stuck, each answer takes seconds."""
    together = threading.Barrier(2)

    class Slow:
        def is_alive(self) -> bool:
            together.wait(5)
            return False

        def readiness(self) -> Readiness:
            together.wait(5)
            return Readiness({"worker 1": "does not answer"}, {})

        def metrics(self) -> CollectorRegistry:
            return CollectorRegistry()

    with serve_readings("127.0.0.1", 0, Slow()) as port:
        page = await get(port, "/")
    assert page.status == 200
    assert b"worker 1" in page.body


@pytest.mark.parametrize("path", ["/index.html", "/metrics/", "/livezz"])
async def test_another_path_is_not_found(path: str) -> None:
    with serve() as port:
        assert (await get(port, path)).status == 404


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/"])
async def test_head_answers_as_get_does_but_without_a_body(path: str, things: CollectorRegistry) -> None:
    def read_all(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(f"HEAD {path} HTTP/1.1\r\n\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    with serve(registry=things) as port:
        expected = await get(port, path)
        head, _, body = (await asyncio.to_thread(read_all, port)).partition(b"\r\n\r\n")
    assert f" {expected.status} ".encode() in head.splitlines()[0]
    assert expected.headers["Content-Type"].encode() in head
    assert body == b""


@pytest.mark.parametrize("sent", [b"", b"GET /livez HTTP/1.1\r\nHost:"], ids=["silent", "slow"])
async def test_a_client_that_does_not_send_its_request_is_disconnected(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(private_port, "_CLIENT_TIMEOUT_SECONDS", 0.05)

    def is_closed_by_server(port: int) -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent)
            return connection.recv(1) == b""

    with serve() as port:
        assert await asyncio.to_thread(is_closed_by_server, port)


def threads_answering() -> int:
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


async def test_a_client_that_does_not_read_its_response_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_port, "_CLIENT_TIMEOUT_SECONDS", 0.05)
    registry = CollectorRegistry()
    Counter("things", "Things" * 5_000_000, registry=registry)  # more than the sockets between hold
    with serve(registry=registry) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        await asyncio.to_thread(until, threads_answering, "a thread answers", within=10)
        await asyncio.to_thread(until, lambda: not threads_answering(), "the thread has ended", within=10)


def hang_up(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # close with a reset


async def test_nothing_is_printed_whatever_a_client_does(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_port, "_CLIENT_TIMEOUT_SECONDS", 0.2)
    with serve() as port:
        for sent in (b"", b"GET /metrics HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"GET"):
            await asyncio.to_thread(hang_up, port, sent)
        for method in ("GET", "HEAD", "POST", "BREW"):
            await asyncio.to_thread(request, port, "/readyz", method)
        await asyncio.to_thread(until, lambda: not threads_answering(), "all were answered or given up", within=10)
    assert capfd.readouterr() == ("", "")


async def test_an_ipv6_address_is_served_too() -> None:
    with serve_private_port("::1", 0, Health(untried=[]), CollectorRegistry()) as port:
        assert (await asyncio.to_thread(request, port, "/readyz", host="::1")).status == 200


async def test_a_taken_port_is_an_error_that_names_the_setting_and_the_address() -> None:
    with serve() as port, pytest.raises(OSError, match=rf"PRIVATE_PORT.*127\.0\.0\.1:{port}"):
        serve_private_port("127.0.0.1", port, Health(untried=[]), CollectorRegistry()).__enter__()


async def test_listening_asks_dns_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object) -> NoReturn:
        raise AssertionError

    for name in ("getfqdn", "gethostbyaddr", "gethostbyname"):
        monkeypatch.setattr(socket, name, look_up)
    with serve() as port:
        assert (await get(port, "/livez")).status == 200


async def test_closing_waits_for_no_client() -> None:
    with serve() as port:
        connection = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port))
        before = time.monotonic()
    took = time.monotonic() - before
    connection.close()
    assert took < private_port._CLIENT_TIMEOUT_SECONDS / 2
