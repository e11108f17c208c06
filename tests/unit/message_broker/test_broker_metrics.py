"""What Prometheus reads of the broker."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest

from checkpoint.version import VERSION
from emails import body

if TYPE_CHECKING:
    from unit.message_broker.running_broker import RunningBroker

OUTCOMES = ("created", "already_there", "dead_lettered", "released", "failed")


def exposition(broker: RunningBroker) -> str:
    text: bytes = generate_latest(broker.service.metrics.registry)
    return text.decode()


def gauge(broker: RunningBroker, name: str) -> float | None:
    return broker.service.metrics.registry.get_sample_value(name)


def states(broker: RunningBroker) -> dict[str, float | None]:
    registry = broker.service.metrics.registry
    return {
        state: registry.get_sample_value("checkpoint_circuit_breaker_state", {"state": state})
        for state in ("closed", "open", "half_open")
    }


async def test_before_any_message_every_outcome_is_there_with_0(broker: RunningBroker) -> None:
    assert {outcome: broker.counted(outcome) for outcome in OUTCOMES} == dict.fromkeys(OUTCOMES, 0)


async def test_messages_that_end_are_counted_by_outcome(broker: RunningBroker) -> None:
    await broker.queue.send([body("a"), body("a"), b"x"])
    async with broker.running():
        await broker.drained()
    counted = {outcome: broker.counted(outcome) for outcome in OUTCOMES}
    assert counted == dict.fromkeys(OUTCOMES, 0) | {"created": 1, "already_there": 1, "dead_lettered": 1}
    assert gauge(broker, "checkpoint_message_duration_seconds_count") == 3


async def test_the_duration_of_a_message_is_told_by_the_clock_of_the_service(broker: RunningBroker) -> None:
    broker.store.let.clear()
    await broker.queue.send([body()])
    async with broker.running():
        await broker.until(lambda: broker.store.calls)
        broker.clock.now += 7
        broker.store.let.set()
        await broker.drained()
    assert gauge(broker, "checkpoint_message_duration_seconds_sum") == 7


async def test_in_flight_are_messages_and_not_the_slots_of_a_long_poll(broker: RunningBroker) -> None:
    async with broker.running():
        await broker.until(lambda: broker.queue.under_way and not broker.faults)
        assert gauge(broker, "checkpoint_messages_in_flight") == 0
        broker.store.let.clear()
        await broker.queue.send([body()])
        await broker.until(lambda: gauge(broker, "checkpoint_messages_in_flight") == 1)
        broker.store.let.set()
        await broker.until(lambda: gauge(broker, "checkpoint_messages_in_flight") == 0)


async def test_an_outage_shows_in_the_gauges_and_so_does_its_end(broker: RunningBroker) -> None:
    async with broker.running():
        broker.store.unavailable = "down"
        await broker.queue.send([body()])
        await broker.until(lambda: gauge(broker, "checkpoint_archive_up") == 0)
        await broker.until(lambda: states(broker) == {"closed": 0, "open": 1, "half_open": 0})
        broker.store.unavailable = None
        await broker.drained()
        assert gauge(broker, "checkpoint_archive_up") == 1
        assert states(broker) == {"closed": 1, "open": 0, "half_open": 0}


async def test_the_build_and_the_process_are_told_and_no_series_of_creation_times(broker: RunningBroker) -> None:
    text = exposition(broker)
    assert f'service="message_broker",version="{VERSION}"' in text
    assert "process_cpu_seconds_total " in text
    assert "_created" not in text


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus's promtool is not on the PATH")
async def test_promtool_finds_nothing_to_say(broker: RunningBroker) -> None:
    await broker.queue.send([body("a"), b"x"])
    async with broker.running():
        await broker.drained()
        checked = await asyncio.to_thread(
            subprocess.run,
            ["promtool", "check", "metrics"],
            input=exposition(broker).encode(),
            capture_output=True,
            check=False,
        )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


async def test_what_was_stored_is_told_in_bytes_and_seconds_since_it_was_posted(broker: RunningBroker) -> None:
    await broker.queue.send([body("a"), body("a")])
    broker.clock.now += 20
    assert gauge(broker, "checkpoint_last_stored_timestamp_seconds") is None
    async with broker.running():
        await broker.drained()
    assert gauge(broker, "checkpoint_stored_bytes_total") == len(body("a")), "the second is the same object"
    assert gauge(broker, "checkpoint_last_stored_timestamp_seconds") == broker.clock.now
    assert gauge(broker, "checkpoint_posted_to_stored_seconds_count") == 1
    assert gauge(broker, "checkpoint_posted_to_stored_seconds_sum") == 20


async def test_a_sender_whose_clock_is_ahead_makes_no_negative_time(broker: RunningBroker) -> None:
    await broker.queue.send([body()])
    broker.clock.now -= 20
    async with broker.running():
        await broker.drained()
    assert gauge(broker, "checkpoint_posted_to_stored_seconds_sum") == 0


async def test_calls_are_told_by_operation_and_failures_by_code_and_retries_by_service(broker: RunningBroker) -> None:
    registry = broker.service.metrics.registry
    broker.store.unavailable = "down"
    await broker.queue.send([body("a"), b"x"])
    async with broker.running():
        await broker.until(lambda: gauge(broker, "checkpoint_archive_up") == 0)
        retried = {"service": "archive"}
        await broker.until(lambda: registry.get_sample_value("checkpoint_retries_total", retried))
        broker.store.unavailable = None
        await broker.drained()
    codes = {"operation": "create", "code": "ArchiveUnavailableError"}
    failed = registry.get_sample_value("checkpoint_archive_call_failures_total", codes)
    assert failed == registry.get_sample_value("checkpoint_retries_total", retried)
    assert registry.get_sample_value("checkpoint_retries_total", {"service": "queue"}) == 0
    for operation in ("receive", "delete", "dead_letter"):
        count = "checkpoint_queue_call_duration_seconds_count"
        assert (registry.get_sample_value(count, {"operation": operation}) or 0) > 0
    assert gauge(broker, "checkpoint_queue_up") == 1
    assert gauge(broker, "checkpoint_slots") == broker.settings.slots
