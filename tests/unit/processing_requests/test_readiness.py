"""Readiness is the result of the last send, and of a probe once a send has failed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from checkpoint.message_queue.port import Limits, QueueUnavailableError
from processing_requests import queue_sender
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, posted, queued
from unit.processing_requests.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_sender, "_PROBE_INTERVAL_SECONDS", 0.01)


@asynccontextmanager
async def probing(intake: Intake) -> AsyncIterator[None]:
    task = asyncio.create_task(intake.service.sender.probe_while_unhealthy())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_before_the_first_probe_it_is_not_ready(intake: Intake) -> None:
    assert intake.service.health.faults == {"queue": "not tried yet"}
    async with probing(intake):
        await until(lambda: not intake.service.health.faults)


async def test_a_queue_that_is_down_at_the_start_is_found_healthy_when_it_comes_up(intake: Intake) -> None:
    intake.queue.unavailable = "down"
    async with probing(intake):
        await until(lambda: intake.queue.probes > 2)
        assert intake.service.health.faults == {"queue": "down"}
        intake.queue.unavailable = None
        await until(lambda: not intake.service.health.faults)


async def test_a_failed_write_makes_it_unready_and_the_probe_ready_again_without_traffic(intake: Intake) -> None:
    async with probing(intake):
        await until(lambda: not intake.service.health.faults)
        intake.queue.unavailable = "denied"
        assert (await intake.post()).status_code == 503
        assert intake.service.health.faults == {"queue": "denied"}
        intake.queue.unavailable = None
        await until(lambda: not intake.service.health.faults)
    assert intake.queued == []


async def test_while_the_queue_is_healthy_it_is_not_probed(intake: Intake) -> None:
    async with probing(intake):
        await until(lambda: not intake.service.health.faults)
        for n in range(5):
            assert (await intake.post_data(n=n)).status_code == 200
    assert intake.queue.probes == 1


async def test_a_limit_that_the_queues_owner_changes_is_known_without_a_restart(
    intake: Intake, lines: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_sender, "_LIMITS_INTERVAL_SECONDS", 0.01)
    refreshing = asyncio.create_task(intake.service.sender.refresh_limits_periodically())
    await until(lambda: intake.queue.probes)
    assert (await intake.post(posted().ljust(300_000))).status_code == 413
    intake.queue.unavailable = "denied"  # whether it is healthy, the sends tell
    await until(lambda: intake.queue.probes > 3)
    intake.queue.unavailable = None
    intake.queue.limits = replace(intake.queue.limits, message_bytes=1_048_576)
    await until(
        lambda: [line["max_bytes"] for line in lines if line["event"] == "size_limit_set"] == [262_144, 1_048_576]
    )
    assert (await intake.post(posted().ljust(300_000))).status_code == 200
    refreshing.cancel()
    await asyncio.gather(refreshing, return_exceptions=True)


async def test_a_write_that_times_out_makes_it_unready() -> None:
    intake = Intake(queue_timeout_seconds=0.02)
    intake.queue.flowing.clear()
    assert (await intake.post()).status_code == 503
    assert intake.service.health.faults == {"queue": "no confirmation within 0.02 s"}
    intake.queue.flowing.set()
    await intake.service.sender.drain()


async def test_an_unforeseen_error_of_the_queue_makes_it_unready_and_names_no_content(intake: Intake) -> None:
    intake.queue.error = RuntimeError("Your Content")
    assert (await intake.post()).status_code == 500
    assert intake.service.health.faults == {"queue": "RuntimeError"}


async def test_a_write_that_succeeds_makes_it_ready_without_a_probe(intake: Intake) -> None:
    assert (await intake.post()).status_code == 200
    assert not intake.service.health.faults
    assert intake.queue.probes == 0


async def test_one_refused_email_among_good_ones_leaves_it_ready(intake: Intake) -> None:
    intake.queue.flowing.clear()
    intake.queue.refused = {queued(email(n=1))}
    posts = [asyncio.create_task(intake.post_data(n=n)) for n in range(3)]
    await until(lambda: intake.waiting == 3)
    intake.queue.flowing.set()
    assert [response.status_code for response in await asyncio.gather(*posts)] == [200, 503, 200]
    assert not intake.service.health.faults


async def test_a_call_whose_every_email_is_refused_makes_it_unready(intake: Intake) -> None:
    intake.queue.refused = {queued(email())}
    assert (await intake.post()).status_code == 503
    assert intake.service.health.faults == {"queue": "It is bad."}


async def test_an_outage_is_logged_once_and_so_is_its_end(intake: Intake, lines: list[dict[str, str]]) -> None:
    async with probing(intake):
        await until(lambda: not intake.service.health.faults)
        intake.queue.unavailable = "down"
        for _ in range(3):
            assert (await intake.post()).status_code == 503
        probes = intake.queue.probes
        await until(lambda: intake.queue.probes > probes + 3)
        intake.queue.unavailable = None
        await until(lambda: not intake.service.health.faults)
    events = [line["event"] for line in lines if line["log_level"] in {"info", "error"}]
    assert events == ["size_limit_set", "queue_available", "queue_unavailable", "queue_available"]


@pytest.mark.parametrize("end", ["they fail", "they time out"])
async def test_an_outage_in_which_sends_hung_is_logged_once_and_its_end_once(
    lines: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    hung: list[asyncio.Future[list[None]]] = []

    async def hangs(_: Sequence[bytes]) -> list[None]:
        hung.append(asyncio.get_running_loop().create_future())
        return await hung[-1]

    limits = Limits(entries=1, payload_bytes=262_144, message_bytes=262_144, calls_at_once=9)
    intake = Intake(limits, queue_timeout_seconds=0.3 if end == "they time out" else DEADLINE)
    async with probing(intake):
        await until(lambda: not intake.service.health.faults)
        lines.clear()
        with monkeypatch.context() as patch:
            patch.setattr(intake.queue, "send", hangs)
            posts = [asyncio.create_task(intake.post_data(n=n)) for n in range(6)]
            await until(lambda: len(hung) == 6)
        hung.pop(0).set_exception(QueueUnavailableError("away"))
        await until(lambda: {"event": "queue_available"} in events(lines))
        if end == "they fail":
            for late in hung:
                late.set_exception(QueueUnavailableError("away"))
                assert (await intake.post_data(n="after")).status_code == 200
        assert {(await post).status_code for post in posts} == {503}
        assert intake.service.health.faults == {}
        for late in hung:
            late.cancel()
    assert events(lines) == [{"event": "queue_unavailable", "reason": "away"}, {"event": "queue_available"}]


async def test_a_probe_that_began_before_a_send_failed_does_not_end_the_outage(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe, answered = intake.queue.probe, asyncio.Event()

    async def slow_probe() -> None:
        await probe()
        await answered.wait()

    with monkeypatch.context() as patch:
        patch.setattr(intake.queue, "probe", slow_probe)
        async with probing(intake):
            await until(lambda: intake.queue.probes == 1)
            intake.queue.unavailable = "away"
            assert (await intake.post()).status_code == 503
            answered.set()
            await until(lambda: intake.queue.probes > 3)
            assert intake.service.health.faults == {"queue": "away"}


def events(lines: list[dict[str, object]]) -> list[dict[str, object]]:
    """What was logged of the queue, in short."""
    keys = ("event", "reason")
    return [
        {key: line[key] for key in keys if key in line} for line in lines if str(line["event"]).startswith("queue_")
    ]
