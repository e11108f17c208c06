"""Readiness is the last real write, and a probe's word once that has failed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from intake_bench import Bench, email, kept
from processing_requests import sending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_PROBE_AGAIN_SECONDS", 0.01)


@asynccontextmanager
async def probing(bench: Bench) -> AsyncIterator[None]:
    task = asyncio.create_task(bench.sending.probe_while_at_fault())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_before_the_first_probe_it_is_not_ready(bench: Bench) -> None:
    assert bench.health.faults == {"queue": "not tried yet"}
    async with probing(bench):
        await bench.until(lambda: not bench.health.faults)


async def test_a_queue_that_is_down_at_the_start_is_found_well_when_it_comes_up(bench: Bench) -> None:
    bench.queue.memory.unavailable = "down"
    async with probing(bench):
        await bench.until(lambda: bench.queue.probes > 2)
        assert bench.health.faults == {"queue": "down"}
        bench.queue.memory.unavailable = None
        await bench.until(lambda: not bench.health.faults)


async def test_a_failed_write_makes_it_unready_and_the_probe_ready_again_without_traffic(bench: Bench) -> None:
    async with probing(bench):
        await bench.until(lambda: not bench.health.faults)
        bench.queue.memory.unavailable = "denied"
        assert (await bench.post()).status_code == 503
        assert bench.health.faults == {"queue": "denied"}
        bench.queue.memory.unavailable = None
        await bench.until(lambda: not bench.health.faults)
    assert bench.queued == []


async def test_while_all_is_well_nothing_is_probed(bench: Bench) -> None:
    async with probing(bench):
        await bench.until(lambda: not bench.health.faults)
        for n in range(5):
            assert (await bench.post_data(n=n)).status_code == 200
    assert bench.queue.probes == 1


async def test_a_write_that_times_out_makes_it_unready() -> None:
    bench = Bench(queue_timeout_seconds=0.02)
    bench.queue.flowing.clear()
    assert (await bench.post()).status_code == 503
    assert bench.health.faults == {"queue": "no confirmation within 0.02 s"}
    bench.queue.flowing.set()
    await bench.sending.drain()


async def test_an_unforeseen_error_of_the_queue_makes_it_unready_and_names_no_content(bench: Bench) -> None:
    bench.queue.error = RuntimeError("Your Content")
    assert (await bench.post()).status_code == 500
    assert bench.health.faults == {"queue": "RuntimeError"}


async def test_a_write_that_succeeds_makes_it_ready_without_a_probe(bench: Bench) -> None:
    assert (await bench.post()).status_code == 200
    assert not bench.health.faults
    assert bench.queue.probes == 0


async def test_one_refused_email_among_good_ones_leaves_it_ready(bench: Bench) -> None:
    bench.queue.flowing.clear()
    bench.queue.bad = {kept(email(n=1))}
    posts = [asyncio.create_task(bench.post_data(n=n)) for n in range(3)]
    await bench.until(lambda: bench.sending._batcher.entries_held == 3)
    bench.queue.flowing.set()
    assert [response.status_code for response in await asyncio.gather(*posts)] == [200, 503, 200]
    assert not bench.health.faults


async def test_a_call_whose_every_email_is_refused_makes_it_unready(bench: Bench) -> None:
    bench.queue.bad = {kept(email())}
    assert (await bench.post()).status_code == 503
    assert bench.health.faults == {"queue": "It is bad."}


async def test_an_outage_is_said_once_and_so_is_its_end(bench: Bench, lines: list[dict[str, str]]) -> None:
    async with probing(bench):
        await bench.until(lambda: not bench.health.faults)
        bench.queue.memory.unavailable = "down"
        for _ in range(3):
            assert (await bench.post()).status_code == 503
        probes = bench.queue.probes
        await bench.until(lambda: bench.queue.probes > probes + 3)
        bench.queue.memory.unavailable = None
        await bench.until(lambda: not bench.health.faults)
    said = [line["event"] for line in lines if line["log_level"] in {"info", "error"}]
    assert said == ["queue_available", "queue_unavailable", "queue_available"]
