"""Liveness, readiness and metrics over a real socket."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter
from structlog.testing import capture_logs

from checkpoint.operations.health import Health
from checkpoint.operations.private_port import serve_private_port

if TYPE_CHECKING:
    import pytest


def ask(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


async def test_readiness_is_the_health_and_names_what_is_at_fault() -> None:
    health = Health(untried=["queue"])
    with serve_private_port("127.0.0.1", 0, health, CollectorRegistry()) as port:
        status, body = await asyncio.to_thread(ask, port, "/readyz")
        assert (status, json.loads(body)) == (503, {"ready": False, "faults": {"queue": "not tried yet"}})
        health.healthy("queue")
        status, body = await asyncio.to_thread(ask, port, "/readyz")
        assert (status, json.loads(body)) == (200, {"ready": True, "faults": {}})


async def test_metrics_are_those_of_the_registry() -> None:
    registry = CollectorRegistry()
    Counter("things", "Things", registry=registry).inc(3)
    with serve_private_port("127.0.0.1", 0, Health(untried=[]), registry) as port:
        status, body = await asyncio.to_thread(ask, port, "/metrics")
    assert status == 200
    assert "things_total 3.0" in body


async def test_a_loop_that_runs_is_alive() -> None:
    with serve_private_port("127.0.0.1", 0, Health(untried=[]), CollectorRegistry()) as port:
        assert await asyncio.to_thread(ask, port, "/livez") == (200, '{"alive": true}')


async def test_a_loop_that_is_stuck_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checkpoint.operations.private_port._LOOP_ANSWERS_SECONDS", 0.05)
    with serve_private_port("127.0.0.1", 0, Health(untried=[]), CollectorRegistry()) as port:
        asking = asyncio.get_running_loop().run_in_executor(None, ask, port, "/livez")
        deadline = time.monotonic() + 5
        while not asking.done() and time.monotonic() < deadline:  # the loop is stuck right here
            time.sleep(1)  # noqa: ASYNC251
            await asyncio.sleep(0)
        assert await asking == (503, '{"alive": false}')


async def test_another_path_is_not_found() -> None:
    with serve_private_port("127.0.0.1", 0, Health(untried=[]), CollectorRegistry()) as port:
        assert await asyncio.to_thread(ask, port, "/") == (404, '{"error": "Not Found"}')


def test_a_fault_is_logged_once_when_it_begins_and_once_when_it_ends() -> None:
    health = Health(untried=[], assumed_healthy=["archive"])
    with capture_logs() as lines:
        for _ in range(3):
            health.unhealthy("archive", "gone")
        for _ in range(3):
            health.healthy("archive")
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("archive_unavailable", "error"),
        ("archive_available", "info"),
    ]


async def test_an_ipv6_address_is_served_too() -> None:
    with serve_private_port("::1", 0, Health(untried=[]), CollectorRegistry()) as port:
        status, _ = await asyncio.to_thread(ask, port, "/readyz", "[::1]")
    assert status == 200
