"""What Prometheus reads of the intake."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from checkpoint.version import VERSION
from unit.processing_requests.intake import Intake
from unit.processing_requests.posted_emails import email, posted, queued
from unit.processing_requests.raw_http import connected, head
from unit.processing_requests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STATUSES = ("200", "400", "401", "408", "413", "415", "500", "503")


def exposition(intake: Intake) -> str:
    text: bytes = generate_latest(intake.service.metrics.registry)
    return text.decode()


def answered(intake: Intake) -> dict[str, float | None]:
    """How many requests were answered with each status that has occurred."""
    counts = {status: intake.metric("checkpoint_requests_total", status=status) for status in STATUSES}
    return {status: count for status, count in counts.items() if count}


async def test_before_any_request_every_status_is_there_with_0(intake: Intake) -> None:
    families = {family.name: family for family in text_string_to_metric_families(exposition(intake))}
    requests = families["checkpoint_requests"].samples
    assert {sample.labels["status"]: sample.value for sample in requests} == dict.fromkeys(STATUSES, 0)
    assert intake.metric("checkpoint_client_disconnects_total") == 0
    assert intake.metric("checkpoint_messages_unconfirmed_total") == 0


async def test_every_status_that_a_request_is_answered_is_one_that_was_there_before() -> None:
    intake = Intake(max_request_bytes=1000, body_timeout_seconds=0.02)

    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    for body in (posted(), b"{", posted(token="wrong"), b" " * 1001, endless()):
        await intake.post(body)
    await intake.post(headers={})
    intake.queue.unavailable = "down"
    await intake.post()
    intake.queue.error = RuntimeError()
    await intake.post()
    assert answered(intake) == dict.fromkeys(STATUSES, 1)
    assert exposition(intake).count("checkpoint_requests_total{") == len(STATUSES)


async def test_the_build_and_the_process_are_told(intake: Intake) -> None:
    text = exposition(intake)
    assert "checkpoint_build_info{" in text
    assert f'service="processing_requests",version="{VERSION}"' in text
    assert "process_cpu_seconds_total " in text


async def test_no_series_tells_when_a_metric_was_created(intake: Intake) -> None:
    await intake.post()
    openmetrics: bytes = generate_openmetrics(intake.service.metrics.registry)  # type: ignore[no-untyped-call]
    assert "_created" not in exposition(intake) + openmetrics.decode()


async def test_the_duration_of_a_request_is_measured_until_its_answer(intake: Intake) -> None:
    intake.queue.flowing.clear()
    post = asyncio.create_task(intake.post())
    await until(lambda: intake.waiting == 1)
    intake.clock.now += 3
    intake.queue.flowing.set()
    await post
    assert intake.metric("checkpoint_request_duration_seconds_count") == 1
    assert intake.metric("checkpoint_request_duration_seconds_sum") == 3


async def test_a_client_that_disconnects_is_counted_by_itself_and_among_no_answers(intake: Intake) -> None:
    async with intake.serving() as port:
        async with connected(port) as (_, writer):
            writer.write(head(len(posted())) + posted()[:10])
            await until(lambda: intake.arriving_bytes == 10)
        await until(lambda: intake.metric("checkpoint_client_disconnects_total") == 1)
    assert answered(intake) == {}
    assert intake.metric("checkpoint_request_duration_seconds_count") == 0


async def test_what_waits_for_the_queue_is_shown_in_messages_and_bytes_and_so_is_a_batch(intake: Intake) -> None:
    intake.queue.flowing.clear()
    posts = [asyncio.create_task(intake.post()) for _ in range(3)]
    await until(lambda: intake.metric("checkpoint_messages_waiting") == 3)
    assert intake.metric("checkpoint_messages_waiting_bytes") == 3 * len(queued(email()))
    intake.queue.flowing.set()
    await asyncio.gather(*posts)
    assert intake.metric("checkpoint_messages_waiting") == intake.metric("checkpoint_messages_waiting_bytes") == 0
    assert intake.metric("checkpoint_queue_send_batch_messages_sum") == 3


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool, of Prometheus, is not on the PATH")
async def test_prometheus_has_no_objection_to_the_metrics(intake: Intake) -> None:
    async def check() -> None:
        text = exposition(intake)
        ended = await asyncio.to_thread(
            subprocess.run,
            ["promtool", "check", "metrics"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")

    await check()
    await intake.post()
    await check()
