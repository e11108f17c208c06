"""A collector of traces inside this process: it takes what is exported by OTLP over HTTP, and keeps it."""

from __future__ import annotations

import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    Values = dict[str, str | int | bool]


class CollectedSpan(NamedTuple):
    """A span as it was exported. began, ended: nanoseconds since 1970. resource: what it says of its process."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    began: int
    ended: int
    attributes: Values
    links: list[str]
    has_failed: bool
    resource: Values

    @property
    def service(self) -> str:
        return str(self.resource["service.name"])


class Collector:
    """Listens on a free loopback port while it is entered. status: what it answers; other than 200, it keeps nothing.

    exports: how many there were.
    """

    def __init__(self, *, status: int = 200) -> None:
        self.spans: list[CollectedSpan] = []
        self.status = status
        self.exports = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """For OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a service export to it, and soon."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}

    def trace(self, trace_id: str) -> list[CollectedSpan]:
        """The spans of one trace, in the order of their beginnings."""
        return sorted((span for span in self.spans if span.trace_id == trace_id), key=lambda span: span.began)

    def _take(self, body: bytes) -> int:
        self.exports += 1
        if self.status == 200:
            self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        return self.status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                self.send_response(status if self.path == "/v1/traces" else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _spans(request: ExportTraceServiceRequest) -> Iterable[CollectedSpan]:
    for of_resource in request.resource_spans:
        resource = _values(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield CollectedSpan(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    name=span.name,
                    kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    began=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                    attributes=_values(span.attributes),
                    links=[link.span_id.hex() for link in span.links],
                    has_failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                    resource=resource,
                )


def _values(attributes: Iterable[KeyValue]) -> Values:
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in attributes}
