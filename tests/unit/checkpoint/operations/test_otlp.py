"""Spans on their way to a collector, which may be slow, refuse them, or be away."""

from __future__ import annotations

import logging
import time
from contextlib import closing, suppress
from socket import create_server
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from checkpoint.operations.tracing import Kind, open_tracing
from checkpoint.settings import SettingsError
from checkpoint.version import VERSION
from e2e.ports import free_port
from traces.collector import Collector
from unit.processing_requests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """One that answers, and this process's variables leading to it."""
    with Collector() as running:
        lead(monkeypatch, running.environment)
        yield running


def lead(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


async def trace(count: int = 1, **environ: str) -> None:
    """Start spans and end them, and stop."""
    async with open_tracing("a service", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1", **environ}) as tracing:
        assert tracing
        for _ in range(count):
            tracing.start("a span", Kind.SERVER, {}).end()


async def test_spans_are_exported_at_the_stop_with_parents_links_errors_and_the_process_they_are_from(
    collector: Collector,
) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with capture_logs() as lines:
        async with open_tracing("a service", environ) as tracing:
            assert tracing
            server = tracing.start("server", Kind.SERVER, {"a": 1}, parent=f"{CLIENTS}-01")
            producer = tracing.start("producer", Kind.PRODUCER, {}, parent=server)
            consumer = tracing.start("consumer", Kind.CONSUMER, {}, parent=producer.traceparent, links=[server])
            consumer.fail("OddError")
            for span in (consumer, producer, server, server):
                span.end()
            server.set("late", 1)
            server.fail("late")

    assert lines == []  # the SDK would warn of what is told to a span that has ended
    by_name = {span.name: span for span in collector.spans}
    assert len(collector.spans) == 3
    assert {span.trace_id for span in collector.spans} == {CLIENTS.split("-")[1]}
    assert by_name["server"].parent_id == CLIENTS.split("-")[2]
    assert by_name["producer"].parent_id == by_name["server"].span_id
    assert by_name["consumer"].parent_id == by_name["producer"].span_id
    assert by_name["consumer"].links == [by_name["server"].span_id]
    assert [by_name[kind.lower()].kind for kind in ("SERVER", "PRODUCER")] == ["SERVER", "PRODUCER"]
    assert by_name["server"].attributes == {"a": 1}
    assert by_name["consumer"].attributes == {"error.type": "OddError"}
    assert [by_name[name].has_failed for name in ("server", "consumer")] == [False, True]
    assert by_name["server"].resource["service.name"] == "a service"
    assert by_name["server"].resource["service.version"] == VERSION


@pytest.mark.parametrize("parent", [None, "", f"{CLIENTS}-1", f"{CLIENTS.upper()}-01"])
async def test_below_no_valid_traceparent_a_trace_begins(collector: Collector, parent: str | None) -> None:
    async with open_tracing("a service", {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as tracing:
        assert tracing
        span = tracing.start("a span", Kind.SERVER, {}, parent=parent)
        span.end()

    [exported] = collector.spans
    assert not exported.parent_id
    assert span.traceparent == f"00-{exported.trace_id}-{exported.span_id}-01"


async def test_what_a_client_does_not_sample_is_not_exported_and_keeps_its_trace(collector: Collector) -> None:
    async with open_tracing("a service", {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as tracing:
        assert tracing
        span = tracing.start("a span", Kind.SERVER, {}, parent=f"{CLIENTS}-00")
        below = tracing.start("below", Kind.PRODUCER, {}, parent=span)
        assert not below.is_sampled
        assert below.traceparent.startswith(CLIENTS.rpartition("-")[0])
        assert below.traceparent.endswith("-00")
        span.end()

    assert collector.spans == []


async def test_the_variables_name_the_service_and_sample(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "another")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    await trace()
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    await trace()

    [span] = collector.spans
    assert span.service == "another"
    assert span.resource["deployment.environment.name"] == "test"


async def test_of_spans_that_nobody_takes_no_more_wait_than_the_variables_say(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(
        monkeypatch,
        {
            "OTEL_BSP_MAX_QUEUE_SIZE": "10",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        },
    )
    collector.status = 503

    with capture_logs() as lines:
        await trace(1_000)

    assert collector.exports < 100
    assert len(lines) <= 2


@pytest.mark.parametrize("status", [400, 503])
async def test_a_collector_that_refuses_everything_is_told_of_once_and_holds_up_no_stop(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    lead(monkeypatch, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"})
    collector.status = status
    began = time.monotonic()

    with capture_logs() as lines:
        await trace(20)

    assert time.monotonic() - began < 3
    told = [line for line in lines if line["event"] == "traces_not_exported"]
    assert 1 <= len(told) <= 2
    assert told == lines


async def test_a_collector_that_is_away_is_told_of_without_its_url_and_holds_up_no_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lead(
        monkeypatch,
        {
            "OTEL_BSP_SCHEDULE_DELAY": "10",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://user:s3cret@127.0.0.1:{free_port()}/?s3cret",
        },
    )

    with capture_logs() as lines:
        async with open_tracing("a service", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1"}) as tracing:
            assert tracing
            tracing.start("a span", Kind.SERVER, {}).end()
            await until(lambda: lines)
            began = time.monotonic()

    assert time.monotonic() - began < 3
    assert "ConnectionError" in lines[0]["reason"]
    assert "s3cret" not in str(lines)


async def test_of_an_answer_without_an_end_only_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = 0
    with create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            nonlocal sent
            client = listening.accept()[0]
            with client, suppress(OSError):
                client.recv(65_536)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
                while sent < 50_000_000:
                    sent += client.send(b"<html>" * 10_000)

        answering = Thread(target=answer)
        answering.start()
        lead(monkeypatch, {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{listening.getsockname()[1]}"})
        await trace()
        answering.join()

    assert 0 < sent < 50_000_000


async def test_of_what_a_collector_says_only_the_beginning_is_logged(collector: Collector) -> None:
    with capture_logs() as lines:
        async with open_tracing("a service", {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}):
            logging.getLogger("opentelemetry.exporter").error("Failed: %s", "<html>" * 10_000)

    [line] = lines
    assert line["reason"].startswith("Failed: <html>")
    assert len(line["reason"]) <= 300


async def test_a_collector_that_never_answers_holds_up_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(create_server(("127.0.0.1", 0))) as silent:
        lead(monkeypatch, {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        began = time.monotonic()

        with capture_logs() as lines:
            await trace()

        assert time.monotonic() - began < 3
        assert "the collector did not answer within 1 s" in [line["reason"] for line in lines]


@pytest.mark.parametrize(
    ("variable", "value"), [("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000"), ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many")]
)
async def test_a_variable_that_the_sdk_does_not_take_is_a_fault_of_the_settings(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    assert collector.url
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match="OTEL_"):
        await trace()


@pytest.fixture(autouse=True)
def logger_as_before() -> Iterator[Any]:
    logger = logging.getLogger("opentelemetry")
    handlers, propagates = logger.handlers, logger.propagate
    yield
    logger.handlers, logger.propagate = handlers, propagates
