"""A container's health check, run as an engine runs it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

from prometheus_client import CollectorRegistry

from checkpoint.operations.health import Health
from checkpoint.operations.private_port import serve_private_port
from e2e.ports import free_port


def check(port: int, *arguments: str, host: str = "127.0.0.1") -> tuple[int, str]:
    """The exit code, and all output."""
    ended = subprocess.run(
        [sys.executable, "-m", "checkpoint.operations.healthcheck", *arguments],
        env={"PATH": os.environ["PATH"], "PRIVATE_HOST": host, "PRIVATE_PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


async def test_a_service_that_is_alive_is_healthy_though_it_is_not_ready() -> None:
    health = Health(untried=["queue"])
    with serve_private_port("127.0.0.1", 0, health, CollectorRegistry()) as port:
        assert await asyncio.to_thread(check, port) == (0, "")


async def test_the_check_of_readiness_fails_and_names_the_faults() -> None:
    health = Health(untried=["queue"])
    with serve_private_port("127.0.0.1", 0, health, CollectorRegistry()) as port:
        code, output = await asyncio.to_thread(check, port, "/readyz")
        assert code == 1
        assert all(fact in output for fact in ("/readyz", "503", "queue"))
        health.healthy("queue")
        assert await asyncio.to_thread(check, port, "/readyz") == (0, "")


async def test_a_port_on_all_addresses_is_reached_from_inside() -> None:
    with serve_private_port("0.0.0.0", 0, Health(untried=[]), CollectorRegistry()) as port:
        assert await asyncio.to_thread(check, port, host="0.0.0.0") == (0, "")


def test_a_service_that_does_not_listen_is_unhealthy() -> None:
    code, output = check(free_port())
    assert code == 1
    assert "ConnectionRefusedError" in output
    assert "Traceback" not in output
