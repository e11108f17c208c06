"""One trace spans request, queue and archive, with both services as processes and a client that has OpenTelemetry."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from e2e.marked import MARK, marked
from e2e.ports import free_port
from e2e.posting import TOKEN, post_email
from e2e.services import Services
from e2e.waiting import until
from traces.collector import Collector
from traces.journey import journey

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.one_machine import OneMachine
    from e2e.worlds import World

PATH = [
    ("client", "post an e-mail", "CLIENT"),
    ("processing_requests", "POST /process_request", "SERVER"),
    ("processing_requests", "send", "PRODUCER"),
    ("message_broker", "process", "CONSUMER"),
    ("message_broker", "put", "CLIENT"),
]


def test_one_trace_leads_from_the_client_to_the_archive_and_tells_nothing_of_the_email(
    world: World, services: Services
) -> None:
    with Collector() as collector:
        spans = journey(world, services, collector, marked(0))

    by_id = {span.span_id: span for span in spans}
    [put] = [span for span in spans if span.name.startswith("put ")]
    path = [put]
    while path[0].parent_id:
        path.insert(0, by_id[path[0].parent_id])
    assert [(span.service, span.name, span.kind) for span in path[:2]] == PATH[:2]
    assert [(span.service, span.name.partition(" ")[0], span.kind) for span in path[2:]] == PATH[2:]
    assert {span.trace_id for span in spans} == {put.trace_id}
    assert [span.began for span in path] == sorted(span.began for span in path)
    assert not any(span.has_failed for span in spans)
    [call] = [span for span in spans if span not in path]
    assert (call.name.partition(" ")[0], call.parent_id) == ("send_batch", path[2].span_id)
    assert len(world.objects()) == 1
    for secret in (MARK, TOKEN, next(iter(world.objects()))):
        assert secret not in str(spans)


def test_each_worker_exports_what_it_does(one_machine: OneMachine, tmp_path: Path) -> None:
    services = Services(one_machine.environment, tmp_path)
    with Collector() as collector:
        try:
            intake = services.intake(WORKERS="2", **collector.environment)
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda number: post_email(intake.port, marked(number)), range(40)))
            assert {answer.status for answer in answers} == {200}
            assert intake.terminate() == 0, intake.log
        finally:
            services.kill_all()

    requests = [span for span in collector.spans if span.kind == "SERVER"]
    assert len({span.trace_id for span in requests}) == len(requests) == 40
    assert len({span.resource["service.instance.id"] for span in requests}) == 2


def test_without_a_collector_both_services_go_on_and_stop_in_time(one_machine: OneMachine, tmp_path: Path) -> None:
    services = Services(one_machine.environment, tmp_path)
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}", "OTEL_BSP_SCHEDULE_DELAY": "10"}
    try:
        intake, broker = services.intake(**away), services.broker(**away)
        for number in range(20):
            assert post_email(intake.port, marked(number, timestream=number)).status == 200
        until(lambda: len(one_machine.objects()) == 20, "all are archived")
        for service in (intake, broker):
            began = time.monotonic()
            assert service.terminate() == 0, service.log
            assert time.monotonic() - began < 4
            told = [event for event in service.events if event["event"] == "traces_not_exported"]
            assert 1 <= len(told) <= 2
    finally:
        services.kill_all()


def test_what_checkpoint_cannot_do_stops_the_start_of_an_intake_with_workers_and_is_said_once(
    one_machine: OneMachine, tmp_path: Path
) -> None:
    services = Services(one_machine.environment, tmp_path)
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    try:
        intake = services.start("processing_requests", PORT=str(free_port()), WORKERS="2", **variables)
        assert intake.process.wait(20) == 1
    finally:
        services.kill_all()
    assert "processing_requests cannot start: OTEL_EXPORTER_OTLP_TRACES_PROTOCOL or" in intake.log
    assert intake.log.count("http/protobuf") == 1
