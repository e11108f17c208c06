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


async def test_what_the_queue_has_confirmed_is_told_in_bytes_and_when_it_last_did() -> None:
    intake = Intake()
    assert intake.metric("checkpoint_last_posted_timestamp_seconds") is None
    good, bad = email(email_subject="good"), email(email_subject="bad")
    intake.queue.refused = {queued(bad)}
    await asyncio.gather(intake.post(posted(good)), intake.post(posted(bad)))
    assert intake.metric("checkpoint_posted_bytes_total") == len(queued(good))
    assert intake.metric("checkpoint_last_posted_timestamp_seconds") == intake.clock.now
    assert intake.metric("checkpoint_queue_entry_failures_total", operation="send") == 1
    intake.clock.now += 60
    intake.queue.unavailable = "down"
    await intake.post()
    assert intake.metric("checkpoint_last_posted_timestamp_seconds") == intake.clock.now - 60
    assert intake.metric("checkpoint_queue_call_failures_total", operation="send", code="QueueUnavailableError") == 1


async def test_every_refusal_is_counted_by_its_reason_and_so_is_what_is_no_request(intake: Intake) -> None:
    for body in (b"{", posted(token="wrong"), posted(email(email_sender=None))):
        await intake.post(body)
    intake.queue.unavailable = "down"
    await intake.post()
    async with intake.serving() as port, connected(port) as (reader, writer):
        writer.write(b"no HTTP at all\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
    reasons = ("invalid_json", "invalid_token", "invalid_date_format_or_fields", "queue_unavailable")
    for reason in (*reasons, "invalid_http_request"):
        assert intake.metric("checkpoint_refusals_total", reason=reason) == 1
    assert intake.metric("checkpoint_refusals_total", reason="overloaded") == 0


async def test_an_intake_tells_its_limits_and_whether_its_queue_is_up(intake: Intake) -> None:
    assert intake.metric("checkpoint_queue_up") == 0, "not tried yet"
    assert intake.metric("checkpoint_connections_limit") == intake.settings.max_connections
    assert intake.metric("checkpoint_messages_waiting_limit") == intake.settings.max_waiting
    async with intake.serving():
        await until(lambda: intake.metric("checkpoint_queue_up") == 1)
