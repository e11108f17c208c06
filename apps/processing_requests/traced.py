"""The intake with spans: of each request, of its e-mail's way to the queue, and of the calls that e-mails share.

What of it is not traced is in the classes that these extend, so that an intake without traces does no more than before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from checkpoint.message_queue.port import TracedSendingQueue
from checkpoint.operations.tracing import Kind, current, within
from processing_requests.answers import RefusedError
from processing_requests.processing_requests import Intake
from processing_requests.queue_sender import QueueSender

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checkpoint.message_queue.port import EntryFault, Limits, SendingQueue
    from checkpoint.operations.messaging_spans import Destination
    from checkpoint.operations.tracing import Span, Tracing
    from processing_requests.answers import Refusal
    from processing_requests.http.request import Request
    from processing_requests.http.response import Response
    from processing_requests.http.routes import Client

_PATH = "/process_request"
_SERVER_ERRORS = 500


class TracedBody(bytes):
    """An e-mail's body. span: of its way to the queue."""

    span: Span


class TracedQueue:
    """A sending half that gives each TracedBody its traceparent, and has a span for each call.

    Several e-mails share a call, and a span has one parent: the first e-mail's, and links to the others'.
    """

    def __init__(self, queue: SendingQueue, tracing: Tracing, destination: Destination) -> None:
        self._queue = queue
        self._tracing = tracing
        self._destination = destination

    @property
    def limits(self) -> Limits:
        """As the port says."""
        return self._queue.limits

    async def probe(self) -> None:
        """As the port says."""
        await self._queue.probe()

    async def send(self, bodies: Sequence[bytes]) -> list[EntryFault | None]:
        """As the port says."""
        spans = [body.span if isinstance(body, TracedBody) else None for body in bodies]
        sampled = [span for span in spans if span is not None and span.is_sampled]
        call = self._start_call(sampled, len(bodies)) if sampled else None
        try:
            if isinstance(self._queue, TracedSendingQueue):
                faults = await self._queue.send_traced(bodies, [span.traceparent if span else None for span in spans])
            else:
                faults = await self._queue.send(bodies)
            if call and any(faults):
                call.fail("partial_failure")
        except Exception as error:
            if call:
                call.fail(type(error).__name__)
            raise
        finally:
            if call:
                call.end()
        return faults

    def _start_call(self, spans: Sequence[Span], count: int) -> Span:
        attributes = {**self._destination.attributes("send_batch", "send"), "messaging.batch.message_count": count}
        name = self._destination.span_name("send_batch")
        return self._tracing.start(name, Kind.CLIENT, attributes, parent=spans[0], links=spans[1:])


@dataclass(kw_only=True)
class TracedQueueSender(QueueSender):
    """A sender with a span for each e-mail: from when it is put in line until the queue has confirmed it."""

    tracing: Tracing
    destination: Destination

    def put(self, body: bytes, done: Callable[[Refusal | None], None]) -> None:
        """As `QueueSender` says."""
        traced = TracedBody(body)
        request = current.get()
        if request and not request.is_sampled:  # what no span would tell is not worth its time
            traced.span = request
            super().put(traced, done)
            return
        attributes = {**self.destination.attributes("send", "send"), "messaging.message.body.size": len(body)}
        name = self.destination.span_name("send")
        traced.span = self.tracing.start(name, Kind.PRODUCER, attributes, parent=request)
        try:
            super().put(traced, partial(_confirmed, traced.span, done))
        except RefusedError as refused:
            traced.span.fail(refused.refusal.error)
            traced.span.end()
            raise


def _confirmed(span: Span, done: Callable[[Refusal | None], None], refusal: Refusal | None) -> None:
    if refusal:
        span.fail(refusal.error)
    span.end()
    done(refusal)


@dataclass(frozen=True, kw_only=True)
class TracedIntake(Intake):
    """An intake with a span for each request: https://opentelemetry.io/docs/specs/semconv/http/http-spans/."""

    tracing: Tracing

    def begin(self, request: Request) -> Response | int:
        """As `http.routes.Route` says."""
        attributes: dict[str, str | int] = {
            "http.request.method": "POST",
            "http.route": _PATH,
            "network.protocol.version": "1.0" if request.is_http_1_0 else "1.1",
            "url.path": _PATH,
            "url.scheme": "http",
        }
        if request.length is not None:
            attributes["http.request.body.size"] = request.length
        parent = request.fields.get(b"traceparent", b"").decode("latin-1")
        request.span = self.tracing.start(f"POST {_PATH}", Kind.SERVER, attributes, parent=parent)
        return super().begin(request)

    def take(self, request: Request, body: bytes, client: Client) -> None:
        """As `http.routes.Route` says."""
        with within(request.span):
            super().take(request, body, client)

    def disconnected(self, request: Request) -> None:
        """As `http.routes.Route` says."""
        super().disconnected(request)
        request.span.fail("client_disconnected")
        request.span.end()

    def _sent(self, request: Request, client: Client, identity: str, refusal: Refusal | None) -> None:
        request.span.set("checkpoint.message_id", identity)
        super()._sent(request, client, identity, refusal)

    def _count(self, request: Request, status: int) -> None:
        super()._count(request, status)
        request.span.set("http.response.status_code", status)
        if status >= _SERVER_ERRORS:
            request.span.fail(str(status))
        request.span.end()
