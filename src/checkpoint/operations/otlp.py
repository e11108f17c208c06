"""Spans by the SDK of OpenTelemetry, exported by OTLP; imported only where somebody asks for traces.

The SDK reads the `OTEL_*` variables: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, cast
from uuid import uuid4

import requests
import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as SDKSpan

from checkpoint.operations.tracing import Kind, read_traceparent
from checkpoint.settings import SettingsError
from checkpoint.version import VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from opentelemetry.trace import Tracer

    from checkpoint.operations.tracing import Attributes, Span

_KINDS: Final = {kind: SpanKind[kind.name] for kind in Kind}
# For the last spans to be exported at a stop, and for what a collector that does not answer may hold it up.
_CLOSE_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.01
# While a collector is away, every export fails, each with several lines.
_LOG_INTERVAL_SECONDS: Final = 60.0
# A collector may have much to say where a word is expected.
_REASON_CHARACTERS: Final = 300
# Nothing of an answer is used but its status and its headers.
_ANSWER_BYTES: Final = 65_536

_log = structlog.get_logger()


class OTLPSpan:
    """As `tracing.Span` says."""

    __slots__ = ("_has_ended", "span")

    def __init__(self, span: SDKSpan) -> None:
        self.span = span
        self._has_ended = False

    @property
    def is_sampled(self) -> bool:
        """As `tracing.Span` says."""
        return self.span.get_span_context().trace_flags.sampled

    @property
    def traceparent(self) -> str:
        """As `tracing.Span` says."""
        context = self.span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & TraceFlags.SAMPLED:02x}"

    def set(self, attribute: str, value: str | float | bool) -> None:  # noqa: FBT001  as `tracing.Span` says
        """As `tracing.Span` says."""
        if not self._has_ended:
            self.span.set_attribute(attribute, value)

    def fail(self, kind: str) -> None:
        """As `tracing.Span` says."""
        if not self._has_ended:
            self.span.set_attribute("error.type", kind)
            self.span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """As `tracing.Span` says."""
        if not self._has_ended:
            self._has_ended = True
            self.span.end()


class OTLPTracing:
    """As `tracing.Tracing` says."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: Span | str | None = None,
        links: Sequence[Span] = (),
    ) -> OTLPSpan:
        """As `tracing.Tracing` says."""
        span = self._tracer.start_span(
            name,
            _context(parent),
            _KINDS[kind],
            attributes,
            [Link(cast("OTLPSpan", each).span.get_span_context()) for each in links],
        )
        return OTLPSpan(span)


@asynccontextmanager
async def open_otlp(service: str) -> AsyncIterator[OTLPTracing]:
    """Exports in a thread of its own, of spans that wait as many as the variables say: of more, the oldest are dropped.

    The end of the body waits up to a second for the last ones. Raises SettingsError for variables of no use.
    """
    reported = _Reported()
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [reported], False
    try:
        provider = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(session=_session())
        provider.add_span_processor(BatchSpanProcessor(exporter))
    except ValueError as error:
        raise SettingsError(f"OTEL_…: {error}") from None
    try:
        yield OTLPTracing(provider.get_tracer("checkpoint", VERSION))
    finally:
        closing = threading.Thread(target=provider.shutdown, daemon=True)
        closing.start()
        ends = time.monotonic() + _CLOSE_SECONDS
        while closing.is_alive() and time.monotonic() < ends:  # noqa: ASYNC110  a thread tells no loop of its end
            await asyncio.sleep(_LOOK_SECONDS)
        reported.is_closing = True
        if closing.is_alive():
            _log.warning("traces_not_exported", reason=f"the collector did not answer within {_CLOSE_SECONDS:g} s")
            exporter.shutdown()  # type: ignore[no-untyped-call]  # it waits for its next try no longer


def _session() -> requests.Session:
    """For exports. Without a bound, an answer that has no end would take all memory."""
    session = requests.Session()
    session.hooks["response"] = [_cut_off]
    return session


def _cut_off(response: requests.Response, **_: object) -> None:
    """Read the beginning of an answer; where there is more, its connection is not used again."""
    read = bytearray()
    for part in response.iter_content(_ANSWER_BYTES):
        read += part
        if len(read) >= _ANSWER_BYTES:
            response.close()
            break
    response._content = bytes(read)  # noqa: SLF001  else requests reads on


def _context(parent: Span | str | None) -> Context:
    """A context of its own: what the SDK takes for the current span is no concern of ours."""
    if parent is None:
        return Context()
    if not isinstance(parent, str):
        return set_span_in_context(cast("OTLPSpan", parent).span, Context())
    remote = read_traceparent(parent)
    if remote is None:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if remote.is_sampled else TraceFlags.DEFAULT)
    span = NonRecordingSpan(SpanContext(remote.trace_id, remote.span_id, is_remote=True, trace_flags=flags))
    return set_span_in_context(span, Context())


def _resource(service: str) -> Resource:
    """What the variables say, and what they leave open."""
    defaults = Resource({"service.name": service, "service.version": VERSION, "service.instance.id": str(uuid4())})
    given = Resource.create()
    if str(given.attributes["service.name"]).startswith("unknown_service"):
        given = Resource({name: value for name, value in given.attributes.items() if name != "service.name"})
    return defaults.merge(given)


class _Reported(logging.Handler):
    """Logs what the SDK has to say, once a minute at most, without the texts of errors, which hold URLs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.is_closing = False
        self._quiet_until = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if self.is_closing or now < self._quiet_until:
            return
        self._quiet_until = now + _LOG_INTERVAL_SECONDS
        values = record.args if isinstance(record.args, tuple) else ()
        told = tuple(type(each).__name__ if isinstance(each, Exception) else each for each in values)
        reason = str(record.msg) % told if told else str(record.msg)
        _log.warning("traces_not_exported", reason=reason[:_REASON_CHARACTERS])
