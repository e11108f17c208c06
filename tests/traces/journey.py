"""An e-mail's journey from a client that has a trace of its own, through both services, into the archive."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from e2e.posting import TOKEN
from e2e.waiting import until

if TYPE_CHECKING:
    from e2e.services import Services
    from e2e.worlds import World
    from traces.collector import CollectedSpan, Collector

# The client's; the request; its e-mail's way to the queue, and the call; the delivery; the put.
SPANS = 6


def journey(world: World, services: Services, collector: Collector, email: dict[str, Any]) -> list[CollectedSpan]:
    """The e-mail's trace, when all of it has been exported."""
    intake = services.intake(**collector.environment)
    broker = services.broker(**collector.environment)
    trace_id = post_traced(intake.port, collector.url, email)
    until(lambda: not world.waiting(), "the queue is empty")
    until(lambda: len(collector.trace(trace_id)) >= SPANS, "its spans are exported")
    for service in (intake, broker):
        assert service.terminate() == 0, service.log
    return collector.trace(trace_id)


def post_traced(port: int, collector_url: str, email: dict[str, Any]) -> str:
    """Post as a client does that has OpenTelemetry; gives the ID of its trace."""
    provider = TracerProvider(resource=Resource({"service.name": "client"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{collector_url}/v1/traces")))
    headers = {"Content-Type": "application/json"}
    tracer = provider.get_tracer("client")
    with tracer.start_as_current_span("post an e-mail", kind=SpanKind.CLIENT) as span:
        TraceContextTextMapPropagator().inject(headers)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("POST", "/process_request", json.dumps({"data": email, "token": TOKEN}), headers)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            response.read()
    provider.shutdown()
    return f"{span.get_span_context().trace_id:032x}"
